from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.welcome_frame_type import WelcomeFrameType

if TYPE_CHECKING:
    from ..models.welcome_frame_limits import WelcomeFrameLimits


T = TypeVar("T", bound="WelcomeFrame")


@_attrs_define
class WelcomeFrame:
    """The first frame.

    Attributes:
        broker (str):
        heartbeat_ms (int): How often a `heartbeat` comes.
        limits (WelcomeFrameLimits):
        session (str): Names this socket in the broker’s log.
        type_ (WelcomeFrameType):
    """

    broker: str
    heartbeat_ms: int
    limits: WelcomeFrameLimits
    session: str
    type_: WelcomeFrameType

    def to_dict(self) -> dict[str, Any]:
        broker = self.broker

        heartbeat_ms = self.heartbeat_ms

        limits = self.limits.to_dict()

        session = self.session

        type_ = self.type_.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "broker": broker,
                "heartbeatMs": heartbeat_ms,
                "limits": limits,
                "session": session,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.welcome_frame_limits import WelcomeFrameLimits

        d = dict(src_dict)
        broker = d.pop("broker")

        heartbeat_ms = d.pop("heartbeatMs")

        limits = WelcomeFrameLimits.from_dict(d.pop("limits"))

        session = d.pop("session")

        type_ = WelcomeFrameType(d.pop("type"))

        welcome_frame = cls(
            broker=broker,
            heartbeat_ms=heartbeat_ms,
            limits=limits,
            session=session,
            type_=type_,
        )

        return welcome_frame
