from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.reset_frame_reason import ResetFrameReason
from ..models.reset_frame_type import ResetFrameType

if TYPE_CHECKING:
    from ..models.session_position import SessionPosition


T = TypeVar("T", bound="ResetFrame")


@_attrs_define
class ResetFrame:
    """What came next is gone: a new epoch begins at the first record that is there.

    Attributes:
        cursor (str): The place where this read ended: go on with `from=cursor:…`. At most 8 KiB.
        epoch (int): Begins at 0 and grows when the subscription begins anew at another place.
        lost (int): Records that were trimmed before they were sent.
        reason (ResetFrameReason):
        resume_from (list[SessionPosition]):
        sid (str): The client’s own name for a subscription of this socket. Example: a.
        type_ (ResetFrameType):
    """

    cursor: str
    epoch: int
    lost: int
    reason: ResetFrameReason
    resume_from: list[SessionPosition]
    sid: str
    type_: ResetFrameType

    def to_dict(self) -> dict[str, Any]:
        cursor = self.cursor

        epoch = self.epoch

        lost = self.lost

        reason = self.reason.value

        resume_from = []
        for resume_from_item_data in self.resume_from:
            resume_from_item = resume_from_item_data.to_dict()
            resume_from.append(resume_from_item)

        sid = self.sid

        type_ = self.type_.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "cursor": cursor,
                "epoch": epoch,
                "lost": lost,
                "reason": reason,
                "resumeFrom": resume_from,
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

        lost = d.pop("lost")

        reason = ResetFrameReason(d.pop("reason"))

        resume_from = []
        _resume_from = d.pop("resumeFrom")
        for resume_from_item_data in _resume_from:
            resume_from_item = SessionPosition.from_dict(resume_from_item_data)

            resume_from.append(resume_from_item)

        sid = d.pop("sid")

        type_ = ResetFrameType(d.pop("type"))

        reset_frame = cls(
            cursor=cursor,
            epoch=epoch,
            lost=lost,
            reason=reason,
            resume_from=resume_from,
            sid=sid,
            type_=type_,
        )

        return reset_frame
