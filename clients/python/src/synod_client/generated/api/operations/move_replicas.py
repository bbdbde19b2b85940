from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.operation import Operation
from ...models.problem import Problem
from ...models.replicas import Replicas
from ...types import Response


def _get_kwargs(
    topic: str,
    partition: int,
    *,
    body: Replicas,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "put",
        "url": "/v1/topics/{topic}/partitions/{partition}/replicas".format(
            topic=quote(str(topic), safe=""),
            partition=quote(str(partition), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Operation | Problem:
    if response.status_code == 202:
        response_202 = Operation.from_dict(response.json())

        return response_202

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 410:
        response_410 = Problem.from_dict(response.json())

        return response_410

    if response.status_code == 413:
        response_413 = Problem.from_dict(response.json())

        return response_413

    if response.status_code == 415:
        response_415 = Problem.from_dict(response.json())

        return response_415

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

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
) -> Response[Operation | Problem]:
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
    body: Replicas,
) -> Response[Operation | Problem]:
    """Move a partition to other brokers

     The new ones copy it first, without a vote; then they take over at once, and the old ones free their
    data. Reading and producing go on. The same brokers in another order only change who leads by
    preference.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        body (Replicas):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Operation | Problem]
    """

    kwargs = _get_kwargs(
        topic=topic,
        partition=partition,
        body=body,
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
    body: Replicas,
) -> Operation | Problem | None:
    """Move a partition to other brokers

     The new ones copy it first, without a vote; then they take over at once, and the old ones free their
    data. Reading and producing go on. The same brokers in another order only change who leads by
    preference.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        body (Replicas):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Operation | Problem
    """

    return sync_detailed(
        topic=topic,
        partition=partition,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    topic: str,
    partition: int,
    *,
    client: AuthenticatedClient | Client,
    body: Replicas,
) -> Response[Operation | Problem]:
    """Move a partition to other brokers

     The new ones copy it first, without a vote; then they take over at once, and the old ones free their
    data. Reading and producing go on. The same brokers in another order only change who leads by
    preference.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        body (Replicas):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Operation | Problem]
    """

    kwargs = _get_kwargs(
        topic=topic,
        partition=partition,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    topic: str,
    partition: int,
    *,
    client: AuthenticatedClient | Client,
    body: Replicas,
) -> Operation | Problem | None:
    """Move a partition to other brokers

     The new ones copy it first, without a vote; then they take over at once, and the old ones free their
    data. Reading and producing go on. The same brokers in another order only change who leads by
    preference.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        body (Replicas):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Operation | Problem
    """

    return (
        await asyncio_detailed(
            topic=topic,
            partition=partition,
            client=client,
            body=body,
        )
    ).parsed
