from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..models.subscribe_frame_type import SubscribeFrameType
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.session_credit import SessionCredit


T = TypeVar("T", bound="SubscribeFrame")


@_attrs_define
class SubscribeFrame:
    """Begins a subscription; `subscribed` or `error` answers it.

    Attributes:
        credit (SessionCredit):
        id (str): The client’s own name for this request; the answer has it too.
        sid (str): The client’s own name for a subscription of this socket. Example: a.
        topic (str): The name of a topic. Example: orders.
        type_ (SubscribeFrameType):
        cursor (str | Unset): The place where this read ended: go on with `from=cursor:…`. At most 8 KiB.
        from_ (str | Unset): Where to start, as in the query of a stream; `latest` if neither this nor a cursor is
            given.
        partitions (list[int] | Unset): All of them, later ones too, if left out.
    """

    credit: SessionCredit
    id: str
    sid: str
    topic: str
    type_: SubscribeFrameType
    cursor: str | Unset = UNSET
    from_: str | Unset = UNSET
    partitions: list[int] | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        credit = self.credit.to_dict()

        id = self.id

        sid = self.sid

        topic = self.topic

        type_ = self.type_.value

        cursor = self.cursor

        from_ = self.from_

        partitions: list[int] | Unset = UNSET
        if not isinstance(self.partitions, Unset):
            partitions = self.partitions

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "credit": credit,
                "id": id,
                "sid": sid,
                "topic": topic,
                "type": type_,
            }
        )
        if cursor is not UNSET:
            field_dict["cursor"] = cursor
        if from_ is not UNSET:
            field_dict["from"] = from_
        if partitions is not UNSET:
            field_dict["partitions"] = partitions

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.session_credit import SessionCredit

        d = dict(src_dict)
        credit = SessionCredit.from_dict(d.pop("credit"))

        id = d.pop("id")

        sid = d.pop("sid")

        topic = d.pop("topic")

        type_ = SubscribeFrameType(d.pop("type"))

        cursor = d.pop("cursor", UNSET)

        from_ = d.pop("from", UNSET)

        partitions = cast(list[int], d.pop("partitions", UNSET))

        subscribe_frame = cls(
            credit=credit,
            id=id,
            sid=sid,
            topic=topic,
            type_=type_,
            cursor=cursor,
            from_=from_,
            partitions=partitions,
        )

        return subscribe_frame
