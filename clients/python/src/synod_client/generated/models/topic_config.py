from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.topic_config_cleanup import TopicConfigCleanup
from ..models.topic_config_on_full import TopicConfigOnFull

T = TypeVar("T", bound="TopicConfig")


@_attrs_define
class TopicConfig:
    """
    Attributes:
        cleanup (TopicConfigCleanup): none: neither age nor size trims anything, only a call of trimPartition does.
        closed (bool): A closed topic takes no more records.
        dedup_window_count (int): How many idempotency keys a partition remembers.
        dedup_window_ms (int): How long an idempotency key is remembered.
        max_lag_ms (int): The largest delay of a replica that counts as in sync.
        max_lag_slots (int): The same bound in entries of the log.
        min_in_sync (int | None): Replicas that must be in sync to accept a produce; null: a majority.
        on_full (TopicConfigOnFull): What a partition of retentionBytes does: lets its oldest records go, or refuses new
            ones with `topic-full`.
        record_bytes_max (int): Key, value and headers of one record.
        retention_bytes (int | None): Size of a partition after which its oldest records are trimmed; null: never.
        retention_ms (int | None): Age after which records are trimmed; null: never.
    """

    cleanup: TopicConfigCleanup
    closed: bool
    dedup_window_count: int
    dedup_window_ms: int
    max_lag_ms: int
    max_lag_slots: int
    min_in_sync: int | None
    on_full: TopicConfigOnFull
    record_bytes_max: int
    retention_bytes: int | None
    retention_ms: int | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        cleanup = self.cleanup.value

        closed = self.closed

        dedup_window_count = self.dedup_window_count

        dedup_window_ms = self.dedup_window_ms

        max_lag_ms = self.max_lag_ms

        max_lag_slots = self.max_lag_slots

        min_in_sync: int | None
        min_in_sync = self.min_in_sync

        on_full = self.on_full.value

        record_bytes_max = self.record_bytes_max

        retention_bytes: int | None
        retention_bytes = self.retention_bytes

        retention_ms: int | None
        retention_ms = self.retention_ms

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "cleanup": cleanup,
                "closed": closed,
                "dedupWindowCount": dedup_window_count,
                "dedupWindowMs": dedup_window_ms,
                "maxLagMs": max_lag_ms,
                "maxLagSlots": max_lag_slots,
                "minInSync": min_in_sync,
                "onFull": on_full,
                "recordBytesMax": record_bytes_max,
                "retentionBytes": retention_bytes,
                "retentionMs": retention_ms,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        cleanup = TopicConfigCleanup(d.pop("cleanup"))

        closed = d.pop("closed")

        dedup_window_count = d.pop("dedupWindowCount")

        dedup_window_ms = d.pop("dedupWindowMs")

        max_lag_ms = d.pop("maxLagMs")

        max_lag_slots = d.pop("maxLagSlots")

        def _parse_min_in_sync(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        min_in_sync = _parse_min_in_sync(d.pop("minInSync"))

        on_full = TopicConfigOnFull(d.pop("onFull"))

        record_bytes_max = d.pop("recordBytesMax")

        def _parse_retention_bytes(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        retention_bytes = _parse_retention_bytes(d.pop("retentionBytes"))

        def _parse_retention_ms(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        retention_ms = _parse_retention_ms(d.pop("retentionMs"))

        topic_config = cls(
            cleanup=cleanup,
            closed=closed,
            dedup_window_count=dedup_window_count,
            dedup_window_ms=dedup_window_ms,
            max_lag_ms=max_lag_ms,
            max_lag_slots=max_lag_slots,
            min_in_sync=min_in_sync,
            on_full=on_full,
            record_bytes_max=record_bytes_max,
            retention_bytes=retention_bytes,
            retention_ms=retention_ms,
        )

        topic_config.additional_properties = d
        return topic_config

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
