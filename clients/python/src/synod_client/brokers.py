"""Any broker takes any request, so a client asks one of them and goes on to the next when that does not help."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence

import httpx

from .problem import NoAnswer, SynodError, SynodProblem, problem_of

_BACKOFF_FIRST = 0.1
_BACKOFF_MAX = 5.0

Query = Mapping[str, str | int | None]


class Brokers:
    """The brokers of a cluster, or some of them."""

    def __init__(self, urls: str | Sequence[str], http: httpx.AsyncClient, try_timeout: float) -> None:
        """`try_timeout`: seconds for one try; longer than a broker takes to say that it does not know."""
        self._urls = [url.rstrip("/") for url in ([urls] if isinstance(urls, str) else urls)]
        if not self._urls:
            raise ValueError("A client needs the URL of at least one broker.")
        for url in self._urls:
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"'{url}' is not the URL of a broker, like http://localhost:8080.")
        self._http = http
        self._try_timeout = try_timeout
        self._at = 0

    @property
    def current(self) -> str:
        """The one that is asked next."""
        return self._urls[self._at]

    @property
    def urls(self) -> Sequence[str]:
        return self._urls

    def move_on(self) -> None:
        self._at = (self._at + 1) % len(self._urls)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout: float,
        tries_max: int | None = None,
        is_stream: bool = False,
    ) -> httpx.Response:
        """
        The answer of a broker, with a status below 400 and its body read. Every request must be such that sending it twice
        does no harm: it only reads, or sets, or has an idempotency key. `timeout`: seconds for all tries together. `is_stream`:
        the body is left to be read, and the answer to be closed.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        give_up_at = time.monotonic() + timeout
        may_have_happened = False
        failures = 0
        while True:
            try:
                left = max(0.001, min(self._try_timeout, give_up_at - time.monotonic()))
                url = self.current
                request = self._http.build_request(
                    method, url + path, params=given, headers=headers, content=content, timeout=None
                )
                return await self._once(request, url, left, is_stream)
            except SynodError as error:
                failures += 1
                may_have_happened = may_have_happened or _is_unclear(error)
                # Also before giving up: the next call is not to begin at a broker that did not help this one.
                if _is_worth_another(error):
                    self.move_on()
                wait = max(backoff(failures), _retry_after(error))
                is_over = failures == tries_max or time.monotonic() + wait > give_up_at
                if is_over or not _is_worth_another(error):
                    if may_have_happened and not _is_unclear(error):
                        raise _as_unclear(error) from error
                    raise
            await asyncio.sleep(wait)

    async def _once(
        self, request: httpx.Request, url: str, timeout: float, is_stream: bool
    ) -> httpx.Response:
        try:
            async with asyncio.timeout(timeout):
                response = await self._http.send(request, stream=is_stream)
                if response.status_code >= 400:
                    await response.aread()
        except (httpx.ConnectError, httpx.ConnectTimeout) as cause:
            raise NoAnswer(f"{url} cannot be reached.", was_sent=False) from cause
        except (httpx.TransportError, TimeoutError) as cause:
            raise NoAnswer(f"{url} did not answer.", was_sent=True) from cause
        if response.status_code >= 400:
            raise problem_of(response.status_code, response.content, str(response.url))
        return response


def _is_unclear(error: SynodError) -> bool:
    if isinstance(error, NoAnswer):
        return error.was_sent
    return not isinstance(error, SynodProblem) or error.side_effects_possible


def _is_worth_another(error: SynodError) -> bool:
    """Exactly when the brokers say so, or when nobody said anything: what is sent here does no harm when it comes twice."""
    if isinstance(error, SynodProblem):
        return error.retryable or error.code == "outcome-unknown"
    return isinstance(error, NoAnswer)


def _as_unclear(error: SynodError) -> SynodError:
    """What the last try says of itself does not hold for the tries before it."""
    if isinstance(error, SynodProblem):
        return SynodProblem({**error.members, "sideEffects": "possible"})
    return NoAnswer(str(error), was_sent=True)


def _retry_after(error: SynodError) -> float:
    wanted = error.retry_after if isinstance(error, SynodProblem) else None
    return min(wanted or 0.0, _BACKOFF_MAX)


def backoff(failures: int) -> float:
    """Seconds to wait after the n-th failure in a row, from 1: doubled each time, half of it by chance."""
    full = min(_BACKOFF_MAX, _BACKOFF_FIRST * 2.0 ** min(failures - 1, 10))
    return full / 2 + random.random() * full / 2
