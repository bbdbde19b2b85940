from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.page import Page
from ...models.problem import Problem
from ...models.read_page_consistency import ReadPageConsistency
from ...models.read_page_redirect import ReadPageRedirect
from ...types import UNSET, Response, Unset


def _get_kwargs(
    topic: str,
    partition: int,
    *,
    from_: str | Unset = UNSET,
    until: str | Unset = UNSET,
    consistency: ReadPageConsistency | Unset = ReadPageConsistency.LOCAL,
    redirect: ReadPageRedirect | Unset = ReadPageRedirect.FALSE,
    limit: int | Unset = 100,
    max_bytes: int | Unset = 1048576,
    wait: str | Unset = UNSET,
    read_after: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(read_after, Unset):
        headers["read-after"] = read_after

    if not isinstance(if_none_match, Unset):
        headers["if-none-match"] = if_none_match

    params: dict[str, Any] = {}

    params["from"] = from_

    params["until"] = until

    json_consistency: str | Unset = UNSET
    if not isinstance(consistency, Unset):
        json_consistency = consistency.value

    params["consistency"] = json_consistency

    json_redirect: str | Unset = UNSET
    if not isinstance(redirect, Unset):
        json_redirect = redirect.value

    params["redirect"] = json_redirect

    params["limit"] = limit

    params["maxBytes"] = max_bytes

    params["wait"] = wait

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/topics/{topic}/partitions/{partition}/records".format(
            topic=quote(str(topic), safe=""),
            partition=quote(str(partition), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Page | Problem:
    if response.status_code == 200:
        response_200 = Page.from_dict(response.json())

        return response_200

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
) -> Response[Any | Page | Problem]:
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
    from_: str | Unset = UNSET,
    until: str | Unset = UNSET,
    consistency: ReadPageConsistency | Unset = ReadPageConsistency.LOCAL,
    redirect: ReadPageRedirect | Unset = ReadPageRedirect.FALSE,
    limit: int | Unset = 100,
    max_bytes: int | Unset = 1048576,
    wait: str | Unset = UNSET,
    read_after: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | Page | Problem]:
    """Read a page of records

     Only records that a majority has are shown. Reading begins where you say and nowhere else: a place
    that was trimmed or is not there yet is an error.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        from_ (str | Unset): An offset (one partition only), 0@17,1@12 (partition@next offset; the
            others from the earliest), earliest, latest, -N (the last N of each partition),
            time:RFC3339 (the first appended at or after) or cursor:… (where another read of the topic
            ended). Example: earliest.
        until (str | Unset): Where to end, in the forms of `from`: the page stops before that
            record. If both ends are offsets and the page is whole, it never changes: it has an ETag,
            may be cached for ever, and leaves out the high watermark. Example: 100.
        consistency (ReadPageConsistency | Unset): local: what the broker that is asked knows to
            be committed, or the leader, if it knows that it is later than MaxLag. leader: what the
            partition’s leader knows. linearizable: not older than any answer that anybody got before
            this request; a majority is asked. Of what is followed it says where to begin. Default:
            ReadPageConsistency.LOCAL.
        redirect (ReadPageRedirect | Unset): true: answer 307 with the address of the broker that
            leads all that the request is about, if there is one. Default: ReadPageRedirect.FALSE.
        limit (int | Unset): How many records at most. Default: 100.
        max_bytes (int | Unset): How many bytes of records at most, but at least one record.
            Default: 1048576.
        wait (str | Unset): How long to wait for a record when there is none: 20s or 500ms; a
            plain number counts seconds. At most 60s. Example: 20s.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.
        if_none_match (str | Unset): The ETag of an answer that is held already.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Page | Problem]
    """

    kwargs = _get_kwargs(
        topic=topic,
        partition=partition,
        from_=from_,
        until=until,
        consistency=consistency,
        redirect=redirect,
        limit=limit,
        max_bytes=max_bytes,
        wait=wait,
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
    *,
    client: AuthenticatedClient | Client,
    from_: str | Unset = UNSET,
    until: str | Unset = UNSET,
    consistency: ReadPageConsistency | Unset = ReadPageConsistency.LOCAL,
    redirect: ReadPageRedirect | Unset = ReadPageRedirect.FALSE,
    limit: int | Unset = 100,
    max_bytes: int | Unset = 1048576,
    wait: str | Unset = UNSET,
    read_after: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Any | Page | Problem | None:
    """Read a page of records

     Only records that a majority has are shown. Reading begins where you say and nowhere else: a place
    that was trimmed or is not there yet is an error.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        from_ (str | Unset): An offset (one partition only), 0@17,1@12 (partition@next offset; the
            others from the earliest), earliest, latest, -N (the last N of each partition),
            time:RFC3339 (the first appended at or after) or cursor:… (where another read of the topic
            ended). Example: earliest.
        until (str | Unset): Where to end, in the forms of `from`: the page stops before that
            record. If both ends are offsets and the page is whole, it never changes: it has an ETag,
            may be cached for ever, and leaves out the high watermark. Example: 100.
        consistency (ReadPageConsistency | Unset): local: what the broker that is asked knows to
            be committed, or the leader, if it knows that it is later than MaxLag. leader: what the
            partition’s leader knows. linearizable: not older than any answer that anybody got before
            this request; a majority is asked. Of what is followed it says where to begin. Default:
            ReadPageConsistency.LOCAL.
        redirect (ReadPageRedirect | Unset): true: answer 307 with the address of the broker that
            leads all that the request is about, if there is one. Default: ReadPageRedirect.FALSE.
        limit (int | Unset): How many records at most. Default: 100.
        max_bytes (int | Unset): How many bytes of records at most, but at least one record.
            Default: 1048576.
        wait (str | Unset): How long to wait for a record when there is none: 20s or 500ms; a
            plain number counts seconds. At most 60s. Example: 20s.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.
        if_none_match (str | Unset): The ETag of an answer that is held already.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Page | Problem
    """

    return sync_detailed(
        topic=topic,
        partition=partition,
        client=client,
        from_=from_,
        until=until,
        consistency=consistency,
        redirect=redirect,
        limit=limit,
        max_bytes=max_bytes,
        wait=wait,
        read_after=read_after,
        if_none_match=if_none_match,
    ).parsed


async def asyncio_detailed(
    topic: str,
    partition: int,
    *,
    client: AuthenticatedClient | Client,
    from_: str | Unset = UNSET,
    until: str | Unset = UNSET,
    consistency: ReadPageConsistency | Unset = ReadPageConsistency.LOCAL,
    redirect: ReadPageRedirect | Unset = ReadPageRedirect.FALSE,
    limit: int | Unset = 100,
    max_bytes: int | Unset = 1048576,
    wait: str | Unset = UNSET,
    read_after: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | Page | Problem]:
    """Read a page of records

     Only records that a majority has are shown. Reading begins where you say and nowhere else: a place
    that was trimmed or is not there yet is an error.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        from_ (str | Unset): An offset (one partition only), 0@17,1@12 (partition@next offset; the
            others from the earliest), earliest, latest, -N (the last N of each partition),
            time:RFC3339 (the first appended at or after) or cursor:… (where another read of the topic
            ended). Example: earliest.
        until (str | Unset): Where to end, in the forms of `from`: the page stops before that
            record. If both ends are offsets and the page is whole, it never changes: it has an ETag,
            may be cached for ever, and leaves out the high watermark. Example: 100.
        consistency (ReadPageConsistency | Unset): local: what the broker that is asked knows to
            be committed, or the leader, if it knows that it is later than MaxLag. leader: what the
            partition’s leader knows. linearizable: not older than any answer that anybody got before
            this request; a majority is asked. Of what is followed it says where to begin. Default:
            ReadPageConsistency.LOCAL.
        redirect (ReadPageRedirect | Unset): true: answer 307 with the address of the broker that
            leads all that the request is about, if there is one. Default: ReadPageRedirect.FALSE.
        limit (int | Unset): How many records at most. Default: 100.
        max_bytes (int | Unset): How many bytes of records at most, but at least one record.
            Default: 1048576.
        wait (str | Unset): How long to wait for a record when there is none: 20s or 500ms; a
            plain number counts seconds. At most 60s. Example: 20s.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.
        if_none_match (str | Unset): The ETag of an answer that is held already.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Page | Problem]
    """

    kwargs = _get_kwargs(
        topic=topic,
        partition=partition,
        from_=from_,
        until=until,
        consistency=consistency,
        redirect=redirect,
        limit=limit,
        max_bytes=max_bytes,
        wait=wait,
        read_after=read_after,
        if_none_match=if_none_match,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    topic: str,
    partition: int,
    *,
    client: AuthenticatedClient | Client,
    from_: str | Unset = UNSET,
    until: str | Unset = UNSET,
    consistency: ReadPageConsistency | Unset = ReadPageConsistency.LOCAL,
    redirect: ReadPageRedirect | Unset = ReadPageRedirect.FALSE,
    limit: int | Unset = 100,
    max_bytes: int | Unset = 1048576,
    wait: str | Unset = UNSET,
    read_after: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Any | Page | Problem | None:
    """Read a page of records

     Only records that a majority has are shown. Reading begins where you say and nowhere else: a place
    that was trimmed or is not there yet is an error.

    Args:
        topic (str): The name of a topic. Example: orders.
        partition (int): The number of a partition. Example: 0.
        from_ (str | Unset): An offset (one partition only), 0@17,1@12 (partition@next offset; the
            others from the earliest), earliest, latest, -N (the last N of each partition),
            time:RFC3339 (the first appended at or after) or cursor:… (where another read of the topic
            ended). Example: earliest.
        until (str | Unset): Where to end, in the forms of `from`: the page stops before that
            record. If both ends are offsets and the page is whole, it never changes: it has an ETag,
            may be cached for ever, and leaves out the high watermark. Example: 100.
        consistency (ReadPageConsistency | Unset): local: what the broker that is asked knows to
            be committed, or the leader, if it knows that it is later than MaxLag. leader: what the
            partition’s leader knows. linearizable: not older than any answer that anybody got before
            this request; a majority is asked. Of what is followed it says where to begin. Default:
            ReadPageConsistency.LOCAL.
        redirect (ReadPageRedirect | Unset): true: answer 307 with the address of the broker that
            leads all that the request is about, if there is one. Default: ReadPageRedirect.FALSE.
        limit (int | Unset): How many records at most. Default: 100.
        max_bytes (int | Unset): How many bytes of records at most, but at least one record.
            Default: 1048576.
        wait (str | Unset): How long to wait for a record when there is none: 20s or 500ms; a
            plain number counts seconds. At most 60s. Example: 20s.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.
        if_none_match (str | Unset): The ETag of an answer that is held already.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Page | Problem
    """

    return (
        await asyncio_detailed(
            topic=topic,
            partition=partition,
            client=client,
            from_=from_,
            until=until,
            consistency=consistency,
            redirect=redirect,
            limit=limit,
            max_bytes=max_bytes,
            wait=wait,
            read_after=read_after,
            if_none_match=if_none_match,
        )
    ).parsed
