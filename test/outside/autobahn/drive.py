"""Runs the Autobahn cases against a server and prints a line of JSON for each: drive.py URL."""

import asyncio
import json
import sys

from kosoku import FailureError, run_fuzzingclient


async def main() -> None:
    try:
        results = await run_fuzzingclient(sys.argv[1])
    except FailureError as failure:
        results = failure.results
    for result in results:
        line = {
            "case": result.case_id,
            "behavior": result.behavior.value,
            "close": result.behavior_close.value,
            "code": result.remote_close_code,
        }
        print(json.dumps(line))


asyncio.run(main())
