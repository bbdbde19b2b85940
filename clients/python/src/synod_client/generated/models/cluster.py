from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Cluster")


@_attrs_define
class Cluster:
    """
    Attributes:
        alive_count (int): Those that are alive.
        broker (str): Who answers. Example: 1.
        broker_count (int): Brokers of the cluster.
        id (str): The cluster’s id.
        outsiders (list[str]): Brokers that are there and take part in no vote; the list of brokers says why.
        version (str): The version of who answers.
        controller (str | Unset): Who leads the metadata; left out while nobody does. Example: 1.
    """

    alive_count: int
    broker: str
    broker_count: int
    id: str
    outsiders: list[str]
    version: str
    controller: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        alive_count = self.alive_count

        broker = self.broker

        broker_count = self.broker_count

        id = self.id

        outsiders = self.outsiders

        version = self.version

        controller = self.controller

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "aliveCount": alive_count,
                "broker": broker,
                "brokerCount": broker_count,
                "id": id,
                "outsiders": outsiders,
                "version": version,
            }
        )
        if controller is not UNSET:
            field_dict["controller"] = controller

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        alive_count = d.pop("aliveCount")

        broker = d.pop("broker")

        broker_count = d.pop("brokerCount")

        id = d.pop("id")

        outsiders = cast(list[str], d.pop("outsiders"))

        version = d.pop("version")

        controller = d.pop("controller", UNSET)

        cluster = cls(
            alive_count=alive_count,
            broker=broker,
            broker_count=broker_count,
            id=id,
            outsiders=outsiders,
            version=version,
            controller=controller,
        )

        cluster.additional_properties = d
        return cluster

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
