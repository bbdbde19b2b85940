#!/bin/sh
# Ends with 69 and a sentence if Go is not here or too old; see ../../CONFORMANCE.md.
set -eu
if ! command -v go >/dev/null; then
  echo 'Go is not here: install Go 1.25 or later.'
  exit 69
fi
minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
if [ "${minor:-0}" -lt 25 ]; then
  echo "Go 1.25 or later is needed; here is $(go env GOVERSION)."
  exit 69
fi
