from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.error_code import ErrorCode
from ..models.problem_side_effects import ProblemSideEffects
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.problem_errors_item import ProblemErrorsItem


T = TypeVar("T", bound="Problem")


@_attrs_define
class Problem:
    """What went wrong (RFC 9457). Further members give facts, such as `highWatermark`.

    Attributes:
        code (ErrorCode): What went wrong, for programs.
        detail (str): What went wrong this time; names the offending value.
        hint (str): What to try next.
        instance (str): The path of the request.
        request_id (str): The same as in the header Request-Id.
        retryable (bool): Sending the same request again may succeed and does no harm.
        side_effects (ProblemSideEffects): Whether something may have been stored or changed.
        status (int): The HTTP status.
        title (str): What the code means.
        type_ (str): An address that stands for the code. Example: /problems/topic-not-found.
        errors (list[ProblemErrorsItem] | Unset): Each fault of a body, with a JSON pointer to its place.
        retry_after_ms (int | Unset): When trying again may help.
    """

    code: ErrorCode
    detail: str
    hint: str
    instance: str
    request_id: str
    retryable: bool
    side_effects: ProblemSideEffects
    status: int
    title: str
    type_: str
    errors: list[ProblemErrorsItem] | Unset = UNSET
    retry_after_ms: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        code = self.code.value

        detail = self.detail

        hint = self.hint

        instance = self.instance

        request_id = self.request_id

        retryable = self.retryable

        side_effects = self.side_effects.value

        status = self.status

        title = self.title

        type_ = self.type_

        errors: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.errors, Unset):
            errors = []
            for errors_item_data in self.errors:
                errors_item = errors_item_data.to_dict()
                errors.append(errors_item)

        retry_after_ms = self.retry_after_ms

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
                "detail": detail,
                "hint": hint,
                "instance": instance,
                "requestId": request_id,
                "retryable": retryable,
                "sideEffects": side_effects,
                "status": status,
                "title": title,
                "type": type_,
            }
        )
        if errors is not UNSET:
            field_dict["errors"] = errors
        if retry_after_ms is not UNSET:
            field_dict["retryAfterMs"] = retry_after_ms

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.problem_errors_item import ProblemErrorsItem

        d = dict(src_dict)
        code = ErrorCode(d.pop("code"))

        detail = d.pop("detail")

        hint = d.pop("hint")

        instance = d.pop("instance")

        request_id = d.pop("requestId")

        retryable = d.pop("retryable")

        side_effects = ProblemSideEffects(d.pop("sideEffects"))

        status = d.pop("status")

        title = d.pop("title")

        type_ = d.pop("type")

        _errors = d.pop("errors", UNSET)
        errors: list[ProblemErrorsItem] | Unset = UNSET
        if _errors is not UNSET:
            errors = []
            for errors_item_data in _errors:
                errors_item = ProblemErrorsItem.from_dict(errors_item_data)

                errors.append(errors_item)

        retry_after_ms = d.pop("retryAfterMs", UNSET)

        problem = cls(
            code=code,
            detail=detail,
            hint=hint,
            instance=instance,
            request_id=request_id,
            retryable=retryable,
            side_effects=side_effects,
            status=status,
            title=title,
            type_=type_,
            errors=errors,
            retry_after_ms=retry_after_ms,
        )

        problem.additional_properties = d
        return problem

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
