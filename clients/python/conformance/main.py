"""The cases of clients/CONFORMANCE.md, for the Python client. The argument: the brokers' URLs, with commas."""

import asyncio
import sys

from breaks import resume
from errors import conflict, not_found, too_large, unavailable
from record_cases import RecordCases
from talk import ask, report

from synod_client import SynodClient


async def main(urls: list[str]) -> None:
    async with SynodClient(urls) as client:
        cases = RecordCases(client)
        await report("create", cases.create)
        await report("raw-bytes", cases.raw_bytes)
        await report("batch", cases.batch)
        await report("page", cases.page)
        await report("stream", cases.stream)
        await report("subscribe", cases.subscribe)
        await report("resume", lambda: resume(client))
        await ask("start-all")
        await report("not-found", lambda: not_found(client))
        await report("conflict", lambda: conflict(client))
        await report("too-large", lambda: too_large(client))
        await report("unavailable", lambda: unavailable(urls))


asyncio.run(main(sys.argv[1].split(",")))
