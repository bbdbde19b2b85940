from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Partition")


@_attrs_define
class Partition:
    """
    Attributes:
        partition (int): The number of a partition, from 0.
        replicas (list[str]): The brokers that hold the partition.
        high_watermark (int | Unset): The first offset that is not yet readable.
        in_sync (list[str] | Unset): Those that are within MaxLag; left out when not known.
        leader (str | Unset): The broker that leads; left out while there is none. Example: 1.
        log_start (int | Unset): The first offset that is still there.
        size_bytes (int | Unset): Bytes on the leader’s disk.
    """

    partition: int
    replicas: list[str]
    high_watermark: int | Unset = UNSET
    in_sync: list[str] | Unset = UNSET
    leader: str | Unset = UNSET
    log_start: int | Unset = UNSET
    size_bytes: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        partition = self.partition

        replicas = self.replicas

        high_watermark = self.high_watermark

        in_sync: list[str] | Unset = UNSET
        if not isinstance(self.in_sync, Unset):
            in_sync = self.in_sync

        leader = self.leader

        log_start = self.log_start

        size_bytes = self.size_bytes

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "partition": partition,
                "replicas": replicas,
            }
        )
        if high_watermark is not UNSET:
            field_dict["highWatermark"] = high_watermark
        if in_sync is not UNSET:
            field_dict["inSync"] = in_sync
        if leader is not UNSET:
            field_dict["leader"] = leader
        if log_start is not UNSET:
            field_dict["logStart"] = log_start
        if size_bytes is not UNSET:
            field_dict["sizeBytes"] = size_bytes

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        partition = d.pop("partition")

        replicas = cast(list[str], d.pop("replicas"))

        high_watermark = d.pop("highWatermark", UNSET)

        in_sync = cast(list[str], d.pop("inSync", UNSET))

        leader = d.pop("leader", UNSET)

        log_start = d.pop("logStart", UNSET)

        size_bytes = d.pop("sizeBytes", UNSET)

        partition = cls(
            partition=partition,
            replicas=replicas,
            high_watermark=high_watermark,
            in_sync=in_sync,
            leader=leader,
            log_start=log_start,
            size_bytes=size_bytes,
        )

        partition.additional_properties = d
        return partition

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
