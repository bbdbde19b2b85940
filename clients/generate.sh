#!/bin/sh
# Makes what is generated in the clients from openapi/openapi.yaml. With --check nothing is changed: the exit code says
# whether what is checked in is what would be made. Needs `npm ci` in clients/typescript.
set -eu
clients=$(cd "$(dirname "$0")" && pwd)
document="$clients/../openapi/openapi.yaml"
generated="$clients/typescript/src/generated/schema.ts"
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT

"$clients/typescript/node_modules/.bin/openapi-typescript" "$document" --default-non-nullable=false --output "$fresh" >/dev/null

if [ "${1-}" = --check ]; then
  cmp "$fresh" "$generated" || {
    echo 'clients/typescript is not what openapi/openapi.yaml says: run clients/generate.sh' >&2
    exit 1
  }
else
  mkdir -p "$(dirname "$generated")"
  cp "$fresh" "$generated"
fi
