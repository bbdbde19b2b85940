#!/bin/sh
# Formatting, vet and the tests that need no brokers.
set -eu
cd "$(dirname "$0")"
sh tools/go.sh
unformatted=$(gofmt -l ./*.go conformance)
if [ -n "$unformatted" ]; then
  echo "gofmt would change: $unformatted" >&2
  exit 1
fi
go vet ./...
go test ./...
