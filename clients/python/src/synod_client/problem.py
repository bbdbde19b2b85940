"""What goes wrong, as exceptions."""

import json
from collections.abc import Mapping
from typing import Any


class SynodError(Exception):
    """All that this client raises by itself."""


class SynodProblem(SynodError):
    """A broker answered with an error (RFC 9457)."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.members = dict(members)
        """All that the broker said, facts such as `highWatermark` among it."""
        super().__init__(f"{self.code}: {self.detail} {self.hint}".strip())

    @property
    def code(self) -> str:
        """What went wrong, for programs."""
        return str(self.members["code"])

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.members.get("status", 500))

    @property
    def detail(self) -> str:
        """What went wrong this time."""
        return str(self.members.get("detail", ""))

    @property
    def hint(self) -> str:
        """What to try next."""
        return str(self.members.get("hint", ""))

    @property
    def retryable(self) -> bool:
        """Sending the same again may succeed and does no harm."""
        return self.members.get("retryable") is True

    @property
    def side_effects_possible(self) -> bool:
        """Something may have been stored or changed although the call failed."""
        return self.members.get("sideEffects") != "none"

    @property
    def retry_after(self) -> float | None:
        """Seconds after which trying again may help, if the broker says so."""
        ms = self.members.get("retryAfterMs")
        return None if ms is None else float(ms) / 1_000


class NoAnswer(SynodError):
    """No broker answered, or the connection broke before it had."""

    def __init__(self, message: str, *, was_sent: bool) -> None:
        self.was_sent = was_sent
        """The request may have reached a broker, so what it asked for may have been done."""
        super().__init__(message)


def problem_of(status: int, body: bytes, url: str) -> SynodProblem:
    """What a broker, or something between, answered with an error status."""
    try:
        members = json.loads(body)
        if isinstance(members, dict) and isinstance(members.get("code"), str):
            return SynodProblem(members)
    except ValueError:
        pass  # A proxy's page is no problem document; its status is all there is to know.
    return SynodProblem(
        {
            "code": "unexpected-answer",
            "status": status,
            "title": "Something else than a broker answered",
            "detail": f"{url} answered {status}.",
            "hint": "Check the address of the broker.",
            "retryable": status in (502, 503, 504),
            "sideEffects": "possible",
        }
    )


def is_passing(error: SynodError) -> bool:
    """A reader goes on at another broker after it; any other error will not pass by itself."""
    if isinstance(error, SynodProblem):
        return error.retryable or error.status >= 500
    return isinstance(error, NoAnswer)
