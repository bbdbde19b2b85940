from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.get_offsets_linearizable import GetOffsetsLinearizable
from ...models.get_offsets_redirect import GetOffsetsRedirect
from ...models.offsets import Offsets
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    topic: str,
    partition: int,
    *,
    at: str | Unset = UNSET,
    linearizable: GetOffsetsLinearizable | Unset = GetOffsetsLinearizable.FALSE,
    redirect: GetOffsetsRedirect | Unset = GetOffsetsRedirect.FALSE,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["at"] = at

    json_linearizable: str | Unset = UNSET
    if not isinstance(linearizable, Unset):
        json_linearizable = linearizable.value

    params["linearizable"] = json_linearizable

    json_redirect: str | Unset = UNSET
    if not isinstance(redirect, Unset):
        json_redirect = redirect.value

    params["redirect"] = json_redirect

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/topics/{topic}/partitions/{partition}/offsets".format(
            topic=quote(str(topic), safe=""),
            partition=quote(str(partition), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Offsets | Problem:
    if response.status_code == 200:
        response_200 = Offsets.from_dict(response.json())

        return response_200

    if response.status_code == 307:
        response_307 = cast(Any, None)
        return response_307

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 410:
        response_410 = Problem.from_dict(response.json())

        return response_410

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())

        return response_503

    if response.status_code == 504:
        response_504 = Problem.from_dict(response.json())

        return response_504

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | Offsets | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    topic: str,
    partition: int,
    *,
    client: AuthenticatedClient | Client,
    at: str | Unset = UNSET,
    linearizable: GetOffsetsLinearizable | Unset = GetOffsetsLinearizable.FALSE,
    redirect: GetOffsetsRedirect | Unset = GetOffsetsRedirect.FALSE,
) -> Response[Any | Offsets | Problem]:
    """Show the first and the next offset of a partition, and what a position means

     Both ends move: what is true now may not be a moment later. Any replica answers with what it knows
    to be committed, unless `linearizable` asks for more.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        at (str | Unset): earliest, latest, an offset, -N for the last N records, time:RFC3339 for
            the first appended at or after, or cursor:… for where a read ended. Example:
            time:2026-01-31T12:00:00Z.
        linearizable (GetOffsetsLinearizable | Unset): true: the ends are not older than any
            answer that anybody got before this request. A majority is asked first. Default:
            GetOffsetsLinearizable.FALSE.
        redirect (GetOffsetsRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            GetOffsetsRedirect.FALSE.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Offsets | Problem]
    """

    kwargs = _get_kwargs(
        topic=topic,
        partition=partition,
        at=at,
        linearizable=linearizable,
        redirect=redirect,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    topic: str,
    partition: int,
    *,
    client: AuthenticatedClient | Client,
    at: str | Unset = UNSET,
    linearizable: GetOffsetsLinearizable | Unset = GetOffsetsLinearizable.FALSE,
    redirect: GetOffsetsRedirect | Unset = GetOffsetsRedirect.FALSE,
) -> Any | Offsets | Problem | None:
    """Show the first and the next offset of a partition, and what a position means

     Both ends move: what is true now may not be a moment later. Any replica answers with what it knows
    to be committed, unless `linearizable` asks for more.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        at (str | Unset): earliest, latest, an offset, -N for the last N records, time:RFC3339 for
            the first appended at or after, or cursor:… for where a read ended. Example:
            time:2026-01-31T12:00:00Z.
        linearizable (GetOffsetsLinearizable | Unset): true: the ends are not older than any
            answer that anybody got before this request. A majority is asked first. Default:
            GetOffsetsLinearizable.FALSE.
        redirect (GetOffsetsRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            GetOffsetsRedirect.FALSE.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Offsets | Problem
    """

    return sync_detailed(
        topic=topic,
        partition=partition,
        client=client,
        at=at,
        linearizable=linearizable,
        redirect=redirect,
    ).parsed


async def asyncio_detailed(
    topic: str,
    partition: int,
    *,
    client: AuthenticatedClient | Client,
    at: str | Unset = UNSET,
    linearizable: GetOffsetsLinearizable | Unset = GetOffsetsLinearizable.FALSE,
    redirect: GetOffsetsRedirect | Unset = GetOffsetsRedirect.FALSE,
) -> Response[Any | Offsets | Problem]:
    """Show the first and the next offset of a partition, and what a position means

     Both ends move: what is true now may not be a moment later. Any replica answers with what it knows
    to be committed, unless `linearizable` asks for more.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        at (str | Unset): earliest, latest, an offset, -N for the last N records, time:RFC3339 for
            the first appended at or after, or cursor:… for where a read ended. Example:
            time:2026-01-31T12:00:00Z.
        linearizable (GetOffsetsLinearizable | Unset): true: the ends are not older than any
            answer that anybody got before this request. A majority is asked first. Default:
            GetOffsetsLinearizable.FALSE.
        redirect (GetOffsetsRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            GetOffsetsRedirect.FALSE.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Offsets | Problem]
    """

    kwargs = _get_kwargs(
        topic=topic,
        partition=partition,
        at=at,
        linearizable=linearizable,
        redirect=redirect,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    topic: str,
    partition: int,
    *,
    client: AuthenticatedClient | Client,
    at: str | Unset = UNSET,
    linearizable: GetOffsetsLinearizable | Unset = GetOffsetsLinearizable.FALSE,
    redirect: GetOffsetsRedirect | Unset = GetOffsetsRedirect.FALSE,
) -> Any | Offsets | Problem | None:
    """Show the first and the next offset of a partition, and what a position means

     Both ends move: what is true now may not be a moment later. Any replica answers with what it knows
    to be committed, unless `linearizable` asks for more.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        at (str | Unset): earliest, latest, an offset, -N for the last N records, time:RFC3339 for
            the first appended at or after, or cursor:… for where a read ended. Example:
            time:2026-01-31T12:00:00Z.
        linearizable (GetOffsetsLinearizable | Unset): true: the ends are not older than any
            answer that anybody got before this request. A majority is asked first. Default:
            GetOffsetsLinearizable.FALSE.
        redirect (GetOffsetsRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            GetOffsetsRedirect.FALSE.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Offsets | Problem
    """

    return (
        await asyncio_detailed(
            topic=topic,
            partition=partition,
            client=client,
            at=at,
            linearizable=linearizable,
            redirect=redirect,
        )
    ).parsed
