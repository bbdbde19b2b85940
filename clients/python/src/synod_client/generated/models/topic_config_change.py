from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..models.topic_config_change_cleanup import TopicConfigChangeCleanup
from ..models.topic_config_change_on_full import TopicConfigChangeOnFull
from ..types import UNSET, Unset

T = TypeVar("T", bound="TopicConfigChange")


@_attrs_define
class TopicConfigChange:
    """The settings to set; what is left out stays as it is, or has its default in a new topic.

    Attributes:
        cleanup (TopicConfigChangeCleanup | Unset): none: neither age nor size trims anything, only a call of
            trimPartition does.
        closed (bool | Unset): A closed topic takes no more records.
        dedup_window_count (int | Unset): How many idempotency keys a partition remembers.
        dedup_window_ms (int | Unset): How long an idempotency key is remembered.
        max_lag_ms (int | Unset): The largest delay of a replica that counts as in sync.
        max_lag_slots (int | Unset): The same bound in entries of the log.
        min_in_sync (int | None | Unset): Replicas that must be in sync to accept a produce; null: a majority.
        on_full (TopicConfigChangeOnFull | Unset): What a partition of retentionBytes does: lets its oldest records go,
            or refuses new ones with `topic-full`.
        record_bytes_max (int | Unset): Key, value and headers of one record.
        retention_bytes (int | None | Unset): Size of a partition after which its oldest records are trimmed; null:
            never.
        retention_ms (int | None | Unset): Age after which records are trimmed; null: never.
    """

    cleanup: TopicConfigChangeCleanup | Unset = UNSET
    closed: bool | Unset = UNSET
    dedup_window_count: int | Unset = UNSET
    dedup_window_ms: int | Unset = UNSET
    max_lag_ms: int | Unset = UNSET
    max_lag_slots: int | Unset = UNSET
    min_in_sync: int | None | Unset = UNSET
    on_full: TopicConfigChangeOnFull | Unset = UNSET
    record_bytes_max: int | Unset = UNSET
    retention_bytes: int | None | Unset = UNSET
    retention_ms: int | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        cleanup: str | Unset = UNSET
        if not isinstance(self.cleanup, Unset):
            cleanup = self.cleanup.value

        closed = self.closed

        dedup_window_count = self.dedup_window_count

        dedup_window_ms = self.dedup_window_ms

        max_lag_ms = self.max_lag_ms

        max_lag_slots = self.max_lag_slots

        min_in_sync: int | None | Unset
        if isinstance(self.min_in_sync, Unset):
            min_in_sync = UNSET
        else:
            min_in_sync = self.min_in_sync

        on_full: str | Unset = UNSET
        if not isinstance(self.on_full, Unset):
            on_full = self.on_full.value

        record_bytes_max = self.record_bytes_max

        retention_bytes: int | None | Unset
        if isinstance(self.retention_bytes, Unset):
            retention_bytes = UNSET
        else:
            retention_bytes = self.retention_bytes

        retention_ms: int | None | Unset
        if isinstance(self.retention_ms, Unset):
            retention_ms = UNSET
        else:
            retention_ms = self.retention_ms

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if cleanup is not UNSET:
            field_dict["cleanup"] = cleanup
        if closed is not UNSET:
            field_dict["closed"] = closed
        if dedup_window_count is not UNSET:
            field_dict["dedupWindowCount"] = dedup_window_count
        if dedup_window_ms is not UNSET:
            field_dict["dedupWindowMs"] = dedup_window_ms
        if max_lag_ms is not UNSET:
            field_dict["maxLagMs"] = max_lag_ms
        if max_lag_slots is not UNSET:
            field_dict["maxLagSlots"] = max_lag_slots
        if min_in_sync is not UNSET:
            field_dict["minInSync"] = min_in_sync
        if on_full is not UNSET:
            field_dict["onFull"] = on_full
        if record_bytes_max is not UNSET:
            field_dict["recordBytesMax"] = record_bytes_max
        if retention_bytes is not UNSET:
            field_dict["retentionBytes"] = retention_bytes
        if retention_ms is not UNSET:
            field_dict["retentionMs"] = retention_ms

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        _cleanup = d.pop("cleanup", UNSET)
        cleanup: TopicConfigChangeCleanup | Unset
        if isinstance(_cleanup, Unset):
            cleanup = UNSET
        else:
            cleanup = TopicConfigChangeCleanup(_cleanup)

        closed = d.pop("closed", UNSET)

        dedup_window_count = d.pop("dedupWindowCount", UNSET)

        dedup_window_ms = d.pop("dedupWindowMs", UNSET)

        max_lag_ms = d.pop("maxLagMs", UNSET)

        max_lag_slots = d.pop("maxLagSlots", UNSET)

        def _parse_min_in_sync(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        min_in_sync = _parse_min_in_sync(d.pop("minInSync", UNSET))

        _on_full = d.pop("onFull", UNSET)
        on_full: TopicConfigChangeOnFull | Unset
        if isinstance(_on_full, Unset):
            on_full = UNSET
        else:
            on_full = TopicConfigChangeOnFull(_on_full)

        record_bytes_max = d.pop("recordBytesMax", UNSET)

        def _parse_retention_bytes(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        retention_bytes = _parse_retention_bytes(d.pop("retentionBytes", UNSET))

        def _parse_retention_ms(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        retention_ms = _parse_retention_ms(d.pop("retentionMs", UNSET))

        topic_config_change = cls(
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

        return topic_config_change
