from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.topic_config import TopicConfig


T = TypeVar("T", bound="TopicSummary")


@_attrs_define
class TopicSummary:
    """
    Attributes:
        config (TopicConfig):
        created_at (datetime.datetime): When the topic was created. Example: 2026-01-31 12:00:00+00:00.
        id (str):
        name (str): The name of a topic. Example: orders.
        partition_count (int): How many partitions it has.
        replication_factor (int): How many brokers hold each partition.
    """

    config: TopicConfig
    created_at: datetime.datetime
    id: str
    name: str
    partition_count: int
    replication_factor: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        config = self.config.to_dict()

        created_at = self.created_at.isoformat()

        id = self.id

        name = self.name

        partition_count = self.partition_count

        replication_factor = self.replication_factor

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "config": config,
                "createdAt": created_at,
                "id": id,
                "name": name,
                "partitionCount": partition_count,
                "replicationFactor": replication_factor,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.topic_config import TopicConfig

        d = dict(src_dict)
        config = TopicConfig.from_dict(d.pop("config"))

        created_at = datetime.datetime.fromisoformat(d.pop("createdAt"))

        id = d.pop("id")

        name = d.pop("name")

        partition_count = d.pop("partitionCount")

        replication_factor = d.pop("replicationFactor")

        topic_summary = cls(
            config=config,
            created_at=created_at,
            id=id,
            name=name,
            partition_count=partition_count,
            replication_factor=replication_factor,
        )

        topic_summary.additional_properties = d
        return topic_summary

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
