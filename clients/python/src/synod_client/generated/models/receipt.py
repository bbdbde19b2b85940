from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Receipt")


@_attrs_define
class Receipt:
    """
    Attributes:
        duplicate (bool): Stored already by an earlier try.
        partition (int): The number of a partition, from 0.
        timestamp (datetime.datetime): The time that readers see. Example: 2026-01-31 12:00:00+00:00.
        topic (str): The name of a topic. Example: orders.
        offset (int | Unset): Left out for a duplicate so old that its place is no longer remembered.
    """

    duplicate: bool
    partition: int
    timestamp: datetime.datetime
    topic: str
    offset: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        duplicate = self.duplicate

        partition = self.partition

        timestamp = self.timestamp.isoformat()

        topic = self.topic

        offset = self.offset

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "duplicate": duplicate,
                "partition": partition,
                "timestamp": timestamp,
                "topic": topic,
            }
        )
        if offset is not UNSET:
            field_dict["offset"] = offset

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        duplicate = d.pop("duplicate")

        partition = d.pop("partition")

        timestamp = datetime.datetime.fromisoformat(d.pop("timestamp"))

        topic = d.pop("topic")

        offset = d.pop("offset", UNSET)

        receipt = cls(
            duplicate=duplicate,
            partition=partition,
            timestamp=timestamp,
            topic=topic,
            offset=offset,
        )

        receipt.additional_properties = d
        return receipt

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
