#!/bin/sh
# `venv.sh NAME REQUIREMENTS` makes the virtual environment NAME in .cache with exactly these packages, unless it is there, and
# prints its folder. Ends with 69 if there is no Python that is new enough.
set -eu
python_folder=$(cd "$(dirname "$0")/.." && pwd)
folder="$python_folder/.cache/$1"
if ! python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo 'Python 3.11 or later, with venv, is not here.'
  exit 69
fi
if ! cmp -s "$2" "$folder/installed.txt"; then
  rm -rf "$folder"
  mkdir -p "$folder"
  python3 -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$2" >&2
  "$folder/bin/python" -m pip check --quiet --disable-pip-version-check >&2
  cp "$2" "$folder/installed.txt"
fi
echo "$folder"
