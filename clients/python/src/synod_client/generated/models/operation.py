from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.operation_kind import OperationKind
from ..models.operation_state import OperationState
from ..types import UNSET, Unset

T = TypeVar("T", bound="Operation")


@_attrs_define
class Operation:
    """
    Attributes:
        id (str): The operation’s id. Example: op7.
        kind (OperationKind): What is done.
        started_at (datetime.datetime): When it was asked for. Example: 2026-01-31 12:00:00+00:00.
        state (OperationState):
        steps_done (int): How far it is.
        steps_total (int): Of how many steps: replicas of a broker, or phases of a move.
        broker (str | Unset): The broker whose replicas go to others, whose store is replaced, or that goes on alone.
            Example: 1.
        ended_at (datetime.datetime | Unset): Left out while it runs. Example: 2026-01-31 12:00:00+00:00.
        partition (int | Unset): The number of a partition, from 0.
        problem (str | Unset): Why it failed or was cancelled; of unsafe-recover who did it, and what may be lost.
        replicas (list[str] | Unset): The replicas that the partition is to have, the preferred leader first.
        store (str | Unset): The store that is given the votes of the one that was lost, or that goes on alone.
        topic (str | Unset): The name of a topic. Example: orders.
    """

    id: str
    kind: OperationKind
    started_at: datetime.datetime
    state: OperationState
    steps_done: int
    steps_total: int
    broker: str | Unset = UNSET
    ended_at: datetime.datetime | Unset = UNSET
    partition: int | Unset = UNSET
    problem: str | Unset = UNSET
    replicas: list[str] | Unset = UNSET
    store: str | Unset = UNSET
    topic: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind.value

        started_at = self.started_at.isoformat()

        state = self.state.value

        steps_done = self.steps_done

        steps_total = self.steps_total

        broker = self.broker

        ended_at: str | Unset = UNSET
        if not isinstance(self.ended_at, Unset):
            ended_at = self.ended_at.isoformat()

        partition = self.partition

        problem = self.problem

        replicas: list[str] | Unset = UNSET
        if not isinstance(self.replicas, Unset):
            replicas = self.replicas

        store = self.store

        topic = self.topic

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "startedAt": started_at,
                "state": state,
                "stepsDone": steps_done,
                "stepsTotal": steps_total,
            }
        )
        if broker is not UNSET:
            field_dict["broker"] = broker
        if ended_at is not UNSET:
            field_dict["endedAt"] = ended_at
        if partition is not UNSET:
            field_dict["partition"] = partition
        if problem is not UNSET:
            field_dict["problem"] = problem
        if replicas is not UNSET:
            field_dict["replicas"] = replicas
        if store is not UNSET:
            field_dict["store"] = store
        if topic is not UNSET:
            field_dict["topic"] = topic

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = d.pop("id")

        kind = OperationKind(d.pop("kind"))

        started_at = datetime.datetime.fromisoformat(d.pop("startedAt"))

        state = OperationState(d.pop("state"))

        steps_done = d.pop("stepsDone")

        steps_total = d.pop("stepsTotal")

        broker = d.pop("broker", UNSET)

        _ended_at = d.pop("endedAt", UNSET)
        ended_at: datetime.datetime | Unset
        if isinstance(_ended_at, Unset):
            ended_at = UNSET
        else:
            ended_at = datetime.datetime.fromisoformat(_ended_at)

        partition = d.pop("partition", UNSET)

        problem = d.pop("problem", UNSET)

        replicas = cast(list[str], d.pop("replicas", UNSET))

        store = d.pop("store", UNSET)

        topic = d.pop("topic", UNSET)

        operation = cls(
            id=id,
            kind=kind,
            started_at=started_at,
            state=state,
            steps_done=steps_done,
            steps_total=steps_total,
            broker=broker,
            ended_at=ended_at,
            partition=partition,
            problem=problem,
            replicas=replicas,
            store=store,
            topic=topic,
        )

        operation.additional_properties = d
        return operation

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
