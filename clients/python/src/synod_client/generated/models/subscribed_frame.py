from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.subscribed_frame_type import SubscribedFrameType

if TYPE_CHECKING:
    from ..models.session_position import SessionPosition


T = TypeVar("T", bound="SubscribedFrame")


@_attrs_define
class SubscribedFrame:
    """The start is fixed: records come from these positions.

    Attributes:
        cursor (str): The place where this read ended: go on with `from=cursor:…`. At most 8 KiB.
        epoch (int): Begins at 0 and grows when the subscription begins anew at another place.
        id (str): The client’s own name for this request; the answer has it too.
        positions (list[SessionPosition]):
        sid (str): The client’s own name for a subscription of this socket. Example: a.
        type_ (SubscribedFrameType):
    """

    cursor: str
    epoch: int
    id: str
    positions: list[SessionPosition]
    sid: str
    type_: SubscribedFrameType

    def to_dict(self) -> dict[str, Any]:
        cursor = self.cursor

        epoch = self.epoch

        id = self.id

        positions = []
        for positions_item_data in self.positions:
            positions_item = positions_item_data.to_dict()
            positions.append(positions_item)

        sid = self.sid

        type_ = self.type_.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "cursor": cursor,
                "epoch": epoch,
                "id": id,
                "positions": positions,
                "sid": sid,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.session_position import SessionPosition

        d = dict(src_dict)
        cursor = d.pop("cursor")

        epoch = d.pop("epoch")

        id = d.pop("id")

        positions = []
        _positions = d.pop("positions")
        for positions_item_data in _positions:
            positions_item = SessionPosition.from_dict(positions_item_data)

            positions.append(positions_item)

        sid = d.pop("sid")

        type_ = SubscribedFrameType(d.pop("type"))

        subscribed_frame = cls(
            cursor=cursor,
            epoch=epoch,
            id=id,
            positions=positions,
            sid=sid,
            type_=type_,
        )

        return subscribed_frame
