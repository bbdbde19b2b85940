from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.binary_record_input_form import BinaryRecordInputForm
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.binary_record_input_headers import BinaryRecordInputHeaders


T = TypeVar("T", bound="BinaryRecordInput")


@_attrs_define
class BinaryRecordInput:
    """A record whose value follows the header.

    Attributes:
        form (BinaryRecordInputForm | Unset): What the value is; bytes if left out.
        headers (BinaryRecordInputHeaders | Unset): Names in lower case. Example: {'trace': 'abc'}.
        key (str | Unset): Records of one key are in one partition, in order.
        partition (int | Unset): The number of a partition, from 0.
        size (int | Unset): Bytes of the value, which follows the header; a tombstone has none.
        timestamp (datetime.datetime | Unset): The producer’s own time; only shown. Example: 2026-01-31 12:00:00+00:00.
    """

    form: BinaryRecordInputForm | Unset = UNSET
    headers: BinaryRecordInputHeaders | Unset = UNSET
    key: str | Unset = UNSET
    partition: int | Unset = UNSET
    size: int | Unset = UNSET
    timestamp: datetime.datetime | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        form: str | Unset = UNSET
        if not isinstance(self.form, Unset):
            form = self.form.value

        headers: dict[str, Any] | Unset = UNSET
        if not isinstance(self.headers, Unset):
            headers = self.headers.to_dict()

        key = self.key

        partition = self.partition

        size = self.size

        timestamp: str | Unset = UNSET
        if not isinstance(self.timestamp, Unset):
            timestamp = self.timestamp.isoformat()

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if form is not UNSET:
            field_dict["form"] = form
        if headers is not UNSET:
            field_dict["headers"] = headers
        if key is not UNSET:
            field_dict["key"] = key
        if partition is not UNSET:
            field_dict["partition"] = partition
        if size is not UNSET:
            field_dict["size"] = size
        if timestamp is not UNSET:
            field_dict["timestamp"] = timestamp

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.binary_record_input_headers import BinaryRecordInputHeaders

        d = dict(src_dict)
        _form = d.pop("form", UNSET)
        form: BinaryRecordInputForm | Unset
        if isinstance(_form, Unset):
            form = UNSET
        else:
            form = BinaryRecordInputForm(_form)

        _headers = d.pop("headers", UNSET)
        headers: BinaryRecordInputHeaders | Unset
        if isinstance(_headers, Unset):
            headers = UNSET
        else:
            headers = BinaryRecordInputHeaders.from_dict(_headers)

        key = d.pop("key", UNSET)

        partition = d.pop("partition", UNSET)

        size = d.pop("size", UNSET)

        _timestamp = d.pop("timestamp", UNSET)
        timestamp: datetime.datetime | Unset
        if isinstance(_timestamp, Unset):
            timestamp = UNSET
        else:
            timestamp = datetime.datetime.fromisoformat(_timestamp)

        binary_record_input = cls(
            form=form,
            headers=headers,
            key=key,
            partition=partition,
            size=size,
            timestamp=timestamp,
        )

        return binary_record_input
