#!/bin/sh
# Makes what is generated in the clients from openapi/openapi.yaml: `clients/generate.sh [--check] [typescript|python|go|java …]`,
# all of them by default. With --check nothing is changed: the exit code says whether what is checked in is what would be made.
#
# Each clients/LANGUAGE/generate.sh takes a folder, fills it with what belongs in the client's folder for generated code, and
# says with `--into` which one that is. It ends with 69 and a sentence if a tool that it cannot install is not here; that fails
# only if the language was named.
set -eu
clients=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$clients")
missing=69

is_check=false
if [ "${1-}" = --check ]; then
  is_check=true
  shift
fi
is_named=true
if [ $# -eq 0 ]; then
  is_named=false
  set -- typescript python go java
fi

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
failed=false
for language in "$@"; do
  script="$clients/$language/generate.sh"
  if [ ! -f "$script" ]; then
    if $is_named; then
      echo "There is no clients/$language/generate.sh." >&2
      exit 2
    fi
    continue
  fi
  target="$clients/$language/$(sh "$script" --into)"
  made="$fresh/$language"
  mkdir -p "$made"
  status=0
  sh "$script" "$made" "$root/openapi/openapi.yaml" || status=$?
  if [ "$status" -eq "$missing" ] && ! $is_named; then
    echo "clients/$language is left out."
  elif [ "$status" -ne 0 ]; then
    exit "$status"
  elif $is_check; then
    if diff -r -x __pycache__ "$made" "$target" >&2; then
      echo "clients/$language is what openapi/openapi.yaml says."
    else
      echo "clients/$language is not what openapi/openapi.yaml says: run clients/generate.sh $language" >&2
      failed=true
    fi
  else
    rm -rf "$target"
    mkdir -p "$(dirname "$target")"
    cp -R "$made" "$target"
    echo "clients/$language is made."
  fi
done
! $failed
