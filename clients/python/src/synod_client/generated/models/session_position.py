from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="SessionPosition")


@_attrs_define
class SessionPosition:
    """
    Attributes:
        next_offset (int): The offset of the next record.
        partition (int): The number of a partition, from 0.
    """

    next_offset: int
    partition: int

    def to_dict(self) -> dict[str, Any]:
        next_offset = self.next_offset

        partition = self.partition

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "nextOffset": next_offset,
                "partition": partition,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        next_offset = d.pop("nextOffset")

        partition = d.pop("partition")

        session_position = cls(
            next_offset=next_offset,
            partition=partition,
        )

        return session_position
