from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.error_frame_type import ErrorFrameType
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.problem import Problem


T = TypeVar("T", bound="ErrorFrame")


@_attrs_define
class ErrorFrame:
    """With `id`: that request failed. With `sid`: that subscription has ended, all others go on.

    Attributes:
        problem (Problem): What went wrong (RFC 9457). Further members give facts, such as `highWatermark`.
        type_ (ErrorFrameType):
        id (str | Unset): The client’s own name for this request; the answer has it too.
        sid (str | Unset): The client’s own name for a subscription of this socket. Example: a.
    """

    problem: Problem
    type_: ErrorFrameType
    id: str | Unset = UNSET
    sid: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        problem = self.problem.to_dict()

        type_ = self.type_.value

        id = self.id

        sid = self.sid

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "problem": problem,
                "type": type_,
            }
        )
        if id is not UNSET:
            field_dict["id"] = id
        if sid is not UNSET:
            field_dict["sid"] = sid

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.problem import Problem

        d = dict(src_dict)
        problem = Problem.from_dict(d.pop("problem"))

        type_ = ErrorFrameType(d.pop("type"))

        id = d.pop("id", UNSET)

        sid = d.pop("sid", UNSET)

        error_frame = cls(
            problem=problem,
            type_=type_,
            id=id,
            sid=sid,
        )

        return error_frame
