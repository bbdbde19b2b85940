from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.pong_frame_type import PongFrameType
from ..types import UNSET, Unset

T = TypeVar("T", bound="PongFrame")


@_attrs_define
class PongFrame:
    """
    Attributes:
        type_ (PongFrameType):
        id (str | Unset): The client’s own name for this request; the answer has it too.
    """

    type_: PongFrameType
    id: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_.value

        id = self.id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "type": type_,
            }
        )
        if id is not UNSET:
            field_dict["id"] = id

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        type_ = PongFrameType(d.pop("type"))

        id = d.pop("id", UNSET)

        pong_frame = cls(
            type_=type_,
            id=id,
        )

        return pong_frame
