from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.binary_record_form import BinaryRecordForm
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.binary_record_headers import BinaryRecordHeaders


T = TypeVar("T", bound="BinaryRecord")


@_attrs_define
class BinaryRecord:
    """A record whose value follows the header.

    Attributes:
        offset (int): The number of a record in its partition, from 0, without gaps.
        partition (int): The number of a partition, from 0.
        timestamp (datetime.datetime): The producer’s own time if it gave one, else when the record was appended.
            Example: 2026-01-31 12:00:00+00:00.
        topic (str): The name of a topic. Example: orders.
        content_type (str | Unset): As the producer named it.
        form (BinaryRecordForm | Unset): What the value is; bytes if left out.
        headers (BinaryRecordHeaders | Unset): Names in lower case. Example: {'trace': 'abc'}.
        key (str | Unset):
        size (int | Unset): Bytes of the value, which follows the header; a tombstone has none.
    """

    offset: int
    partition: int
    timestamp: datetime.datetime
    topic: str
    content_type: str | Unset = UNSET
    form: BinaryRecordForm | Unset = UNSET
    headers: BinaryRecordHeaders | Unset = UNSET
    key: str | Unset = UNSET
    size: int | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        offset = self.offset

        partition = self.partition

        timestamp = self.timestamp.isoformat()

        topic = self.topic

        content_type = self.content_type

        form: str | Unset = UNSET
        if not isinstance(self.form, Unset):
            form = self.form.value

        headers: dict[str, Any] | Unset = UNSET
        if not isinstance(self.headers, Unset):
            headers = self.headers.to_dict()

        key = self.key

        size = self.size

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "offset": offset,
                "partition": partition,
                "timestamp": timestamp,
                "topic": topic,
            }
        )
        if content_type is not UNSET:
            field_dict["contentType"] = content_type
        if form is not UNSET:
            field_dict["form"] = form
        if headers is not UNSET:
            field_dict["headers"] = headers
        if key is not UNSET:
            field_dict["key"] = key
        if size is not UNSET:
            field_dict["size"] = size

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.binary_record_headers import BinaryRecordHeaders

        d = dict(src_dict)
        offset = d.pop("offset")

        partition = d.pop("partition")

        timestamp = datetime.datetime.fromisoformat(d.pop("timestamp"))

        topic = d.pop("topic")

        content_type = d.pop("contentType", UNSET)

        _form = d.pop("form", UNSET)
        form: BinaryRecordForm | Unset
        if isinstance(_form, Unset):
            form = UNSET
        else:
            form = BinaryRecordForm(_form)

        _headers = d.pop("headers", UNSET)
        headers: BinaryRecordHeaders | Unset
        if isinstance(_headers, Unset):
            headers = UNSET
        else:
            headers = BinaryRecordHeaders.from_dict(_headers)

        key = d.pop("key", UNSET)

        size = d.pop("size", UNSET)

        binary_record = cls(
            offset=offset,
            partition=partition,
            timestamp=timestamp,
            topic=topic,
            content_type=content_type,
            form=form,
            headers=headers,
            key=key,
            size=size,
        )

        return binary_record
