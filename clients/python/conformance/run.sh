#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH="$here/../src" PYTHONDONTWRITEBYTECODE=1 exec "$here/../.cache/conformance/bin/python" "$here/main.py" "$1"
