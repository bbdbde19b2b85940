#!/bin/sh
# Linter, formatter and types of the part that is written by hand.
set -eu
cd "$(dirname "$0")"
venv=$(sh tools/venv.sh check tools/check.txt) || {
  status=$?
  echo "$venv" >&2
  exit "$status"
}
"$venv/bin/ruff" check .
"$venv/bin/ruff" format --check .
"$venv/bin/mypy"
