from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.seek_frame_type import SeekFrameType
from ..types import UNSET, Unset

T = TypeVar("T", bound="SeekFrame")


@_attrs_define
class SeekFrame:
    """Goes on at another place, in a new epoch, with the credit that is left.

    Attributes:
        id (str): The client’s own name for this request; the answer has it too.
        sid (str): The client’s own name for a subscription of this socket. Example: a.
        type_ (SeekFrameType):
        cursor (str | Unset): The place where this read ended: go on with `from=cursor:…`. At most 8 KiB.
        from_ (str | Unset): Where to start, as in the query of a stream; `latest` if neither this nor a cursor is
            given.
    """

    id: str
    sid: str
    type_: SeekFrameType
    cursor: str | Unset = UNSET
    from_: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        sid = self.sid

        type_ = self.type_.value

        cursor = self.cursor

        from_ = self.from_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "sid": sid,
                "type": type_,
            }
        )
        if cursor is not UNSET:
            field_dict["cursor"] = cursor
        if from_ is not UNSET:
            field_dict["from"] = from_

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = d.pop("id")

        sid = d.pop("sid")

        type_ = SeekFrameType(d.pop("type"))

        cursor = d.pop("cursor", UNSET)

        from_ = d.pop("from", UNSET)

        seek_frame = cls(
            id=id,
            sid=sid,
            type_=type_,
            cursor=cursor,
            from_=from_,
        )

        return seek_frame
