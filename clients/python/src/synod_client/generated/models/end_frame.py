from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.end_frame_type import EndFrameType

T = TypeVar("T", bound="EndFrame")


@_attrs_define
class EndFrame:
    """The subscription has ended as asked; no frame of it follows.

    Attributes:
        id (str): The client’s own name for this request; the answer has it too.
        sid (str): The client’s own name for a subscription of this socket. Example: a.
        type_ (EndFrameType):
    """

    id: str
    sid: str
    type_: EndFrameType

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        sid = self.sid

        type_ = self.type_.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "sid": sid,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = d.pop("id")

        sid = d.pop("sid")

        type_ = EndFrameType(d.pop("type"))

        end_frame = cls(
            id=id,
            sid=sid,
            type_=type_,
        )

        return end_frame
