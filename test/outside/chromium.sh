#!/bin/sh
# Prints where Chromium is, installing Debian's if it may. Ends with 69 and one sentence if there is none.
set -eu
find_it() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
if ! find_it >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; } >&2 || true
fi
find_it || { echo 'It needs Chromium; on Debian: apt-get install chromium.'; exit 69; }
