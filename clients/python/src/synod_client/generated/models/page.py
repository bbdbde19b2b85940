from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.record import Record


T = TypeVar("T", bound="Page")


@_attrs_define
class Page:
    """
    Attributes:
        cursor (str): The place where this read ended: go on with `from=cursor:…`. At most 8 KiB.
        next_offset (int): Where the next page begins.
        records (list[Record]):
        up_to_date (bool): There was nothing more to read.
        high_watermark (int | Unset): The first offset that is not yet readable; left out of a page that never changes.
        log_start (int | Unset): The first offset that is still there; left out of a page that never changes.
    """

    cursor: str
    next_offset: int
    records: list[Record]
    up_to_date: bool
    high_watermark: int | Unset = UNSET
    log_start: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        cursor = self.cursor

        next_offset = self.next_offset

        records = []
        for records_item_data in self.records:
            records_item = records_item_data.to_dict()
            records.append(records_item)

        up_to_date = self.up_to_date

        high_watermark = self.high_watermark

        log_start = self.log_start

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "cursor": cursor,
                "nextOffset": next_offset,
                "records": records,
                "upToDate": up_to_date,
            }
        )
        if high_watermark is not UNSET:
            field_dict["highWatermark"] = high_watermark
        if log_start is not UNSET:
            field_dict["logStart"] = log_start

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.record import Record

        d = dict(src_dict)
        cursor = d.pop("cursor")

        next_offset = d.pop("nextOffset")

        records = []
        _records = d.pop("records")
        for records_item_data in _records:
            records_item = Record.from_dict(records_item_data)

            records.append(records_item)

        up_to_date = d.pop("upToDate")

        high_watermark = d.pop("highWatermark", UNSET)

        log_start = d.pop("logStart", UNSET)

        page = cls(
            cursor=cursor,
            next_offset=next_offset,
            records=records,
            up_to_date=up_to_date,
            high_watermark=high_watermark,
            log_start=log_start,
        )

        page.additional_properties = d
        return page

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
