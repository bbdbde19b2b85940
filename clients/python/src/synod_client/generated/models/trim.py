from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Trim")


@_attrs_define
class Trim:
    """
    Attributes:
        before_offset (int): The first offset that is still to be shown; at most the high watermark.
    """

    before_offset: int

    def to_dict(self) -> dict[str, Any]:
        before_offset = self.before_offset

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "beforeOffset": before_offset,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        before_offset = d.pop("beforeOffset")

        trim = cls(
            before_offset=before_offset,
        )

        return trim
