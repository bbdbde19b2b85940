"""What brokers refuse, as typed errors."""

from collections.abc import Awaitable

from talk import ask, same

from synod_client import NewRecord, SynodClient, SynodProblem

TOPIC = "errors"
RECORD_BYTES_MAX = 1_048_576


async def not_found(client: SynodClient) -> None:
    problem = await _problem_of(client.get("/v1/topics/nowhere"))
    same((problem.status, problem.code), (404, "topic-not-found"))
    assert problem.hint


async def conflict(client: SynodClient) -> None:
    await client.create_topic(TOPIC, partitions=1)
    problem = await _problem_of(client.create_topic(TOPIC, partitions=2))
    same((problem.status, problem.code), (409, "topic-config-differs"))
    problem = await _problem_of(client.produce(TOPIC, [NewRecord.text("x", partition=0)], expected_offset=5))
    same((problem.status, problem.code), (412, "offset-mismatch"))


async def too_large(client: SynodClient) -> None:
    problem = await _problem_of(client.produce_bytes(TOPIC, bytes(RECORD_BYTES_MAX + 1)))
    same((problem.status, problem.code, problem.side_effects_possible), (413, "record-too-large", False))


async def unavailable(urls: list[str]) -> None:
    topic, key, records = "unavailable", "unavailable-1", [NewRecord.text("once")]
    async with SynodClient(urls) as client, SynodClient(urls[0]) as lonely:
        await client.create_topic(topic, partitions=1)
        await ask("stop-majority")
        problem = await _problem_of(
            lonely.produce(topic, records, idempotency_key=key, tries_max=1, timeout=5)
        )
        same((problem.status, problem.side_effects_possible, problem.retryable), (503, False, True))
        assert problem.code in ("no-quorum", "no-leader"), problem.code
        assert problem.retry_after, "It says when to try again."
        await ask("start-all")
        (receipt,) = await client.produce(topic, records, idempotency_key=key)
        same(receipt.offset, 0)
        (again,) = await client.produce(topic, records, idempotency_key=key)
        same((again.offset, again.duplicate), (0, True))
        page = await client.read_page(topic, read_after=[receipt])
        same([record.value for record in page.records], ["once"])


async def _problem_of(call: Awaitable[object]) -> SynodProblem:
    try:
        await call
    except SynodProblem as problem:
        return problem
    raise AssertionError("It did not fail.")
