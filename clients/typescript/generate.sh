#!/bin/sh
# See ../generate.sh. Needs `npm ci` in clients/typescript, which pins the generator.
set -eu
if [ "$1" = --into ]; then
  echo src/generated
  exit
fi
generator="$(cd "$(dirname "$0")" && pwd)/node_modules/.bin/openapi-typescript"
if [ ! -x "$generator" ]; then
  echo 'openapi-typescript is not here: run npm ci in clients/typescript.' >&2
  exit 69
fi
"$generator" "$2" --default-non-nullable=false --output "$1/schema.ts" >/dev/null
