from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.get_topic_linearizable import GetTopicLinearizable
from ...models.problem import Problem
from ...models.topic import Topic
from ...types import UNSET, Response, Unset


def _get_kwargs(
    topic: str,
    *,
    linearizable: GetTopicLinearizable | Unset = GetTopicLinearizable.FALSE,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_linearizable: str | Unset = UNSET
    if not isinstance(linearizable, Unset):
        json_linearizable = linearizable.value

    params["linearizable"] = json_linearizable

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/topics/{topic}".format(
            topic=quote(str(topic), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | Topic:
    if response.status_code == 200:
        response_200 = Topic.from_dict(response.json())

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
) -> Response[Problem | Topic]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    linearizable: GetTopicLinearizable | Unset = GetTopicLinearizable.FALSE,
) -> Response[Problem | Topic]:
    """Show a topic with the live state of its partitions

     Leaders, high watermarks and sizes are asked of the leaders; what nobody told in time is left out.
    That the topic exists is what this broker knows, unless `linearizable` asks for more.

    Args:
        topic (str): The name of a topic. Example: orders.
        linearizable (GetTopicLinearizable | Unset): true: whether the topic exists, and its
            settings, are not older than any answer that anybody got before this request. A majority
            is asked first. Default: GetTopicLinearizable.FALSE.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | Topic]
    """

    kwargs = _get_kwargs(
        topic=topic,
        linearizable=linearizable,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    linearizable: GetTopicLinearizable | Unset = GetTopicLinearizable.FALSE,
) -> Problem | Topic | None:
    """Show a topic with the live state of its partitions

     Leaders, high watermarks and sizes are asked of the leaders; what nobody told in time is left out.
    That the topic exists is what this broker knows, unless `linearizable` asks for more.

    Args:
        topic (str): The name of a topic. Example: orders.
        linearizable (GetTopicLinearizable | Unset): true: whether the topic exists, and its
            settings, are not older than any answer that anybody got before this request. A majority
            is asked first. Default: GetTopicLinearizable.FALSE.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | Topic
    """

    return sync_detailed(
        topic=topic,
        client=client,
        linearizable=linearizable,
    ).parsed


async def asyncio_detailed(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    linearizable: GetTopicLinearizable | Unset = GetTopicLinearizable.FALSE,
) -> Response[Problem | Topic]:
    """Show a topic with the live state of its partitions

     Leaders, high watermarks and sizes are asked of the leaders; what nobody told in time is left out.
    That the topic exists is what this broker knows, unless `linearizable` asks for more.

    Args:
        topic (str): The name of a topic. Example: orders.
        linearizable (GetTopicLinearizable | Unset): true: whether the topic exists, and its
            settings, are not older than any answer that anybody got before this request. A majority
            is asked first. Default: GetTopicLinearizable.FALSE.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | Topic]
    """

    kwargs = _get_kwargs(
        topic=topic,
        linearizable=linearizable,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    linearizable: GetTopicLinearizable | Unset = GetTopicLinearizable.FALSE,
) -> Problem | Topic | None:
    """Show a topic with the live state of its partitions

     Leaders, high watermarks and sizes are asked of the leaders; what nobody told in time is left out.
    That the topic exists is what this broker knows, unless `linearizable` asks for more.

    Args:
        topic (str): The name of a topic. Example: orders.
        linearizable (GetTopicLinearizable | Unset): true: whether the topic exists, and its
            settings, are not older than any answer that anybody got before this request. A majority
            is asked first. Default: GetTopicLinearizable.FALSE.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | Topic
    """

    return (
        await asyncio_detailed(
            topic=topic,
            client=client,
            linearizable=linearizable,
        )
    ).parsed
