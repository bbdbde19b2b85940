from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.paxos import Paxos
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    topic: str,
    partition: int,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/topics/{topic}/partitions/{partition}/paxos".format(
            topic=quote(str(topic), safe=""),
            partition=quote(str(partition), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Paxos | Problem:
    if response.status_code == 200:
        response_200 = Paxos.from_dict(response.json())

        return response_200

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

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Paxos | Problem]:
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
) -> Response[Paxos | Problem]:
    """Show how a partition decides, live

     As its leader sees it, or as the broker that answers does when the leader cannot be asked.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Paxos | Problem]
    """

    kwargs = _get_kwargs(
        topic=topic,
        partition=partition,
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
) -> Paxos | Problem | None:
    """Show how a partition decides, live

     As its leader sees it, or as the broker that answers does when the leader cannot be asked.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Paxos | Problem
    """

    return sync_detailed(
        topic=topic,
        partition=partition,
        client=client,
    ).parsed


async def asyncio_detailed(
    topic: str,
    partition: int,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Paxos | Problem]:
    """Show how a partition decides, live

     As its leader sees it, or as the broker that answers does when the leader cannot be asked.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Paxos | Problem]
    """

    kwargs = _get_kwargs(
        topic=topic,
        partition=partition,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    topic: str,
    partition: int,
    *,
    client: AuthenticatedClient | Client,
) -> Paxos | Problem | None:
    """Show how a partition decides, live

     As its leader sees it, or as the broker that answers does when the leader cannot be asked.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Paxos | Problem
    """

    return (
        await asyncio_detailed(
            topic=topic,
            partition=partition,
            client=client,
        )
    ).parsed
