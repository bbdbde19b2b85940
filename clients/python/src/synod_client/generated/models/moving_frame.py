from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.moving_frame_type import MovingFrameType

T = TypeVar("T", bound="MovingFrame")


@_attrs_define
class MovingFrame:
    """The broker stops: go on with the cursors on another one.

    Attributes:
        in_ms (int): When the broker closes the socket.
        type_ (MovingFrameType):
    """

    in_ms: int
    type_: MovingFrameType

    def to_dict(self) -> dict[str, Any]:
        in_ms = self.in_ms

        type_ = self.type_.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "inMs": in_ms,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        in_ms = d.pop("inMs")

        type_ = MovingFrameType(d.pop("type"))

        moving_frame = cls(
            in_ms=in_ms,
            type_=type_,
        )

        return moving_frame
