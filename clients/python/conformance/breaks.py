"""The leader is killed while one side writes and the other reads."""

import asyncio

from talk import ask, same

from synod_client import NewRecord, SynodClient

TOPIC = "resumed"
COUNT = 500
KILL_AFTER = 200


async def resume(client: SynodClient) -> None:
    await client.create_topic(TOPIC, partitions=1)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(_read(client))
        for index in range(COUNT):
            if index == KILL_AFTER:
                await ask("kill-leader", topic=TOPIC, partition=0)
            (receipt,) = await client.produce(TOPIC, [NewRecord.json(index)])
            # A duplicate is a try after one that was stored and whose answer was lost; the offset shows that it is stored once.
            same(receipt.offset, index)
    same(reading.result(), [(index, index) for index in range(COUNT)])
    end = await client.get(f"/v1/topics/{TOPIC}/partitions/0/offsets?linearizable=true")
    same(end["latest"], COUNT)


async def _read(client: SynodClient) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    async with client.subscribe(TOPIC) as records:
        async for record in records:
            seen.append((record.offset, record.value))
            if len(seen) == COUNT:
                break
    return seen
