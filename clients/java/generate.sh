#!/bin/sh
# See ../generate.sh. The generator is fetched into .cache, with the version and the checksum that stand here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ "$1" = --into ]; then
  echo src/main/java/dev/synod/client/generated
  exit
fi
sh "$here/tools/java.sh" >&2
version=7.25.0
checksum=41ce4f6b07f196676439d710759fa1ced7a08066d06ff1bf314681470289efae
jar="$here/.cache/openapi-generator-cli-$version.jar"
if [ ! -f "$jar" ]; then
  mvn -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory="$here/.cache" \
    -Dartifact="org.openapitools:openapi-generator-cli:$version" >&2
fi
echo "$checksum  $jar" | sha256sum -c --quiet - >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
java -jar "$jar" generate -i "$2" -o "$work/made" -c "$here/tools/generator.yaml" >"$work/said" 2>&1 || {
  cat "$work/said" >&2
  exit 1
}
cp -R "$work/made/source/dev/synod/client/generated/." "$1"
