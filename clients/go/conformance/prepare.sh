#!/bin/sh
# See clients/CONFORMANCE.md. go.sum pins what is downloaded.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sh "$here/../tools/go.sh"
cd "$here/.."
mkdir -p .cache
go build -mod=readonly -o .cache/conformance ./conformance
