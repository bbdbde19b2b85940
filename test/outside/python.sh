#!/bin/sh
# Makes a Python environment with the packages of a requirements file, all versions pinned, and checks that they are there:
# python.sh REQUIREMENTS FOLDER. Ends with 69 and one sentence if this machine has no Python for it.
set -eu
requirements=$1
folder=$2
if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo 'It needs python3 (3.11 or later) with venv; on Debian: apt-get install python3 python3-venv.'
  exit 69
fi
if ! cmp -s "$requirements" "$folder/installed.txt"; then
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$requirements" >&2
  "$folder/bin/python" -m pip check >&2
  cp "$requirements" "$folder/installed.txt"
fi
"$folder/bin/python" -c 'import sys
from importlib.metadata import version
for line in open(sys.argv[1]):
    name, wanted = line.strip().split("==")
    found = version(name)
    if found != wanted:
        sys.exit(f"{name} {found} is installed, not {wanted}: remove the folder of the environment.")' "$requirements"
