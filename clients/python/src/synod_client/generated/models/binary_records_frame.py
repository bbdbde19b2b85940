from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.records_frame_type import RecordsFrameType

if TYPE_CHECKING:
    from ..models.record import Record


T = TypeVar("T", bound="BinaryRecordsFrame")


@_attrs_define
class BinaryRecordsFrame:
    """`records` in synod.v1.bin.

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
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

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
        field_dict.update(self.additional_properties)
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

        binary_records_frame = cls(
            cursor=cursor,
            epoch=epoch,
            records=records,
            sid=sid,
            type_=type_,
        )

        binary_records_frame.additional_properties = d
        return binary_records_frame

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
