from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.record_headers import RecordHeaders


T = TypeVar("T", bound="Record")


@_attrs_define
class Record:
    """A tombstone has none of value, text and base64.

    Attributes:
        offset (int): The number of a record in its partition, from 0, without gaps.
        partition (int): The number of a partition, from 0.
        timestamp (datetime.datetime): The producer’s own time if it gave one, else when the record was appended.
            Example: 2026-01-31 12:00:00+00:00.
        topic (str): The name of a topic. Example: orders.
        base64 (str | Unset): The value, if it is neither.
        content_type (str | Unset): As the producer named it.
        headers (RecordHeaders | Unset): Names in lower case. Example: {'trace': 'abc'}.
        key (str | Unset):
        text (str | Unset): The value, if it is a text.
        value (Any | Unset): The value, if it was produced as JSON.
    """

    offset: int
    partition: int
    timestamp: datetime.datetime
    topic: str
    base64: str | Unset = UNSET
    content_type: str | Unset = UNSET
    headers: RecordHeaders | Unset = UNSET
    key: str | Unset = UNSET
    text: str | Unset = UNSET
    value: Any | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        offset = self.offset

        partition = self.partition

        timestamp = self.timestamp.isoformat()

        topic = self.topic

        base64 = self.base64

        content_type = self.content_type

        headers: dict[str, Any] | Unset = UNSET
        if not isinstance(self.headers, Unset):
            headers = self.headers.to_dict()

        key = self.key

        text = self.text

        value = self.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "offset": offset,
                "partition": partition,
                "timestamp": timestamp,
                "topic": topic,
            }
        )
        if base64 is not UNSET:
            field_dict["base64"] = base64
        if content_type is not UNSET:
            field_dict["contentType"] = content_type
        if headers is not UNSET:
            field_dict["headers"] = headers
        if key is not UNSET:
            field_dict["key"] = key
        if text is not UNSET:
            field_dict["text"] = text
        if value is not UNSET:
            field_dict["value"] = value

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.record_headers import RecordHeaders

        d = dict(src_dict)
        offset = d.pop("offset")

        partition = d.pop("partition")

        timestamp = datetime.datetime.fromisoformat(d.pop("timestamp"))

        topic = d.pop("topic")

        base64 = d.pop("base64", UNSET)

        content_type = d.pop("contentType", UNSET)

        _headers = d.pop("headers", UNSET)
        headers: RecordHeaders | Unset
        if isinstance(_headers, Unset):
            headers = UNSET
        else:
            headers = RecordHeaders.from_dict(_headers)

        key = d.pop("key", UNSET)

        text = d.pop("text", UNSET)

        value = d.pop("value", UNSET)

        record = cls(
            offset=offset,
            partition=partition,
            timestamp=timestamp,
            topic=topic,
            base64=base64,
            content_type=content_type,
            headers=headers,
            key=key,
            text=text,
            value=value,
        )

        record.additional_properties = d
        return record

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
