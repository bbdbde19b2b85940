from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.credit_frame_type import CreditFrameType

T = TypeVar("T", bound="CreditFrame")


@_attrs_define
class CreditFrame:
    """Adds to what may be sent. Of no effect on a subscription that has ended.

    Attributes:
        bytes_ (int): Bytes of keys and values that may be sent besides.
        records (int): Records that may be sent besides.
        sid (str): The client’s own name for a subscription of this socket. Example: a.
        type_ (CreditFrameType):
    """

    bytes_: int
    records: int
    sid: str
    type_: CreditFrameType

    def to_dict(self) -> dict[str, Any]:
        bytes_ = self.bytes_

        records = self.records

        sid = self.sid

        type_ = self.type_.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "bytes": bytes_,
                "records": records,
                "sid": sid,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        bytes_ = d.pop("bytes")

        records = d.pop("records")

        sid = d.pop("sid")

        type_ = CreditFrameType(d.pop("type"))

        credit_frame = cls(
            bytes_=bytes_,
            records=records,
            sid=sid,
            type_=type_,
        )

        return credit_frame
