from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="WelcomeFrameLimits")


@_attrs_define
class WelcomeFrameLimits:
    """
    Attributes:
        frame_bytes (int): A frame of the client.
        record_bytes (int): Key, value and headers of one record.
        subscriptions (int): Subscriptions at the same time.
    """

    frame_bytes: int
    record_bytes: int
    subscriptions: int

    def to_dict(self) -> dict[str, Any]:
        frame_bytes = self.frame_bytes

        record_bytes = self.record_bytes

        subscriptions = self.subscriptions

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "frameBytes": frame_bytes,
                "recordBytes": record_bytes,
                "subscriptions": subscriptions,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        frame_bytes = d.pop("frameBytes")

        record_bytes = d.pop("recordBytes")

        subscriptions = d.pop("subscriptions")

        welcome_frame_limits = cls(
            frame_bytes=frame_bytes,
            record_bytes=record_bytes,
            subscriptions=subscriptions,
        )

        return welcome_frame_limits
