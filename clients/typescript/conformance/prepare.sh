#!/bin/sh
# The script is built with the project itself.
set -eu
main="$(cd "$(dirname "$0")/../../.." && pwd)/dist/clients/typescript/conformance/main.js"
[ -f "$main" ] || { echo 'It is not built: run npm run build.'; exit 1; }
