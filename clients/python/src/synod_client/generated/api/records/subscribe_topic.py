from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...models.subscribe_topic_consistency import SubscribeTopicConsistency
from ...models.subscribe_topic_redirect import SubscribeTopicRedirect
from ...models.subscribe_topic_values import SubscribeTopicValues
from ...types import UNSET, Response, Unset


def _get_kwargs(
    topic: str,
    *,
    from_: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    consistency: SubscribeTopicConsistency | Unset = SubscribeTopicConsistency.LOCAL,
    redirect: SubscribeTopicRedirect | Unset = SubscribeTopicRedirect.FALSE,
    batch: int | Unset = UNSET,
    values: SubscribeTopicValues | Unset = UNSET,
    read_after: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(read_after, Unset):
        headers["read-after"] = read_after

    params: dict[str, Any] = {}

    params["from"] = from_

    params["partition"] = partition

    json_consistency: str | Unset = UNSET
    if not isinstance(consistency, Unset):
        json_consistency = consistency.value

    params["consistency"] = json_consistency

    json_redirect: str | Unset = UNSET
    if not isinstance(redirect, Unset):
        json_redirect = redirect.value

    params["redirect"] = json_redirect

    params["batch"] = batch

    json_values: str | Unset = UNSET
    if not isinstance(values, Unset):
        json_values = values.value

    params["values"] = json_values

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/topics/{topic}/subscribe".format(
            topic=quote(str(topic), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Problem:
    if response.status_code == 101:
        response_101 = cast(Any, None)
        return response_101

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

    if response.status_code == 416:
        response_416 = Problem.from_dict(response.json())

        return response_416

    if response.status_code == 426:
        response_426 = Problem.from_dict(response.json())

        return response_426

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
) -> Response[Any | Problem]:
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
    from_: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    consistency: SubscribeTopicConsistency | Unset = SubscribeTopicConsistency.LOCAL,
    redirect: SubscribeTopicRedirect | Unset = SubscribeTopicRedirect.FALSE,
    batch: int | Unset = UNSET,
    values: SubscribeTopicValues | Unset = UNSET,
    read_after: str | Unset = UNSET,
) -> Response[Any | Problem]:
    """Subscribe over WebSocket: each text frame is one record as JSON

     A plain GET is answered 426. A slow subscriber is never dropped: the broker stops reading for it. A
    subscription that fails later ends with a frame of one problem.

    Args:
        topic (str): The name of a topic. Example: orders.
        from_ (str | Unset): An offset (one partition only), 0@17,1@12 (partition@next offset; the
            others from the earliest), earliest, latest, -N (the last N of each partition),
            time:RFC3339 (the first appended at or after) or cursor:… (where another read of the topic
            ended). Example: earliest.
        partition (int | Unset): Only this partition.
        consistency (SubscribeTopicConsistency | Unset): local: what the broker that is asked
            knows to be committed, or the leader, if it knows that it is later than MaxLag. leader:
            what the partition’s leader knows. linearizable: not older than any answer that anybody
            got before this request; a majority is asked. Of what is followed it says where to begin.
            Default: SubscribeTopicConsistency.LOCAL.
        redirect (SubscribeTopicRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            SubscribeTopicRedirect.FALSE.
        batch (int | Unset): Frames are arrays of up to so many records.
        values (SubscribeTopicValues | Unset): only: frames are the values alone.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem]
    """

    kwargs = _get_kwargs(
        topic=topic,
        from_=from_,
        partition=partition,
        consistency=consistency,
        redirect=redirect,
        batch=batch,
        values=values,
        read_after=read_after,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    from_: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    consistency: SubscribeTopicConsistency | Unset = SubscribeTopicConsistency.LOCAL,
    redirect: SubscribeTopicRedirect | Unset = SubscribeTopicRedirect.FALSE,
    batch: int | Unset = UNSET,
    values: SubscribeTopicValues | Unset = UNSET,
    read_after: str | Unset = UNSET,
) -> Any | Problem | None:
    """Subscribe over WebSocket: each text frame is one record as JSON

     A plain GET is answered 426. A slow subscriber is never dropped: the broker stops reading for it. A
    subscription that fails later ends with a frame of one problem.

    Args:
        topic (str): The name of a topic. Example: orders.
        from_ (str | Unset): An offset (one partition only), 0@17,1@12 (partition@next offset; the
            others from the earliest), earliest, latest, -N (the last N of each partition),
            time:RFC3339 (the first appended at or after) or cursor:… (where another read of the topic
            ended). Example: earliest.
        partition (int | Unset): Only this partition.
        consistency (SubscribeTopicConsistency | Unset): local: what the broker that is asked
            knows to be committed, or the leader, if it knows that it is later than MaxLag. leader:
            what the partition’s leader knows. linearizable: not older than any answer that anybody
            got before this request; a majority is asked. Of what is followed it says where to begin.
            Default: SubscribeTopicConsistency.LOCAL.
        redirect (SubscribeTopicRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            SubscribeTopicRedirect.FALSE.
        batch (int | Unset): Frames are arrays of up to so many records.
        values (SubscribeTopicValues | Unset): only: frames are the values alone.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem
    """

    return sync_detailed(
        topic=topic,
        client=client,
        from_=from_,
        partition=partition,
        consistency=consistency,
        redirect=redirect,
        batch=batch,
        values=values,
        read_after=read_after,
    ).parsed


async def asyncio_detailed(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    from_: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    consistency: SubscribeTopicConsistency | Unset = SubscribeTopicConsistency.LOCAL,
    redirect: SubscribeTopicRedirect | Unset = SubscribeTopicRedirect.FALSE,
    batch: int | Unset = UNSET,
    values: SubscribeTopicValues | Unset = UNSET,
    read_after: str | Unset = UNSET,
) -> Response[Any | Problem]:
    """Subscribe over WebSocket: each text frame is one record as JSON

     A plain GET is answered 426. A slow subscriber is never dropped: the broker stops reading for it. A
    subscription that fails later ends with a frame of one problem.

    Args:
        topic (str): The name of a topic. Example: orders.
        from_ (str | Unset): An offset (one partition only), 0@17,1@12 (partition@next offset; the
            others from the earliest), earliest, latest, -N (the last N of each partition),
            time:RFC3339 (the first appended at or after) or cursor:… (where another read of the topic
            ended). Example: earliest.
        partition (int | Unset): Only this partition.
        consistency (SubscribeTopicConsistency | Unset): local: what the broker that is asked
            knows to be committed, or the leader, if it knows that it is later than MaxLag. leader:
            what the partition’s leader knows. linearizable: not older than any answer that anybody
            got before this request; a majority is asked. Of what is followed it says where to begin.
            Default: SubscribeTopicConsistency.LOCAL.
        redirect (SubscribeTopicRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            SubscribeTopicRedirect.FALSE.
        batch (int | Unset): Frames are arrays of up to so many records.
        values (SubscribeTopicValues | Unset): only: frames are the values alone.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem]
    """

    kwargs = _get_kwargs(
        topic=topic,
        from_=from_,
        partition=partition,
        consistency=consistency,
        redirect=redirect,
        batch=batch,
        values=values,
        read_after=read_after,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    from_: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    consistency: SubscribeTopicConsistency | Unset = SubscribeTopicConsistency.LOCAL,
    redirect: SubscribeTopicRedirect | Unset = SubscribeTopicRedirect.FALSE,
    batch: int | Unset = UNSET,
    values: SubscribeTopicValues | Unset = UNSET,
    read_after: str | Unset = UNSET,
) -> Any | Problem | None:
    """Subscribe over WebSocket: each text frame is one record as JSON

     A plain GET is answered 426. A slow subscriber is never dropped: the broker stops reading for it. A
    subscription that fails later ends with a frame of one problem.

    Args:
        topic (str): The name of a topic. Example: orders.
        from_ (str | Unset): An offset (one partition only), 0@17,1@12 (partition@next offset; the
            others from the earliest), earliest, latest, -N (the last N of each partition),
            time:RFC3339 (the first appended at or after) or cursor:… (where another read of the topic
            ended). Example: earliest.
        partition (int | Unset): Only this partition.
        consistency (SubscribeTopicConsistency | Unset): local: what the broker that is asked
            knows to be committed, or the leader, if it knows that it is later than MaxLag. leader:
            what the partition’s leader knows. linearizable: not older than any answer that anybody
            got before this request; a majority is asked. Of what is followed it says where to begin.
            Default: SubscribeTopicConsistency.LOCAL.
        redirect (SubscribeTopicRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            SubscribeTopicRedirect.FALSE.
        batch (int | Unset): Frames are arrays of up to so many records.
        values (SubscribeTopicValues | Unset): only: frames are the values alone.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem
    """

    return (
        await asyncio_detailed(
            topic=topic,
            client=client,
            from_=from_,
            partition=partition,
            consistency=consistency,
            redirect=redirect,
            batch=batch,
            values=values,
            read_after=read_after,
        )
    ).parsed
