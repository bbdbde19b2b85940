#!/bin/sh
# See ../generate.sh. The version pins the generator and, by its go.mod, all that it is built from.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ "$1" = --into ]; then
  echo generated
  exit
fi
sh "$here/tools/go.sh" >&2
go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -config "$here/tools/generator.yaml" \
  -o "$1/synod.go" "$2"
