#!/bin/sh
# Installs what Synod is measured against into bench/.cache, all versions pinned, and says of each whether it is there:
# nats-server and its load generator by Go, etcd and wrk by Debian's apt-get (as root).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$here/../.cache
mkdir -p "$cache"
nats=v2.15.2

if command -v go >/dev/null; then
  [ -x "$cache/nats-server" ] ||
    GOBIN=$cache GOFLAGS=-mod=mod go install "github.com/nats-io/nats-server/v2@$nats" || true
  if [ ! -x "$cache/nats-load" ] || [ "$here/load/main.go" -nt "$cache/nats-load" ]; then
    (cd "$here/load" && go build -buildvcs=false -o "$cache/nats-load" .) || true
  fi
fi
if ! { command -v wrk && command -v etcd; } >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  # A package must not start a service of its own.
  policy=/usr/sbin/policy-rc.d
  made=
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; made=yes; }
  { apt-get update -qq && apt-get install -qq -y --no-install-recommends wrk etcd-server; } >/dev/null || true
  [ -z "$made" ] || rm -f $policy
fi

for program in "$cache/nats-server" "$cache/nats-load" etcd wrk; do
  if command -v "$program" >/dev/null; then echo "$(basename "$program"): here"; else echo "$(basename "$program"): missing"; fi
done
