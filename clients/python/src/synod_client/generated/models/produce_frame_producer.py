from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="ProduceFrameProducer")


@_attrs_define
class ProduceFrameProducer:
    """Makes sending again safe; all records go to one partition.

    Attributes:
        epoch (int): A higher one fences off the lower ones.
        id (str):
        seq (int): Counts the producer’s records in the partition, from 0.
    """

    epoch: int
    id: str
    seq: int

    def to_dict(self) -> dict[str, Any]:
        epoch = self.epoch

        id = self.id

        seq = self.seq

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "epoch": epoch,
                "id": id,
                "seq": seq,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        epoch = d.pop("epoch")

        id = d.pop("id")

        seq = d.pop("seq")

        produce_frame_producer = cls(
            epoch=epoch,
            id=id,
            seq=seq,
        )

        return produce_frame_producer
