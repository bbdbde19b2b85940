from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.operation import Operation
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    broker: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/brokers/{broker}/drain".format(
            broker=quote(str(broker), safe=""),
        ),
    }

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
    broker: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Operation | Problem]:
    """Move everything off a broker

     It stays a member, gets no new replicas, and can be stopped for good or taken back. Refused while
    other brokers could not hold what it holds.

    Args:
        broker (str): The id of a broker. Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Operation | Problem]
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
) -> Operation | Problem | None:
    """Move everything off a broker

     It stays a member, gets no new replicas, and can be stopped for good or taken back. Refused while
    other brokers could not hold what it holds.

    Args:
        broker (str): The id of a broker. Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Operation | Problem
    """

    return sync_detailed(
        broker=broker,
        client=client,
    ).parsed


async def asyncio_detailed(
    broker: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Operation | Problem]:
    """Move everything off a broker

     It stays a member, gets no new replicas, and can be stopped for good or taken back. Refused while
    other brokers could not hold what it holds.

    Args:
        broker (str): The id of a broker. Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Operation | Problem]
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
) -> Operation | Problem | None:
    """Move everything off a broker

     It stays a member, gets no new replicas, and can be stopped for good or taken back. Refused while
    other brokers could not hold what it holds.

    Args:
        broker (str): The id of a broker. Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Operation | Problem
    """

    return (
        await asyncio_detailed(
            broker=broker,
            client=client,
        )
    ).parsed
