from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="SubscriptionStateCreditLeft")


@_attrs_define
class SubscriptionStateCreditLeft:
    """
    Attributes:
        bytes_ (int): Below 0 after a record that was larger than what was left: grants pay for it first.
        records (int): Records that may still be sent.
    """

    bytes_: int
    records: int

    def to_dict(self) -> dict[str, Any]:
        bytes_ = self.bytes_

        records = self.records

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "bytes": bytes_,
                "records": records,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        bytes_ = d.pop("bytes")

        records = d.pop("records")

        subscription_state_credit_left = cls(
            bytes_=bytes_,
            records=records,
        )

        return subscription_state_credit_left
