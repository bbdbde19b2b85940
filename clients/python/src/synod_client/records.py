"""Records, as they are sent and as they are read."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

Form = Literal["json", "text", "bytes"]


@dataclass(frozen=True, slots=True)
class Record:
    """A record as a reader gets it."""

    topic: str
    partition: int
    offset: int
    """Dense within the partition, from 0."""
    timestamp: datetime
    form: Form | None
    """None: a tombstone, which has no value."""
    value: Any = None
    """What the JSON says, a str, or bytes, by its form."""
    key: str | None = None
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_tombstone(self) -> bool:
        return self.form is None

    @classmethod
    def of_head(cls, head: Mapping[str, Any], form: Form | None, value: Any) -> Self:
        """Of what stands beside the value."""
        return cls(
            topic=head["topic"],
            partition=head["partition"],
            offset=head["offset"],
            timestamp=datetime.fromisoformat(head["timestamp"]),
            form=form,
            value=value,
            key=head.get("key"),
            content_type=head.get("contentType"),
            headers=head.get("headers", {}),
        )

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> Self:
        """Of a record as it comes over HTTP."""
        if "value" in said:
            return cls.of_head(said, "json", said["value"])
        if "text" in said:
            return cls.of_head(said, "text", said["text"])
        if "base64" in said:
            return cls.of_head(said, "bytes", base64.b64decode(said["base64"]))
        return cls.of_head(said, None, None)


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to produce: made by `json`, `text`, `data` or `tombstone`."""

    members: Mapping[str, Any]
    """As it goes over HTTP."""

    @classmethod
    def json(cls, value: Any, **more: Any) -> Self:
        """Any JSON. `more`, here and below: `key`, `headers`, `partition`, and `timestamp`, which is only shown."""
        return cls({"value": value, **_common(**more)})

    @classmethod
    def text(cls, text: str, **more: Any) -> Self:
        return cls({"text": text, **_common(**more)})

    @classmethod
    def data(cls, data: bytes, **more: Any) -> Self:
        """Any bytes."""
        return cls({"base64": base64.b64encode(data).decode("ascii"), **_common(**more)})

    @classmethod
    def tombstone(cls, **more: Any) -> Self:
        """No value: what the key stood for is gone."""
        return cls(_common(**more))


def _common(
    *,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    partition: int | None = None,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    common = {
        "key": key,
        "headers": None if headers is None else dict(headers),
        "partition": partition,
        "timestamp": None if timestamp is None else timestamp.isoformat(),
    }
    return {name: value for name, value in common.items() if value is not None}


def batch_body(records: Sequence[NewRecord]) -> bytes:
    return json.dumps({"records": [record.members for record in records]}, allow_nan=False).encode()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a record is stored. It is on the disks of a majority."""

    topic: str
    partition: int
    offset: int | None
    """None for a duplicate so old that its place is no longer remembered."""
    timestamp: datetime
    duplicate: bool
    """It was stored before, by an earlier try."""

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> Self:
        return cls(
            topic=said["topic"],
            partition=said["partition"],
            offset=said.get("offset"),
            timestamp=datetime.fromisoformat(said["timestamp"]),
            duplicate=said["duplicate"],
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of all partitions."""

    records: Sequence[Record]
    cursor: str
    """Where the next page begins."""
    up_to_date: bool
    """There was nothing more to read."""

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> Self:
        records = [Record.of_json(each) for each in said["records"]]
        return cls(records=records, cursor=said["cursor"], up_to_date=said["upToDate"])


def places_of(receipts: Sequence[Receipt]) -> str:
    """What `Read-After` names, so that a read knows of these records on any broker."""
    last: dict[int, int] = {}
    for receipt in receipts:
        last[receipt.partition] = max(receipt.offset or 0, last.get(receipt.partition, 0))
    return ",".join(f"{partition}@{offset}" for partition, offset in last.items())
