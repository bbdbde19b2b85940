from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.record_input_headers import RecordInputHeaders


T = TypeVar("T", bound="RecordInput")


@_attrs_define
class RecordInput:
    """At most one of value, text and base64; with none of them it is a tombstone.

    Attributes:
        base64 (str | Unset): Instead of `value`: any bytes, in base64.
        headers (RecordInputHeaders | Unset): Names in lower case. Example: {'trace': 'abc'}.
        key (str | Unset): Records of one key are in one partition, in order.
        partition (int | Unset): The number of a partition, from 0.
        text (str | Unset): Instead of `value`: a text.
        timestamp (datetime.datetime | Unset): The producer’s own time; only shown. Example: 2026-01-31 12:00:00+00:00.
        value (Any | Unset): Any JSON; kept byte for byte.
    """

    base64: str | Unset = UNSET
    headers: RecordInputHeaders | Unset = UNSET
    key: str | Unset = UNSET
    partition: int | Unset = UNSET
    text: str | Unset = UNSET
    timestamp: datetime.datetime | Unset = UNSET
    value: Any | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        base64 = self.base64

        headers: dict[str, Any] | Unset = UNSET
        if not isinstance(self.headers, Unset):
            headers = self.headers.to_dict()

        key = self.key

        partition = self.partition

        text = self.text

        timestamp: str | Unset = UNSET
        if not isinstance(self.timestamp, Unset):
            timestamp = self.timestamp.isoformat()

        value = self.value

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if base64 is not UNSET:
            field_dict["base64"] = base64
        if headers is not UNSET:
            field_dict["headers"] = headers
        if key is not UNSET:
            field_dict["key"] = key
        if partition is not UNSET:
            field_dict["partition"] = partition
        if text is not UNSET:
            field_dict["text"] = text
        if timestamp is not UNSET:
            field_dict["timestamp"] = timestamp
        if value is not UNSET:
            field_dict["value"] = value

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.record_input_headers import RecordInputHeaders

        d = dict(src_dict)
        base64 = d.pop("base64", UNSET)

        _headers = d.pop("headers", UNSET)
        headers: RecordInputHeaders | Unset
        if isinstance(_headers, Unset):
            headers = UNSET
        else:
            headers = RecordInputHeaders.from_dict(_headers)

        key = d.pop("key", UNSET)

        partition = d.pop("partition", UNSET)

        text = d.pop("text", UNSET)

        _timestamp = d.pop("timestamp", UNSET)
        timestamp: datetime.datetime | Unset
        if isinstance(_timestamp, Unset):
            timestamp = UNSET
        else:
            timestamp = datetime.datetime.fromisoformat(_timestamp)

        value = d.pop("value", UNSET)

        record_input = cls(
            base64=base64,
            headers=headers,
            key=key,
            partition=partition,
            text=text,
            timestamp=timestamp,
            value=value,
        )

        return record_input
