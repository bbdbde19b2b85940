from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="LeaderMove")


@_attrs_define
class LeaderMove:
    """
    Attributes:
        broker (str): The broker that is to lead; it holds a replica. Example: 2.
    """

    broker: str

    def to_dict(self) -> dict[str, Any]:
        broker = self.broker

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "broker": broker,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        broker = d.pop("broker")

        leader_move = cls(
            broker=broker,
        )

        return leader_move
