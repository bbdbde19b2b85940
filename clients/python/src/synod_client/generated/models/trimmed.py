from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Trimmed")


@_attrs_define
class Trimmed:
    """
    Attributes:
        log_start (int): The first offset that is still there.
        partition (int): The number of a partition, from 0.
        topic (str): The name of a topic. Example: orders.
    """

    log_start: int
    partition: int
    topic: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        log_start = self.log_start

        partition = self.partition

        topic = self.topic

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "logStart": log_start,
                "partition": partition,
                "topic": topic,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        log_start = d.pop("logStart")

        partition = d.pop("partition")

        topic = d.pop("topic")

        trimmed = cls(
            log_start=log_start,
            partition=partition,
            topic=topic,
        )

        trimmed.additional_properties = d
        return trimmed

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
