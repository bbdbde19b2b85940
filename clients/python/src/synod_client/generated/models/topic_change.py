from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.topic_config_change import TopicConfigChange


T = TypeVar("T", bound="TopicChange")


@_attrs_define
class TopicChange:
    """
    Attributes:
        config (TopicConfigChange | Unset): The settings to set; what is left out stays as it is, or has its default in
            a new topic.
        partitions (int | Unset): The new number of partitions, never fewer than now. Keys move.
    """

    config: TopicConfigChange | Unset = UNSET
    partitions: int | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        config: dict[str, Any] | Unset = UNSET
        if not isinstance(self.config, Unset):
            config = self.config.to_dict()

        partitions = self.partitions

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if config is not UNSET:
            field_dict["config"] = config
        if partitions is not UNSET:
            field_dict["partitions"] = partitions

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.topic_config_change import TopicConfigChange

        d = dict(src_dict)
        _config = d.pop("config", UNSET)
        config: TopicConfigChange | Unset
        if isinstance(_config, Unset):
            config = UNSET
        else:
            config = TopicConfigChange.from_dict(_config)

        partitions = d.pop("partitions", UNSET)

        topic_change = cls(
            config=config,
            partitions=partitions,
        )

        return topic_change
