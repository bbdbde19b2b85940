#!/bin/sh
# Installs the npm packages of a folder, all versions pinned by its lockfile, into another one: packages.sh FROM FOLDER.
set -eu
from=$1
folder=$2
if ! cmp -s "$from/package-lock.json" "$folder/installed.json"; then
  rm -rf "$folder"
  mkdir -p "$folder"
  cp "$from/package.json" "$from/package-lock.json" "$folder"
  (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --silent >&2 && npm ls --silent >&2)
  cp "$from/package-lock.json" "$folder/installed.json"
fi
