"""The client: produce, read, subscribe."""

import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx

from .brokers import Brokers, Query
from .problem import NoAnswer, SynodProblem
from .records import NewRecord, Page, Receipt, Record, batch_body, places_of
from .session import Credit
from .subscription import Start, Subscription

CALL_TIMEOUT = 30.0
_TRY_TIMEOUT = 10.0
_CONNECTIONS_MAX = 100


class SynodClient:
    """
    A client of the brokers with these URLs, of which any takes any call. `async with` closes its connections at the end.

    Every call raises SynodProblem for what a broker answered and NoAnswer when none did, after it has tried again, at other
    brokers too, as long as that may help and does no harm. `timeout`: seconds for all tries together. `tries_max`: how often
    a call is sent at most; 1 sends it once, whatever comes of it.
    """

    def __init__(self, urls: str | Sequence[str], *, try_timeout: float = _TRY_TIMEOUT) -> None:
        """`try_timeout`: seconds for one try of one broker."""
        self._http = httpx.AsyncClient(limits=httpx.Limits(max_connections=_CONNECTIONS_MAX))
        self._try_timeout = try_timeout
        self._brokers = Brokers(urls, self._http, try_timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def create_topic(
        self,
        topic: str,
        *,
        partitions: int | None = None,
        replication_factor: int | None = None,
        config: Mapping[str, Any] | None = None,
        timeout: float = CALL_TIMEOUT,
        tries_max: int | None = None,
    ) -> None:
        """Creates the topic, or makes sure that it is as asked for."""
        wanted = {"partitions": partitions, "replicationFactor": replication_factor, "config": config}
        await self._brokers.request(
            "PUT",
            _path(topic),
            headers={"content-type": "application/json"},
            content=json.dumps({name: value for name, value in wanted.items() if value is not None}).encode(),
            timeout=timeout,
            tries_max=tries_max,
        )

    async def produce(
        self,
        topic: str,
        records: Sequence[NewRecord],
        *,
        idempotency_key: str | None = None,
        acks: Literal["majority", "all"] | None = None,
        expected_offset: int | None = None,
        timeout: float = CALL_TIMEOUT,
        tries_max: int | None = None,
    ) -> Sequence[Receipt]:
        """
        Stores the records, at most 1,000, and returns when a majority has them on disk: a receipt each, in their order. They
        are stored once, however often they are sent: under one idempotency key, which is drawn if none is given. After a
        SynodProblem with `side_effects_possible`, or NoAnswer with `was_sent`, they may be stored: call again with the same key.
        `expected_offset`: stored only if that offset is next in their one partition, else `offset-mismatch`.
        """
        answer = await self._brokers.request(
            "POST",
            f"{_path(topic)}/batches",
            query={"acks": acks},
            headers={
                "content-type": "application/json",
                **_produce_headers(idempotency_key, expected_offset),
            },
            content=batch_body(records),
            timeout=timeout,
            tries_max=tries_max,
        )
        return [Receipt.of_json(each) for each in answer.json()["results"]]

    async def produce_bytes(
        self,
        topic: str,
        value: bytes,
        *,
        key: str | None = None,
        partition: int | None = None,
        content_type: str = "application/octet-stream",
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        acks: Literal["majority", "all"] | None = None,
        expected_offset: int | None = None,
        timeout: float = CALL_TIMEOUT,
        tries_max: int | None = None,
    ) -> Receipt:
        """The same for one record that is these bytes."""
        answer = await self._brokers.request(
            "POST",
            f"{_path(topic)}/records",
            query={"key": key, "partition": partition, "acks": acks},
            headers={
                **{f"record-header-{name}": text for name, text in (headers or {}).items()},
                **_produce_headers(idempotency_key, expected_offset),
                "content-type": content_type,
            },
            content=value,
            timeout=timeout,
            tries_max=tries_max,
        )
        return Receipt.of_json(answer.json())

    async def read_bytes(
        self,
        topic: str,
        partition: int,
        offset: int,
        *,
        read_after: Sequence[Receipt] = (),
        timeout: float = CALL_TIMEOUT,
    ) -> bytes:
        """The value of one record as the bytes that it is; a tombstone has none. `read_after`: see `read_page`."""
        path = f"{_path(topic)}/partitions/{partition}/records/{offset}"
        answer = await self._brokers.request("GET", path, headers=_read_headers(read_after), timeout=timeout)
        return answer.content

    async def read_page(
        self,
        topic: str,
        *,
        start: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        read_after: Sequence[Receipt] = (),
        timeout: float = CALL_TIMEOUT,
    ) -> Page:
        """
        Some records of all partitions, from `start` (the earliest) or from the cursor of the page before; 100, or `limit` up
        to 1,000. `read_after`: receipts of records that the answer must know of, on whatever broker.
        """
        query: Query = {"from": start, "cursor": cursor, "limit": limit}
        path, headers = f"{_path(topic)}/records", _read_headers(read_after)
        answer = await self._brokers.request("GET", path, query=query, headers=headers, timeout=timeout)
        return Page.of_json(answer.json())

    async def stream(
        self,
        topic: str,
        *,
        start: str = "earliest",
        partition: int | None = None,
        follow: bool = False,
        read_after: Sequence[Receipt] = (),
        timeout: float = CALL_TIMEOUT,
    ) -> AsyncIterator[Record]:
        """
        What is there now, or with `follow` also what comes, over one HTTP connection; the broker is held back while the loop is
        busy. It does not go on by itself when the connection breaks (NoAnswer): `subscribe` does. `timeout`: until it begins.
        """
        response = await self._brokers.request(
            "GET",
            f"{_path(topic)}/stream",
            query={"from": start, "partition": partition, "follow": "true" if follow else "false"},
            headers=_read_headers(read_after),
            timeout=timeout,
            is_stream=True,
        )
        try:
            async for line in _lines(response):
                said = json.loads(line)
                if "offset" not in said:
                    raise SynodProblem(said["problem"])
                yield Record.of_json(said)
        except httpx.TransportError as cause:
            raise NoAnswer("The stream broke.", was_sent=True) from cause
        finally:
            await response.aclose()

    def subscribe(
        self,
        topic: str,
        *,
        start: Start = "earliest",
        partitions: list[int] | None = None,
        credit: Credit | None = None,
    ) -> Subscription:
        """
        The records of the topic, for as long as one likes: see Subscription. `start`: 'earliest', 'latest', '-10',
        'time:2026-01-31T12:00:00Z', or the next offset of each partition, {0: 17, 1: 12}.
        """
        # With a place of its own among the brokers: where it goes on says nothing about calls.
        brokers = Brokers(self._brokers.urls, self._http, self._try_timeout)
        return Subscription(brokers, topic, start=start, partitions=partitions, credit=credit)

    async def get(self, path: str, *, timeout: float = CALL_TIMEOUT) -> Any:
        """Any other call that only reads, answered by any broker."""
        return (await self._brokers.request("GET", path, timeout=timeout)).json()


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """Not httpx's own: it also ends lines at characters that may stand in a text."""
    # A long line comes in many pieces; they are joined once.
    pieces: list[bytes] = []
    async for chunk in response.aiter_bytes():
        rest, *more = chunk.split(b"\n")
        pieces.append(rest)
        for piece in more:
            line = b"".join(pieces)
            pieces = [piece]
            if line:
                yield line
    if last := b"".join(pieces):
        yield last


def _path(topic: str) -> str:
    return f"/v1/topics/{quote(topic, safe='')}"


def _produce_headers(idempotency_key: str | None, expected_offset: int | None) -> dict[str, str]:
    headers = {"idempotency-key": idempotency_key or secrets.token_hex(16)}
    if expected_offset is not None:
        headers["expected-offset"] = str(expected_offset)
    return headers


def _read_headers(read_after: Sequence[Receipt]) -> dict[str, str]:
    return {"read-after": places_of(read_after)} if read_after else {}
