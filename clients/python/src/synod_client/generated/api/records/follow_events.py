from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.follow_events_consistency import FollowEventsConsistency
from ...models.follow_events_redirect import FollowEventsRedirect
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    topic: str,
    *,
    from_: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    consistency: FollowEventsConsistency | Unset = FollowEventsConsistency.LOCAL,
    redirect: FollowEventsRedirect | Unset = FollowEventsRedirect.FALSE,
    read_after: str | Unset = UNSET,
    last_event_id: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(read_after, Unset):
        headers["read-after"] = read_after

    if not isinstance(last_event_id, Unset):
        headers["last-event-id"] = last_event_id

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

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/topics/{topic}/events".format(
            topic=quote(str(topic), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Problem | str:
    if response.status_code == 200:
        response_200 = response.text
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
) -> Response[Any | Problem | str]:
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
    consistency: FollowEventsConsistency | Unset = FollowEventsConsistency.LOCAL,
    redirect: FollowEventsRedirect | Unset = FollowEventsRedirect.FALSE,
    read_after: str | Unset = UNSET,
    last_event_id: str | Unset = UNSET,
) -> Response[Any | Problem | str]:
    """Read records as they arrive, as server-sent events

     For EventSource: each event is one `Record` as JSON, its id the cursor after it. Nothing is skipped
    or repeated when the browser connects again. A comment comes every 15 seconds. A failure ends it
    with an event `problem`.

    Args:
        topic (str): The name of a topic. Example: orders.
        from_ (str | Unset): An offset (one partition only), 0@17,1@12 (partition@next offset; the
            others from the earliest), earliest, latest, -N (the last N of each partition),
            time:RFC3339 (the first appended at or after) or cursor:… (where another read of the topic
            ended). Example: earliest.
        partition (int | Unset): Only this partition.
        consistency (FollowEventsConsistency | Unset): local: what the broker that is asked knows
            to be committed, or the leader, if it knows that it is later than MaxLag. leader: what the
            partition’s leader knows. linearizable: not older than any answer that anybody got before
            this request; a majority is asked. Of what is followed it says where to begin. Default:
            FollowEventsConsistency.LOCAL.
        redirect (FollowEventsRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            FollowEventsRedirect.FALSE.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.
        last_event_id (str | Unset): The id of the last event that was seen; counts instead of
            `from`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem | str]
    """

    kwargs = _get_kwargs(
        topic=topic,
        from_=from_,
        partition=partition,
        consistency=consistency,
        redirect=redirect,
        read_after=read_after,
        last_event_id=last_event_id,
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
    consistency: FollowEventsConsistency | Unset = FollowEventsConsistency.LOCAL,
    redirect: FollowEventsRedirect | Unset = FollowEventsRedirect.FALSE,
    read_after: str | Unset = UNSET,
    last_event_id: str | Unset = UNSET,
) -> Any | Problem | str | None:
    """Read records as they arrive, as server-sent events

     For EventSource: each event is one `Record` as JSON, its id the cursor after it. Nothing is skipped
    or repeated when the browser connects again. A comment comes every 15 seconds. A failure ends it
    with an event `problem`.

    Args:
        topic (str): The name of a topic. Example: orders.
        from_ (str | Unset): An offset (one partition only), 0@17,1@12 (partition@next offset; the
            others from the earliest), earliest, latest, -N (the last N of each partition),
            time:RFC3339 (the first appended at or after) or cursor:… (where another read of the topic
            ended). Example: earliest.
        partition (int | Unset): Only this partition.
        consistency (FollowEventsConsistency | Unset): local: what the broker that is asked knows
            to be committed, or the leader, if it knows that it is later than MaxLag. leader: what the
            partition’s leader knows. linearizable: not older than any answer that anybody got before
            this request; a majority is asked. Of what is followed it says where to begin. Default:
            FollowEventsConsistency.LOCAL.
        redirect (FollowEventsRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            FollowEventsRedirect.FALSE.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.
        last_event_id (str | Unset): The id of the last event that was seen; counts instead of
            `from`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem | str
    """

    return sync_detailed(
        topic=topic,
        client=client,
        from_=from_,
        partition=partition,
        consistency=consistency,
        redirect=redirect,
        read_after=read_after,
        last_event_id=last_event_id,
    ).parsed


async def asyncio_detailed(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    from_: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    consistency: FollowEventsConsistency | Unset = FollowEventsConsistency.LOCAL,
    redirect: FollowEventsRedirect | Unset = FollowEventsRedirect.FALSE,
    read_after: str | Unset = UNSET,
    last_event_id: str | Unset = UNSET,
) -> Response[Any | Problem | str]:
    """Read records as they arrive, as server-sent events

     For EventSource: each event is one `Record` as JSON, its id the cursor after it. Nothing is skipped
    or repeated when the browser connects again. A comment comes every 15 seconds. A failure ends it
    with an event `problem`.

    Args:
        topic (str): The name of a topic. Example: orders.
        from_ (str | Unset): An offset (one partition only), 0@17,1@12 (partition@next offset; the
            others from the earliest), earliest, latest, -N (the last N of each partition),
            time:RFC3339 (the first appended at or after) or cursor:… (where another read of the topic
            ended). Example: earliest.
        partition (int | Unset): Only this partition.
        consistency (FollowEventsConsistency | Unset): local: what the broker that is asked knows
            to be committed, or the leader, if it knows that it is later than MaxLag. leader: what the
            partition’s leader knows. linearizable: not older than any answer that anybody got before
            this request; a majority is asked. Of what is followed it says where to begin. Default:
            FollowEventsConsistency.LOCAL.
        redirect (FollowEventsRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            FollowEventsRedirect.FALSE.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.
        last_event_id (str | Unset): The id of the last event that was seen; counts instead of
            `from`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem | str]
    """

    kwargs = _get_kwargs(
        topic=topic,
        from_=from_,
        partition=partition,
        consistency=consistency,
        redirect=redirect,
        read_after=read_after,
        last_event_id=last_event_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    from_: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    consistency: FollowEventsConsistency | Unset = FollowEventsConsistency.LOCAL,
    redirect: FollowEventsRedirect | Unset = FollowEventsRedirect.FALSE,
    read_after: str | Unset = UNSET,
    last_event_id: str | Unset = UNSET,
) -> Any | Problem | str | None:
    """Read records as they arrive, as server-sent events

     For EventSource: each event is one `Record` as JSON, its id the cursor after it. Nothing is skipped
    or repeated when the browser connects again. A comment comes every 15 seconds. A failure ends it
    with an event `problem`.

    Args:
        topic (str): The name of a topic. Example: orders.
        from_ (str | Unset): An offset (one partition only), 0@17,1@12 (partition@next offset; the
            others from the earliest), earliest, latest, -N (the last N of each partition),
            time:RFC3339 (the first appended at or after) or cursor:… (where another read of the topic
            ended). Example: earliest.
        partition (int | Unset): Only this partition.
        consistency (FollowEventsConsistency | Unset): local: what the broker that is asked knows
            to be committed, or the leader, if it knows that it is later than MaxLag. leader: what the
            partition’s leader knows. linearizable: not older than any answer that anybody got before
            this request; a majority is asked. Of what is followed it says where to begin. Default:
            FollowEventsConsistency.LOCAL.
        redirect (FollowEventsRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            FollowEventsRedirect.FALSE.
        read_after (str | Unset): Records that the answer must know of, as receipts tell them:
            partition@offset, with commas. Whatever was written is so read on any broker. Example:
            0@17.
        last_event_id (str | Unset): The id of the last event that was seen; counts instead of
            `from`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem | str
    """

    return (
        await asyncio_detailed(
            topic=topic,
            client=client,
            from_=from_,
            partition=partition,
            consistency=consistency,
            redirect=redirect,
            read_after=read_after,
            last_event_id=last_event_id,
        )
    ).parsed
