from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.produced_frame_type import ProducedFrameType

if TYPE_CHECKING:
    from ..models.receipt import Receipt


T = TypeVar("T", bound="ProducedFrame")


@_attrs_define
class ProducedFrame:
    """All records are durable on a majority; receipts in their order.

    Attributes:
        id (str): The client’s own name for this request; the answer has it too.
        results (list[Receipt]):
        type_ (ProducedFrameType):
    """

    id: str
    results: list[Receipt]
    type_: ProducedFrameType

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        results = []
        for results_item_data in self.results:
            results_item = results_item_data.to_dict()
            results.append(results_item)

        type_ = self.type_.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "results": results,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.receipt import Receipt

        d = dict(src_dict)
        id = d.pop("id")

        results = []
        _results = d.pop("results")
        for results_item_data in _results:
            results_item = Receipt.from_dict(results_item_data)

            results.append(results_item)

        type_ = ProducedFrameType(d.pop("type"))

        produced_frame = cls(
            id=id,
            results=results,
            type_=type_,
        )

        return produced_frame
