#!/bin/sh
exec "$(dirname "$0")/../.cache/conformance" "$1"
