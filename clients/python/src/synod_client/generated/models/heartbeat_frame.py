from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.heartbeat_frame_type import HeartbeatFrameType

if TYPE_CHECKING:
    from ..models.subscription_state import SubscriptionState


T = TypeVar("T", bound="HeartbeatFrame")


@_attrs_define
class HeartbeatFrame:
    """Says that the broker lives, and where each subscription is.

    Attributes:
        subs (list[SubscriptionState]):
        type_ (HeartbeatFrameType):
    """

    subs: list[SubscriptionState]
    type_: HeartbeatFrameType

    def to_dict(self) -> dict[str, Any]:
        subs = []
        for subs_item_data in self.subs:
            subs_item = subs_item_data.to_dict()
            subs.append(subs_item)

        type_ = self.type_.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "subs": subs,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.subscription_state import SubscriptionState

        d = dict(src_dict)
        subs = []
        _subs = d.pop("subs")
        for subs_item_data in _subs:
            subs_item = SubscriptionState.from_dict(subs_item_data)

            subs.append(subs_item)

        type_ = HeartbeatFrameType(d.pop("type"))

        heartbeat_frame = cls(
            subs=subs,
            type_=type_,
        )

        return heartbeat_frame
