from http import HTTPStatus
from io import BytesIO
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...models.read_record_consistency import ReadRecordConsistency
from ...models.read_record_redirect import ReadRecordRedirect
from ...types import UNSET, File, Response, Unset


def _get_kwargs(
    topic: str,
    partition: int,
    offset: int,
    *,
    consistency: ReadRecordConsistency | Unset = ReadRecordConsistency.LOCAL,
    redirect: ReadRecordRedirect | Unset = ReadRecordRedirect.FALSE,
    read_after: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(read_after, Unset):
        headers["read-after"] = read_after

    if not isinstance(if_none_match, Unset):
        headers["if-none-match"] = if_none_match

    params: dict[str, Any] = {}

    json_consistency: str | Unset = UNSET
    if not isinstance(consistency, Unset):
        json_consistency = consistency.value

    params["consistency"] = json_consistency

    json_redirect: str | Unset = UNSET
    if not isinstance(redirect, Unset):
        json_redirect = redirect.value

    params["redirect"] = json_redirect

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/topics/{topic}/partitions/{partition}/records/{offset}".format(
            topic=quote(str(topic), safe=""),
            partition=quote(str(partition), safe=""),
            offset=quote(str(offset), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | File | Problem:
    if response.status_code == 200:
        response_200 = File(payload=BytesIO(response.content))

        return response_200

    if response.status_code == 204:
        response_204 = cast(Any, None)
        return response_204

    if response.status_code == 304:
        response_304 = cast(Any, None)
        return response_304

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
) -> Response[Any | File | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    topic: str,
    partition: int,
    offset: int,
    *,
    client: AuthenticatedClient | Client,
    consistency: ReadRecordConsistency | Unset = ReadRecordConsistency.LOCAL,
    redirect: ReadRecordRedirect | Unset = ReadRecordRedirect.FALSE,
    read_after: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | File | Problem]:
    """Read the value of one record as it was produced

     With the content type that the producer named. The record’s headers come as `Record-Header-<name>`.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        offset (int): The number of a record. Example: 0.
        consistency (ReadRecordConsistency | Unset): local: what the broker that is asked knows to
            be committed, or the leader, if it knows that it is later than MaxLag. leader: what the
            partition’s leader knows. linearizable: not older than any answer that anybody got before
            this request; a majority is asked. Of what is followed it says where to begin. Default:
            ReadRecordConsistency.LOCAL.
        redirect (ReadRecordRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            ReadRecordRedirect.FALSE.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.
        if_none_match (str | Unset): The ETag of an answer that is held already.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | File | Problem]
    """

    kwargs = _get_kwargs(
        topic=topic,
        partition=partition,
        offset=offset,
        consistency=consistency,
        redirect=redirect,
        read_after=read_after,
        if_none_match=if_none_match,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    topic: str,
    partition: int,
    offset: int,
    *,
    client: AuthenticatedClient | Client,
    consistency: ReadRecordConsistency | Unset = ReadRecordConsistency.LOCAL,
    redirect: ReadRecordRedirect | Unset = ReadRecordRedirect.FALSE,
    read_after: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Any | File | Problem | None:
    """Read the value of one record as it was produced

     With the content type that the producer named. The record’s headers come as `Record-Header-<name>`.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        offset (int): The number of a record. Example: 0.
        consistency (ReadRecordConsistency | Unset): local: what the broker that is asked knows to
            be committed, or the leader, if it knows that it is later than MaxLag. leader: what the
            partition’s leader knows. linearizable: not older than any answer that anybody got before
            this request; a majority is asked. Of what is followed it says where to begin. Default:
            ReadRecordConsistency.LOCAL.
        redirect (ReadRecordRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            ReadRecordRedirect.FALSE.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.
        if_none_match (str | Unset): The ETag of an answer that is held already.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | File | Problem
    """

    return sync_detailed(
        topic=topic,
        partition=partition,
        offset=offset,
        client=client,
        consistency=consistency,
        redirect=redirect,
        read_after=read_after,
        if_none_match=if_none_match,
    ).parsed


async def asyncio_detailed(
    topic: str,
    partition: int,
    offset: int,
    *,
    client: AuthenticatedClient | Client,
    consistency: ReadRecordConsistency | Unset = ReadRecordConsistency.LOCAL,
    redirect: ReadRecordRedirect | Unset = ReadRecordRedirect.FALSE,
    read_after: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | File | Problem]:
    """Read the value of one record as it was produced

     With the content type that the producer named. The record’s headers come as `Record-Header-<name>`.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        offset (int): The number of a record. Example: 0.
        consistency (ReadRecordConsistency | Unset): local: what the broker that is asked knows to
            be committed, or the leader, if it knows that it is later than MaxLag. leader: what the
            partition’s leader knows. linearizable: not older than any answer that anybody got before
            this request; a majority is asked. Of what is followed it says where to begin. Default:
            ReadRecordConsistency.LOCAL.
        redirect (ReadRecordRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            ReadRecordRedirect.FALSE.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.
        if_none_match (str | Unset): The ETag of an answer that is held already.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | File | Problem]
    """

    kwargs = _get_kwargs(
        topic=topic,
        partition=partition,
        offset=offset,
        consistency=consistency,
        redirect=redirect,
        read_after=read_after,
        if_none_match=if_none_match,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    topic: str,
    partition: int,
    offset: int,
    *,
    client: AuthenticatedClient | Client,
    consistency: ReadRecordConsistency | Unset = ReadRecordConsistency.LOCAL,
    redirect: ReadRecordRedirect | Unset = ReadRecordRedirect.FALSE,
    read_after: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Any | File | Problem | None:
    """Read the value of one record as it was produced

     With the content type that the producer named. The record’s headers come as `Record-Header-<name>`.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        offset (int): The number of a record. Example: 0.
        consistency (ReadRecordConsistency | Unset): local: what the broker that is asked knows to
            be committed, or the leader, if it knows that it is later than MaxLag. leader: what the
            partition’s leader knows. linearizable: not older than any answer that anybody got before
            this request; a majority is asked. Of what is followed it says where to begin. Default:
            ReadRecordConsistency.LOCAL.
        redirect (ReadRecordRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            ReadRecordRedirect.FALSE.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.
        if_none_match (str | Unset): The ETag of an answer that is held already.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | File | Problem
    """

    return (
        await asyncio_detailed(
            topic=topic,
            partition=partition,
            offset=offset,
            client=client,
            consistency=consistency,
            redirect=redirect,
            read_after=read_after,
            if_none_match=if_none_match,
        )
    ).parsed
