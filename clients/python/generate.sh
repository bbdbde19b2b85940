#!/bin/sh
# See ../generate.sh. The generator is installed into .cache, with the versions that tools/generator.txt pins.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ "$1" = --into ]; then
  echo src/synod_client/generated
  exit
fi
venv=$(sh "$here/tools/venv.sh" generator "$here/tools/generator.txt") || {
  status=$?
  echo "$venv" >&2
  exit "$status"
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$venv/bin/python" "$here/tools/simplify_document.py" "$2" "$work/openapi.yaml"
# The generator formats what it made by the ruff that it finds. A call that it would leave out fails it.
PATH="$venv/bin:$PATH" "$venv/bin/openapi-python-client" generate --path "$work/openapi.yaml" --meta none \
  --config "$here/tools/generator.yaml" --output-path "$work/generated" --fail-on-warning >"$work/said" 2>&1 || {
  cat "$work/said" >&2
  exit 1
}
rm -rf "$work/generated/.ruff_cache"
cp -R "$work/generated/." "$1"
