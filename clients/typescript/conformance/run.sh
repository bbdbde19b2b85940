#!/bin/sh
exec node "$(dirname "$0")/../../../dist/clients/typescript/conformance/main.js" "$1"
