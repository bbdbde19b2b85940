"""What the script says to the runner, and what it asks of it."""

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


async def ask(event: str, **facts: Any) -> None:
    """Returns when it is done."""
    _say({"event": event, **facts})
    answer = (await asyncio.to_thread(sys.stdin.readline)).strip()
    if answer != "done":
        raise RuntimeError(f"The answer to {event} is '{answer}'.")


async def report(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Runs a case and says how it went."""
    try:
        await run()
    except Exception as error:
        traceback.print_exc()
        _say({"case": name, "ok": False, "detail": f"{type(error).__name__}: {error}"})
    else:
        _say({"case": name, "ok": True})


def same(actual: object, expected: object) -> None:
    if actual != expected:
        raise AssertionError(f"{actual!r} is not {expected!r}")
