"""How a body of lines is written: schemathesis knows no NDJSON."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines_of_json(ctx, value):
    """The bytes themselves: a dictionary would be sent as a form."""
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value) + "\n"
    return text.encode("utf-8", errors="surrogatepass")
