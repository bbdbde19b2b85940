"""One WebSocket with one subscription."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from .frames import SUBPROTOCOL, OtherFrame, RecordsFrame, decode_frame, encode_frame
from .problem import NoAnswer, SynodError, SynodProblem, problem_of

_SID = "a"
_OPEN_TIMEOUT = 5.0
_PING_INTERVAL = 20.0
_MESSAGE_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Credit:
    """What the brokers may send before the loop has taken it: all that ever waits in the client."""

    records: int = 2_000
    bytes: int = 2 * 1024 * 1024
    """Of keys and values. A single record that is larger comes alone."""


class Session:
    """
    The socket, and the records that came over it and are not taken yet: never more than the credit. A task reads the
    socket all the time, so that pings are answered however slow the consumer is.
    """

    def __init__(
        self, socket: ClientConnection, credit: Credit, on_subscribed: Callable[[Mapping[str, Any]], None]
    ) -> None:
        self._socket = socket
        self._credit = credit
        self._on_subscribed = on_subscribed
        # Bounded by the credit, since nothing but frames of records and one error is put into it.
        self._waiting: asyncio.Queue[RecordsFrame | SynodError] = asyncio.Queue()
        self._taken_records = 0
        self._taken_bytes = 0
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(
        cls,
        url: str,
        subscribe: Mapping[str, Any],
        credit: Credit,
        on_subscribed: Callable[[Mapping[str, Any]], None],
    ) -> "Session":
        """Raises SynodProblem for a handshake that was refused, NoAnswer if there was none."""
        try:
            socket = await connect(
                url.replace("http", "ws", 1) + "/v1/ws",
                subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
                open_timeout=_OPEN_TIMEOUT,
                ping_interval=_PING_INTERVAL,
                ping_timeout=_PING_INTERVAL,
                close_timeout=1,
                max_size=_MESSAGE_BYTES_MAX,
                compression=None,
            )
        except InvalidStatus as refusal:
            raise problem_of(
                refusal.response.status_code, bytes(refusal.response.body or b""), url
            ) from refusal
        except (OSError, InvalidHandshake, WebSocketException, TimeoutError) as cause:
            raise NoAnswer(f"{url} cannot be reached: {cause}", was_sent=False) from cause
        session = cls(socket, credit, on_subscribed)
        granted = {"records": credit.records, "bytes": credit.bytes}
        try:
            await session._send(
                {"type": "subscribe", "id": _SID, "sid": _SID, "credit": granted, **subscribe}
            )
        except BaseException:
            await session.close()
            raise
        return session

    async def next(self) -> RecordsFrame:
        """The next frame of records. Raises how the session ended, after the records that came before that."""
        frame = await self._waiting.get()
        if isinstance(frame, SynodError):
            self._waiting.put_nowait(frame)
            raise frame
        return frame

    async def done(self, size: int) -> None:
        """The reader is done with a record that cost so much: as much more may come. Told in halves of the credit."""
        self._taken_records += 1
        self._taken_bytes += size
        if self._taken_records * 2 < self._credit.records and self._taken_bytes * 2 < self._credit.bytes:
            return
        grant = {"records": self._taken_records, "bytes": self._taken_bytes}
        self._taken_records = self._taken_bytes = 0
        await self._send({"type": "credit", "sid": _SID, **grant})

    async def close(self) -> None:
        self._reader.cancel()
        self._waiting.put_nowait(NoAnswer("The session was closed.", was_sent=True))
        await self._socket.close()

    async def _send(self, frame: Mapping[str, Any]) -> None:
        # That it is closed is said by the reader, after all that came before.
        with suppress(ConnectionClosed):
            await self._socket.send(encode_frame(frame))

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if isinstance(message, str):
                    raise TypeError("A text message came.")
                frame = decode_frame(message)
                if isinstance(frame, RecordsFrame):
                    self._waiting.put_nowait(frame)
                elif (end := self._on(frame)) is not None:
                    return self._waiting.put_nowait(end)
            # An orderly close.
            self._waiting.put_nowait(self._end_of_socket())
        except ConnectionClosed:
            self._waiting.put_nowait(self._end_of_socket())
        except (ValueError, KeyError, TypeError) as error:
            # What is no frame comes from something between, or from a broker that is broken.
            self._waiting.put_nowait(NoAnswer(f"What came is no frame: {error}", was_sent=True))

    def _on(self, frame: OtherFrame) -> SynodError | None:
        """What ends the session, if the frame does."""
        match frame.type:
            case "subscribed":
                self._on_subscribed(frame.members)
            case "moving":
                return NoAnswer("The broker stops.", was_sent=True)
            case "error":
                return SynodProblem(frame.members["problem"])
            case "reset":
                return _trimmed(frame.members["lost"])
        return None

    def _end_of_socket(self) -> SynodError:
        code, reason = self._socket.close_code, self._socket.close_reason
        sentence = f"The session ended with {code} {reason}".strip() + "."
        # With these a broker says that it makes no sense to come again.
        if code is not None and 4500 <= code <= 4599:
            return SynodError(sentence)
        return NoAnswer(sentence, was_sent=True)


def _trimmed(lost_count: int) -> SynodProblem:
    return SynodProblem(
        {
            "code": "offset-trimmed",
            "status": 410,
            "title": "The records are no longer there",
            "detail": f"{lost_count} records that come next are trimmed.",
            "hint": "Subscribe again from the earliest record.",
            "retryable": False,
            "sideEffects": "none",
            "lost": lost_count,
        }
    )
