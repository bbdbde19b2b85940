from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.subscription_state_credit_left import SubscriptionStateCreditLeft


T = TypeVar("T", bound="SubscriptionState")


@_attrs_define
class SubscriptionState:
    """
    Attributes:
        credit_left (SubscriptionStateCreditLeft):
        high_watermark (int): The first offset not yet readable when last read, summed over its partitions.
        lag (int): Records that are known and not yet sent.
        sid (str): The client’s own name for a subscription of this socket. Example: a.
    """

    credit_left: SubscriptionStateCreditLeft
    high_watermark: int
    lag: int
    sid: str

    def to_dict(self) -> dict[str, Any]:
        credit_left = self.credit_left.to_dict()

        high_watermark = self.high_watermark

        lag = self.lag

        sid = self.sid

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "creditLeft": credit_left,
                "highWatermark": high_watermark,
                "lag": lag,
                "sid": sid,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.subscription_state_credit_left import SubscriptionStateCreditLeft

        d = dict(src_dict)
        credit_left = SubscriptionStateCreditLeft.from_dict(d.pop("creditLeft"))

        high_watermark = d.pop("highWatermark")

        lag = d.pop("lag")

        sid = d.pop("sid")

        subscription_state = cls(
            credit_left=credit_left,
            high_watermark=high_watermark,
            lag=lag,
            sid=sid,
        )

        return subscription_state
