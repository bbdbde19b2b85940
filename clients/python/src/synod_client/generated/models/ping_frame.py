from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.ping_frame_type import PingFrameType
from ..types import UNSET, Unset

T = TypeVar("T", bound="PingFrame")


@_attrs_define
class PingFrame:
    """Asks for a `pong`; browsers cannot send pings of the protocol.

    Attributes:
        type_ (PingFrameType):
        id (str | Unset): The client’s own name for this request; the answer has it too.
    """

    type_: PingFrameType
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
        type_ = PingFrameType(d.pop("type"))

        id = d.pop("id", UNSET)

        ping_frame = cls(
            type_=type_,
            id=id,
        )

        return ping_frame
