"""Records as they are sent and as they come back, each way."""

import asyncio
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from talk import same

from synod_client import Credit, NewRecord, Receipt, Record, SynodClient
from synod_client.frames import RecordsFrame, decode_frame

TOPIC = "records"
PARTITIONS = 3
BATCH_COUNT = 100
PAGE = 30
CREDIT = Credit(records=10, bytes=10_000)


def _value(index: int) -> tuple[str | None, Any]:
    if index == 50:
        return None, None
    if index % 3 == 0:
        return "json", {"index": index, "nested": [None, True, "ß"]}
    # A line separator of Unicode is no end of a line of NDJSON.
    return ("text", f"text {index} \u2028 ✓") if index % 3 == 1 else ("bytes", bytes([index, 0, 255]))


def _new_record(index: int) -> NewRecord:
    common: dict[str, Any] = {"key": f"key-{index % 7}", "headers": {"index": str(index), "umlaut": "ü"}}
    match _value(index):
        case ("json", value):
            return NewRecord.json(value, **common)
        case ("text", text):
            return NewRecord.text(text, **common)
        case ("bytes", data):
            return NewRecord.data(data, **common)
    return NewRecord.tombstone(**common)


class RecordCases:
    def __init__(self, client: SynodClient) -> None:
        self._client = client
        self._receipts: Sequence[Receipt] = []

    async def create(self) -> None:
        await self._client.create_topic("created", partitions=PARTITIONS)
        await self._client.create_topic("created", partitions=PARTITIONS)
        topic = await self._client.get("/v1/topics/created")
        same((topic["name"], len(topic["partitions"])), ("created", PARTITIONS))

    async def raw_bytes(self) -> None:
        value = bytes(range(256))
        receipt = await self._client.produce_bytes("created", value, content_type="application/x-all-bytes")
        assert receipt.offset is not None
        read = await self._client.read_bytes(
            "created", receipt.partition, receipt.offset, read_after=[receipt]
        )
        same(read, value)
        async with self._client.subscribe("created") as records:
            async for record in records:
                same((record.content_type, record.value), ("application/x-all-bytes", value))
                break

    async def batch(self) -> None:
        await self._client.create_topic(TOPIC, partitions=PARTITIONS)
        self._receipts = await self._client.produce(
            TOPIC, [_new_record(index) for index in range(BATCH_COUNT)]
        )
        same(len(self._receipts), BATCH_COUNT)
        # In their order: the offsets of each partition are those that come next.
        following: dict[int, int] = {}
        for receipt in self._receipts:
            due = following.get(receipt.partition, 0)
            # A part may be a duplicate: one that was stored when others first had no leader, and all were sent again.
            same((receipt.topic, receipt.offset), (TOPIC, due))
            following[receipt.partition] = due + 1

    async def page(self) -> None:
        seen: list[Record] = []
        cursor: str | None = None
        while True:
            page = await self._client.read_page(TOPIC, cursor=cursor, limit=PAGE, read_after=self._receipts)
            assert len(page.records) <= PAGE
            seen.extend(page.records)
            cursor = page.cursor
            if page.up_to_date:
                break
        self._assert_batch(seen)

    async def stream(self) -> None:
        self._assert_batch([record async for record in self._client.stream(TOPIC, read_after=self._receipts)])

    async def subscribe(self) -> None:
        """What came over the socket is counted apart from the client, so that it cannot flatter itself."""
        received_count = 0

        def counting(message: bytes) -> object:
            nonlocal received_count
            frame = decode_frame(message)
            if isinstance(frame, RecordsFrame):
                received_count += len(frame.records)
            return frame

        seen: list[Record] = []
        with patch("synod_client.session.decode_frame", counting):
            async with self._client.subscribe(TOPIC, credit=CREDIT) as records:
                async for record in records:
                    # Time for a broker to send more than it may.
                    await asyncio.sleep(0.003)
                    waiting = received_count - len(seen)
                    assert waiting <= CREDIT.records, f"{waiting} records wait."
                    seen.append(record)
                    if len(seen) == BATCH_COUNT:
                        break
        self._assert_batch(seen)

    def _assert_batch(self, seen: Sequence[Record]) -> None:
        """Each is where its receipt says and as it was sent, in order within its partition, and there is no other one."""
        same(len(seen), BATCH_COUNT)
        places = {(receipt.partition, receipt.offset): index for index, receipt in enumerate(self._receipts)}
        following: dict[int, int] = {}
        for record in seen:
            same(record.offset, following.get(record.partition, 0))
            following[record.partition] = record.offset + 1
            index = places[record.partition, record.offset]
            same((record.form, record.value), _value(index))
            same((record.key, record.is_tombstone), (f"key-{index % 7}", index == 50))
            same(record.headers, {"index": str(index), "umlaut": "ü"})
