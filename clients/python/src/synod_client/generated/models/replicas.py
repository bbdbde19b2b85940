from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="Replicas")


@_attrs_define
class Replicas:
    """
    Attributes:
        brokers (list[str]): The brokers that are to hold the partition, the preferred leader first.
    """

    brokers: list[str]

    def to_dict(self) -> dict[str, Any]:
        brokers = self.brokers

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "brokers": brokers,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        brokers = cast(list[str], d.pop("brokers"))

        replicas = cls(
            brokers=brokers,
        )

        return replicas
