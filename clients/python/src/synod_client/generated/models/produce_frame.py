from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.produce_frame_type import ProduceFrameType
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.produce_frame_producer import ProduceFrameProducer
    from ..models.record_input import RecordInput


T = TypeVar("T", bound="ProduceFrame")


@_attrs_define
class ProduceFrame:
    """Stores records; `produced` or `error` answers it.

    Attributes:
        id (str): The client’s own name for this request; the answer has it too.
        records (list[RecordInput]):
        topic (str): The name of a topic. Example: orders.
        type_ (ProduceFrameType):
        producer (ProduceFrameProducer | Unset): Makes sending again safe; all records go to one partition.
    """

    id: str
    records: list[RecordInput]
    topic: str
    type_: ProduceFrameType
    producer: ProduceFrameProducer | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        records = []
        for records_item_data in self.records:
            records_item = records_item_data.to_dict()
            records.append(records_item)

        topic = self.topic

        type_ = self.type_.value

        producer: dict[str, Any] | Unset = UNSET
        if not isinstance(self.producer, Unset):
            producer = self.producer.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "records": records,
                "topic": topic,
                "type": type_,
            }
        )
        if producer is not UNSET:
            field_dict["producer"] = producer

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.produce_frame_producer import ProduceFrameProducer
        from ..models.record_input import RecordInput

        d = dict(src_dict)
        id = d.pop("id")

        records = []
        _records = d.pop("records")
        for records_item_data in _records:
            records_item = RecordInput.from_dict(records_item_data)

            records.append(records_item)

        topic = d.pop("topic")

        type_ = ProduceFrameType(d.pop("type"))

        _producer = d.pop("producer", UNSET)
        producer: ProduceFrameProducer | Unset
        if isinstance(_producer, Unset):
            producer = UNSET
        else:
            producer = ProduceFrameProducer.from_dict(_producer)

        produce_frame = cls(
            id=id,
            records=records,
            topic=topic,
            type_=type_,
            producer=producer,
        )

        return produce_frame
