from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.replica_state import ReplicaState

T = TypeVar("T", bound="Replica")


@_attrs_define
class Replica:
    """
    Attributes:
        accepted_slot (int): The last slot that it accepted.
        broker (str): The broker that holds it. Example: 1.
        in_sync (bool):
        lag_ms (int): How far it is behind.
        lag_slots (int): The same in entries.
        state (ReplicaState):
    """

    accepted_slot: int
    broker: str
    in_sync: bool
    lag_ms: int
    lag_slots: int
    state: ReplicaState
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        accepted_slot = self.accepted_slot

        broker = self.broker

        in_sync = self.in_sync

        lag_ms = self.lag_ms

        lag_slots = self.lag_slots

        state = self.state.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "acceptedSlot": accepted_slot,
                "broker": broker,
                "inSync": in_sync,
                "lagMs": lag_ms,
                "lagSlots": lag_slots,
                "state": state,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        accepted_slot = d.pop("acceptedSlot")

        broker = d.pop("broker")

        in_sync = d.pop("inSync")

        lag_ms = d.pop("lagMs")

        lag_slots = d.pop("lagSlots")

        state = ReplicaState(d.pop("state"))

        replica = cls(
            accepted_slot=accepted_slot,
            broker=broker,
            in_sync=in_sync,
            lag_ms=lag_ms,
            lag_slots=lag_slots,
            state=state,
        )

        replica.additional_properties = d
        return replica

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
