from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.paxos_role import PaxosRole
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.replica import Replica


T = TypeVar("T", bound="Paxos")


@_attrs_define
class Paxos:
    """
    Attributes:
        accepted (str): The ballot of the last accepted entry.
        accepted_slot (int): The last slot accepted.
        answered_by (str): The broker whose view this is. Example: 1.
        ballot (str): The ballot in force.
        chosen (int): The highest slot known to be chosen.
        high_watermark (int): The first offset that is not yet readable.
        partition (int): The number of a partition, from 0.
        promised (str): The highest ballot promised.
        replicas (list[Replica]):
        role (PaxosRole):
        topic (str): The name of a topic. Example: orders.
        leader (str | Unset): Left out while there is none. Example: 1.
    """

    accepted: str
    accepted_slot: int
    answered_by: str
    ballot: str
    chosen: int
    high_watermark: int
    partition: int
    promised: str
    replicas: list[Replica]
    role: PaxosRole
    topic: str
    leader: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        accepted = self.accepted

        accepted_slot = self.accepted_slot

        answered_by = self.answered_by

        ballot = self.ballot

        chosen = self.chosen

        high_watermark = self.high_watermark

        partition = self.partition

        promised = self.promised

        replicas = []
        for replicas_item_data in self.replicas:
            replicas_item = replicas_item_data.to_dict()
            replicas.append(replicas_item)

        role = self.role.value

        topic = self.topic

        leader = self.leader

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "accepted": accepted,
                "acceptedSlot": accepted_slot,
                "answeredBy": answered_by,
                "ballot": ballot,
                "chosen": chosen,
                "highWatermark": high_watermark,
                "partition": partition,
                "promised": promised,
                "replicas": replicas,
                "role": role,
                "topic": topic,
            }
        )
        if leader is not UNSET:
            field_dict["leader"] = leader

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.replica import Replica

        d = dict(src_dict)
        accepted = d.pop("accepted")

        accepted_slot = d.pop("acceptedSlot")

        answered_by = d.pop("answeredBy")

        ballot = d.pop("ballot")

        chosen = d.pop("chosen")

        high_watermark = d.pop("highWatermark")

        partition = d.pop("partition")

        promised = d.pop("promised")

        replicas = []
        _replicas = d.pop("replicas")
        for replicas_item_data in _replicas:
            replicas_item = Replica.from_dict(replicas_item_data)

            replicas.append(replicas_item)

        role = PaxosRole(d.pop("role"))

        topic = d.pop("topic")

        leader = d.pop("leader", UNSET)

        paxos = cls(
            accepted=accepted,
            accepted_slot=accepted_slot,
            answered_by=answered_by,
            ballot=ballot,
            chosen=chosen,
            high_watermark=high_watermark,
            partition=partition,
            promised=promised,
            replicas=replicas,
            role=role,
            topic=topic,
            leader=leader,
        )

        paxos.additional_properties = d
        return paxos

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
