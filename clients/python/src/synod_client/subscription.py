"""Reading a topic for as long as one likes, across broken connections."""

import asyncio
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from .brokers import Brokers, backoff
from .frames import RecordsFrame
from .problem import SynodError, is_passing
from .records import Record
from .session import Credit, Session

Start = str | Mapping[int, int]


class Subscription:
    """
    The records of a topic, each exactly once and in order within its partition: iterate over it with `async for`. When a
    connection breaks it goes on at another broker, at the very next offsets. Raises SynodProblem when there is nothing to go
    on with: the topic is not there or was made anew, the next record is trimmed, the request is wrong.

    `async with` lets the connection go when the loop is left.
    """

    def __init__(
        self,
        brokers: Brokers,
        topic: str,
        *,
        start: Start = "earliest",
        partitions: list[int] | None = None,
        credit: Credit | None = None,
    ) -> None:
        self._brokers = brokers
        self._topic = topic
        self._start = start
        self._partitions = partitions
        self._credit = credit or Credit()
        self._positions: dict[int, int] = {}
        self._cursor: str | None = None
        """The place after the last frame that was given out whole, or where the subscription began."""
        self._frame: RecordsFrame | None = None
        self._left: deque[tuple[Record, int]] = deque()
        self._size_given: int | None = None
        self._session: Session | None = None
        self._failures = 0
        self._is_closed = False

    @property
    def positions(self) -> Mapping[int, int]:
        """The next offset of each partition, after what was given out: keep it, and give it as `start`, to resume later."""
        return dict(self._positions)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Record:
        await self._grant()
        while not self._left:
            if self._frame is not None:
                self._cursor = self._frame.cursor
            self._frame = await self._next_frame()
            self._left.extend(zip(self._frame.records, self._frame.sizes, strict=True))
        record, self._size_given = self._left.popleft()
        due = self._positions.get(record.partition, record.offset)
        if record.offset != due:
            raise SynodError(
                f"Record {record.offset} of partition {record.partition} came, and {due} is due."
            )
        self._positions[record.partition] = record.offset + 1
        self._failures = 0
        return record

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the iteration, also one that waits in another task."""
        self._is_closed = True
        self._left.clear()
        await self._drop_session()

    async def _grant(self) -> None:
        """Whoever asks for the next record is done with the one before."""
        if self._size_given is not None and self._session is not None:
            await self._session.done(self._size_given)
        self._size_given = None

    async def _next_frame(self) -> RecordsFrame:
        """Over as many sessions as it takes."""
        while not self._is_closed:
            try:
                if self._session is None:
                    self._session = await self._open()
                return await self._session.next()
            except SynodError as error:
                await self._drop_session()
                if not is_passing(error):
                    raise
                if self._is_closed:
                    break
            self._brokers.move_on()
            self._failures += 1
            await asyncio.sleep(backoff(self._failures))
        raise StopAsyncIteration

    async def _open(self) -> Session:
        where: dict[str, Any] = {"topic": self._topic}
        if self._partitions is not None:
            where["partitions"] = self._partitions
        if self._cursor is None:
            where["from"] = _text_of(self._start)
        else:
            where["cursor"] = self._cursor
        return await Session.open(self._brokers.current, where, self._credit, self._begin)

    def _begin(self, subscribed: Mapping[str, Any]) -> None:
        """What 'latest' or a time means is settled once, so that it means the same after every break."""
        if self._cursor is not None:
            return
        self._cursor = subscribed["cursor"]
        for place in subscribed["positions"]:
            self._positions[place["partition"]] = place["nextOffset"]

    async def _drop_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _text_of(start: Start) -> str:
    if isinstance(start, str):
        return start
    return ",".join(f"{partition}@{offset}" for partition, offset in start.items()) or "earliest"
