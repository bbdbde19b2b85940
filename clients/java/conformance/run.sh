#!/bin/sh
client=$(dirname "$0")/..
exec java -cp "$client/target/classes:$client/target/test-classes:$(cat "$client/target/classpath")" \
  dev.synod.conformance.Main "$1"
