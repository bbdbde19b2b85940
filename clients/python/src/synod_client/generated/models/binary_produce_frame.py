from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.binary_produce_frame_type import BinaryProduceFrameType
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.binary_produce_frame_producer import BinaryProduceFrameProducer
    from ..models.binary_record_input import BinaryRecordInput


T = TypeVar("T", bound="BinaryProduceFrame")


@_attrs_define
class BinaryProduceFrame:
    """`produce` in synod.v1.bin.

    Attributes:
        id (str): The client’s own name for this request; the answer has it too.
        records (list[BinaryRecordInput]):
        topic (str): The name of a topic. Example: orders.
        type_ (BinaryProduceFrameType):
        producer (BinaryProduceFrameProducer | Unset): Makes sending again safe; all records go to one partition.
    """

    id: str
    records: list[BinaryRecordInput]
    topic: str
    type_: BinaryProduceFrameType
    producer: BinaryProduceFrameProducer | Unset = UNSET

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
        from ..models.binary_produce_frame_producer import BinaryProduceFrameProducer
        from ..models.binary_record_input import BinaryRecordInput

        d = dict(src_dict)
        id = d.pop("id")

        records = []
        _records = d.pop("records")
        for records_item_data in _records:
            records_item = BinaryRecordInput.from_dict(records_item_data)

            records.append(records_item)

        topic = d.pop("topic")

        type_ = BinaryProduceFrameType(d.pop("type"))

        _producer = d.pop("producer", UNSET)
        producer: BinaryProduceFrameProducer | Unset
        if isinstance(_producer, Unset):
            producer = UNSET
        else:
            producer = BinaryProduceFrameProducer.from_dict(_producer)

        binary_produce_frame = cls(
            id=id,
            records=records,
            topic=topic,
            type_=type_,
            producer=producer,
        )

        return binary_produce_frame
