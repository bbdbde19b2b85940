#!/bin/sh
# See clients/CONFORMANCE.md. What the client needs goes into ../.cache, with the versions that requirements.txt pins.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sh "$here/../tools/venv.sh" conformance "$here/requirements.txt"
