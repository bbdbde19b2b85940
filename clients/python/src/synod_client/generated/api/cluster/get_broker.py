from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.broker import Broker
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    broker: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/brokers/{broker}".format(
            broker=quote(str(broker), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Broker | Problem:
    if response.status_code == 200:
        response_200 = Broker.from_dict(response.json())

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

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Broker | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    broker: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Broker | Problem]:
    """Show a broker

     One of the list of brokers.

    Args:
        broker (str): The id of a broker. Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Broker | Problem]
    """

    kwargs = _get_kwargs(
        broker=broker,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    broker: str,
    *,
    client: AuthenticatedClient | Client,
) -> Broker | Problem | None:
    """Show a broker

     One of the list of brokers.

    Args:
        broker (str): The id of a broker. Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Broker | Problem
    """

    return sync_detailed(
        broker=broker,
        client=client,
    ).parsed


async def asyncio_detailed(
    broker: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Broker | Problem]:
    """Show a broker

     One of the list of brokers.

    Args:
        broker (str): The id of a broker. Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Broker | Problem]
    """

    kwargs = _get_kwargs(
        broker=broker,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    broker: str,
    *,
    client: AuthenticatedClient | Client,
) -> Broker | Problem | None:
    """Show a broker

     One of the list of brokers.

    Args:
        broker (str): The id of a broker. Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Broker | Problem
    """

    return (
        await asyncio_detailed(
            broker=broker,
            client=client,
        )
    ).parsed
