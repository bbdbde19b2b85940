from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Offsets")


@_attrs_define
class Offsets:
    """
    Attributes:
        earliest (int): The first offset that is still there.
        latest (int): The offset that the next record gets.
        partition (int): The number of a partition, from 0.
        topic (str): The name of a topic. Example: orders.
        offset (int | Unset): The offset that `at` means; left out without `at`.
    """

    earliest: int
    latest: int
    partition: int
    topic: str
    offset: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        earliest = self.earliest

        latest = self.latest

        partition = self.partition

        topic = self.topic

        offset = self.offset

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "earliest": earliest,
                "latest": latest,
                "partition": partition,
                "topic": topic,
            }
        )
        if offset is not UNSET:
            field_dict["offset"] = offset

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        earliest = d.pop("earliest")

        latest = d.pop("latest")

        partition = d.pop("partition")

        topic = d.pop("topic")

        offset = d.pop("offset", UNSET)

        offsets = cls(
            earliest=earliest,
            latest=latest,
            partition=partition,
            topic=topic,
            offset=offset,
        )

        offsets.additional_properties = d
        return offsets

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
