#!/bin/sh
# See clients/CONFORMANCE.md. pom.xml pins what is fetched.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sh "$here/../tools/java.sh"
cd "$here/.."
mvn -q test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath >&2
