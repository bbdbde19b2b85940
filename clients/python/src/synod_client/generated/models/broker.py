from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.broker_membership import BrokerMembership
from ..models.broker_state import BrokerState
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.broker_lag import BrokerLag


T = TypeVar("T", bound="Broker")


@_attrs_define
class Broker:
    """
    Attributes:
        failure_domain (str): Replicas of one partition avoid the same one.
        id (str): The broker’s id. Example: 1.
        leader_count (int): Partitions that it leads.
        membership (BrokerMembership): A broker that is drained gets no new replicas.
        replica_count (int): Partitions that it holds.
        state (BrokerState): An outsider is there and takes part in no vote: its disk forgot something, or is another
            one.
        url (str): Where clients reach it.
        version (str):
        disk_free_bytes (int | Unset): Only known of the broker that answers.
        lag (BrokerLag | Unset): How far its replica that is furthest behind is behind, of the partitions that the
            broker that answers leads. Left out when it leads none that this one holds.
        pending_store (str | Unset): The store that waits to take over the votes of the lost one.
        reason (str | Unset): Why it is an outsider.
    """

    failure_domain: str
    id: str
    leader_count: int
    membership: BrokerMembership
    replica_count: int
    state: BrokerState
    url: str
    version: str
    disk_free_bytes: int | Unset = UNSET
    lag: BrokerLag | Unset = UNSET
    pending_store: str | Unset = UNSET
    reason: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        failure_domain = self.failure_domain

        id = self.id

        leader_count = self.leader_count

        membership = self.membership.value

        replica_count = self.replica_count

        state = self.state.value

        url = self.url

        version = self.version

        disk_free_bytes = self.disk_free_bytes

        lag: dict[str, Any] | Unset = UNSET
        if not isinstance(self.lag, Unset):
            lag = self.lag.to_dict()

        pending_store = self.pending_store

        reason = self.reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "failureDomain": failure_domain,
                "id": id,
                "leaderCount": leader_count,
                "membership": membership,
                "replicaCount": replica_count,
                "state": state,
                "url": url,
                "version": version,
            }
        )
        if disk_free_bytes is not UNSET:
            field_dict["diskFreeBytes"] = disk_free_bytes
        if lag is not UNSET:
            field_dict["lag"] = lag
        if pending_store is not UNSET:
            field_dict["pendingStore"] = pending_store
        if reason is not UNSET:
            field_dict["reason"] = reason

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.broker_lag import BrokerLag

        d = dict(src_dict)
        failure_domain = d.pop("failureDomain")

        id = d.pop("id")

        leader_count = d.pop("leaderCount")

        membership = BrokerMembership(d.pop("membership"))

        replica_count = d.pop("replicaCount")

        state = BrokerState(d.pop("state"))

        url = d.pop("url")

        version = d.pop("version")

        disk_free_bytes = d.pop("diskFreeBytes", UNSET)

        _lag = d.pop("lag", UNSET)
        lag: BrokerLag | Unset
        if isinstance(_lag, Unset):
            lag = UNSET
        else:
            lag = BrokerLag.from_dict(_lag)

        pending_store = d.pop("pendingStore", UNSET)

        reason = d.pop("reason", UNSET)

        broker = cls(
            failure_domain=failure_domain,
            id=id,
            leader_count=leader_count,
            membership=membership,
            replica_count=replica_count,
            state=state,
            url=url,
            version=version,
            disk_free_bytes=disk_free_bytes,
            lag=lag,
            pending_store=pending_store,
            reason=reason,
        )

        broker.additional_properties = d
        return broker

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
