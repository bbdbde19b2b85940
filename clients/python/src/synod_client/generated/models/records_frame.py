from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.records_frame_type import RecordsFrameType

if TYPE_CHECKING:
    from ..models.record import Record


T = TypeVar("T", bound="RecordsFrame")


@_attrs_define
class RecordsFrame:
    """Records of one partition in the order of their offsets, none skipped or repeated in an epoch.

    Attributes:
        cursor (str): The place where this read ended: go on with `from=cursor:…`. At most 8 KiB.
        epoch (int): Begins at 0 and grows when the subscription begins anew at another place.
        records (list[Record]):
        sid (str): The client’s own name for a subscription of this socket. Example: a.
        type_ (RecordsFrameType):
    """

    cursor: str
    epoch: int
    records: list[Record]
    sid: str
    type_: RecordsFrameType

    def to_dict(self) -> dict[str, Any]:
        cursor = self.cursor

        epoch = self.epoch

        records = []
        for records_item_data in self.records:
            records_item = records_item_data.to_dict()
            records.append(records_item)

        sid = self.sid

        type_ = self.type_.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "cursor": cursor,
                "epoch": epoch,
                "records": records,
                "sid": sid,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.record import Record

        d = dict(src_dict)
        cursor = d.pop("cursor")

        epoch = d.pop("epoch")

        records = []
        _records = d.pop("records")
        for records_item_data in _records:
            records_item = Record.from_dict(records_item_data)

            records.append(records_item)

        sid = d.pop("sid")

        type_ = RecordsFrameType(d.pop("type"))

        records_frame = cls(
            cursor=cursor,
            epoch=epoch,
            records=records,
            sid=sid,
            type_=type_,
        )

        return records_frame
