#!/bin/sh
# Ends with 69 and a sentence if Java or Maven is not here or too old; see ../../CONFORMANCE.md.
set -eu
if ! command -v java >/dev/null || ! command -v javac >/dev/null || ! command -v mvn >/dev/null; then
  echo 'Java or Maven is not here: install a JDK, 17 or later, and Maven.'
  exit 69
fi
major=$(javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
if [ "${major:-0}" -lt 17 ]; then
  echo "Java 17 or later is needed; here is ${major:-an unknown one}."
  exit 69
fi
