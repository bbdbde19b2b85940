from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.ingest_records_acks import IngestRecordsAcks
from ...models.ingest_records_redirect import IngestRecordsRedirect
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    topic: str,
    *,
    body: str,
    acks: IngestRecordsAcks | Unset = IngestRecordsAcks.MAJORITY,
    redirect: IngestRecordsRedirect | Unset = IngestRecordsRedirect.FALSE,
    idempotency_key: str | Unset = UNSET,
    producer_id: str | Unset = UNSET,
    producer_epoch: int | Unset = UNSET,
    producer_seq: int | Unset = UNSET,
    expected_offset: int | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["idempotency-key"] = idempotency_key

    if not isinstance(producer_id, Unset):
        headers["producer-id"] = producer_id

    if not isinstance(producer_epoch, Unset):
        headers["producer-epoch"] = str(producer_epoch)

    if not isinstance(producer_seq, Unset):
        headers["producer-seq"] = str(producer_seq)

    if not isinstance(expected_offset, Unset):
        headers["expected-offset"] = str(expected_offset)

    params: dict[str, Any] = {}

    json_acks: str | Unset = UNSET
    if not isinstance(acks, Unset):
        json_acks = acks.value

    params["acks"] = json_acks

    json_redirect: str | Unset = UNSET
    if not isinstance(redirect, Unset):
        json_redirect = redirect.value

    params["redirect"] = json_redirect

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/topics/{topic}/ingest".format(
            topic=quote(str(topic), safe=""),
        ),
        "params": params,
    }

    _kwargs["content"] = body.payload
    headers["Content-Type"] = "application/x-ndjson"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Problem | str:
    if response.status_code == 200:
        response_200 = cast(str, response.content)
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

    if response.status_code == 415:
        response_415 = Problem.from_dict(response.json())

        return response_415

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())

        return response_503

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
    body: str,
    acks: IngestRecordsAcks | Unset = IngestRecordsAcks.MAJORITY,
    redirect: IngestRecordsRedirect | Unset = IngestRecordsRedirect.FALSE,
    idempotency_key: str | Unset = UNSET,
    producer_id: str | Unset = UNSET,
    producer_epoch: int | Unset = UNSET,
    producer_seq: int | Unset = UNSET,
    expected_offset: int | Unset = UNSET,
) -> Response[Any | Problem | str]:
    """Append records without an end, one a line

     Each line of the body is a record as in a batch; blank lines are skipped. Each line of the answer is
    the receipt of the record whose turn it is, sent when a majority has it on disk. The last line is
    `{"end":true,"accepted":n}` or `{"problem":{…}}` with `accepted`, the number of receipts, and
    `line`, the first line without one. Read the receipts while you send: when neither side takes what
    the other has to say, the broker stops reading. Producer-Seq and Expected-Offset count on over the
    lines, which then go to one partition. With an Idempotency-Key the whole may be sent again from its
    first line: lines that are stored are answered with their receipts, further ones are stored, and a
    line that is another one than before ends it with `idempotency-key-reused`.

    Args:
        topic (str): The name of a topic. Example: orders.
        acks (IngestRecordsAcks | Unset): all: wait for every replica that is in sync, too.
            Default: IngestRecordsAcks.MAJORITY.
        redirect (IngestRecordsRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            IngestRecordsRedirect.FALSE.
        idempotency_key (str | Unset): Makes sending the same request again safe.
        producer_id (str | Unset): With Producer-Epoch and Producer-Seq: the same for a sequence
            of records.
        producer_epoch (int | Unset): A higher one fences lower ones off.
        producer_seq (int | Unset): Counts the producer’s records in one partition, from 0.
        expected_offset (int | Unset): The offset that the first record must get.
        body (str):  Example: {"key":"ada","value":{"amount":12}}
            {"text":"hello"}
            .

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem | str]
    """

    kwargs = _get_kwargs(
        topic=topic,
        body=body,
        acks=acks,
        redirect=redirect,
        idempotency_key=idempotency_key,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        producer_seq=producer_seq,
        expected_offset=expected_offset,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    body: str,
    acks: IngestRecordsAcks | Unset = IngestRecordsAcks.MAJORITY,
    redirect: IngestRecordsRedirect | Unset = IngestRecordsRedirect.FALSE,
    idempotency_key: str | Unset = UNSET,
    producer_id: str | Unset = UNSET,
    producer_epoch: int | Unset = UNSET,
    producer_seq: int | Unset = UNSET,
    expected_offset: int | Unset = UNSET,
) -> Any | Problem | str | None:
    """Append records without an end, one a line

     Each line of the body is a record as in a batch; blank lines are skipped. Each line of the answer is
    the receipt of the record whose turn it is, sent when a majority has it on disk. The last line is
    `{"end":true,"accepted":n}` or `{"problem":{…}}` with `accepted`, the number of receipts, and
    `line`, the first line without one. Read the receipts while you send: when neither side takes what
    the other has to say, the broker stops reading. Producer-Seq and Expected-Offset count on over the
    lines, which then go to one partition. With an Idempotency-Key the whole may be sent again from its
    first line: lines that are stored are answered with their receipts, further ones are stored, and a
    line that is another one than before ends it with `idempotency-key-reused`.

    Args:
        topic (str): The name of a topic. Example: orders.
        acks (IngestRecordsAcks | Unset): all: wait for every replica that is in sync, too.
            Default: IngestRecordsAcks.MAJORITY.
        redirect (IngestRecordsRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            IngestRecordsRedirect.FALSE.
        idempotency_key (str | Unset): Makes sending the same request again safe.
        producer_id (str | Unset): With Producer-Epoch and Producer-Seq: the same for a sequence
            of records.
        producer_epoch (int | Unset): A higher one fences lower ones off.
        producer_seq (int | Unset): Counts the producer’s records in one partition, from 0.
        expected_offset (int | Unset): The offset that the first record must get.
        body (str):  Example: {"key":"ada","value":{"amount":12}}
            {"text":"hello"}
            .

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem | str
    """

    return sync_detailed(
        topic=topic,
        client=client,
        body=body,
        acks=acks,
        redirect=redirect,
        idempotency_key=idempotency_key,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        producer_seq=producer_seq,
        expected_offset=expected_offset,
    ).parsed


async def asyncio_detailed(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    body: str,
    acks: IngestRecordsAcks | Unset = IngestRecordsAcks.MAJORITY,
    redirect: IngestRecordsRedirect | Unset = IngestRecordsRedirect.FALSE,
    idempotency_key: str | Unset = UNSET,
    producer_id: str | Unset = UNSET,
    producer_epoch: int | Unset = UNSET,
    producer_seq: int | Unset = UNSET,
    expected_offset: int | Unset = UNSET,
) -> Response[Any | Problem | str]:
    """Append records without an end, one a line

     Each line of the body is a record as in a batch; blank lines are skipped. Each line of the answer is
    the receipt of the record whose turn it is, sent when a majority has it on disk. The last line is
    `{"end":true,"accepted":n}` or `{"problem":{…}}` with `accepted`, the number of receipts, and
    `line`, the first line without one. Read the receipts while you send: when neither side takes what
    the other has to say, the broker stops reading. Producer-Seq and Expected-Offset count on over the
    lines, which then go to one partition. With an Idempotency-Key the whole may be sent again from its
    first line: lines that are stored are answered with their receipts, further ones are stored, and a
    line that is another one than before ends it with `idempotency-key-reused`.

    Args:
        topic (str): The name of a topic. Example: orders.
        acks (IngestRecordsAcks | Unset): all: wait for every replica that is in sync, too.
            Default: IngestRecordsAcks.MAJORITY.
        redirect (IngestRecordsRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            IngestRecordsRedirect.FALSE.
        idempotency_key (str | Unset): Makes sending the same request again safe.
        producer_id (str | Unset): With Producer-Epoch and Producer-Seq: the same for a sequence
            of records.
        producer_epoch (int | Unset): A higher one fences lower ones off.
        producer_seq (int | Unset): Counts the producer’s records in one partition, from 0.
        expected_offset (int | Unset): The offset that the first record must get.
        body (str):  Example: {"key":"ada","value":{"amount":12}}
            {"text":"hello"}
            .

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem | str]
    """

    kwargs = _get_kwargs(
        topic=topic,
        body=body,
        acks=acks,
        redirect=redirect,
        idempotency_key=idempotency_key,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        producer_seq=producer_seq,
        expected_offset=expected_offset,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    body: str,
    acks: IngestRecordsAcks | Unset = IngestRecordsAcks.MAJORITY,
    redirect: IngestRecordsRedirect | Unset = IngestRecordsRedirect.FALSE,
    idempotency_key: str | Unset = UNSET,
    producer_id: str | Unset = UNSET,
    producer_epoch: int | Unset = UNSET,
    producer_seq: int | Unset = UNSET,
    expected_offset: int | Unset = UNSET,
) -> Any | Problem | str | None:
    """Append records without an end, one a line

     Each line of the body is a record as in a batch; blank lines are skipped. Each line of the answer is
    the receipt of the record whose turn it is, sent when a majority has it on disk. The last line is
    `{"end":true,"accepted":n}` or `{"problem":{…}}` with `accepted`, the number of receipts, and
    `line`, the first line without one. Read the receipts while you send: when neither side takes what
    the other has to say, the broker stops reading. Producer-Seq and Expected-Offset count on over the
    lines, which then go to one partition. With an Idempotency-Key the whole may be sent again from its
    first line: lines that are stored are answered with their receipts, further ones are stored, and a
    line that is another one than before ends it with `idempotency-key-reused`.

    Args:
        topic (str): The name of a topic. Example: orders.
        acks (IngestRecordsAcks | Unset): all: wait for every replica that is in sync, too.
            Default: IngestRecordsAcks.MAJORITY.
        redirect (IngestRecordsRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            IngestRecordsRedirect.FALSE.
        idempotency_key (str | Unset): Makes sending the same request again safe.
        producer_id (str | Unset): With Producer-Epoch and Producer-Seq: the same for a sequence
            of records.
        producer_epoch (int | Unset): A higher one fences lower ones off.
        producer_seq (int | Unset): Counts the producer’s records in one partition, from 0.
        expected_offset (int | Unset): The offset that the first record must get.
        body (str):  Example: {"key":"ada","value":{"amount":12}}
            {"text":"hello"}
            .

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
            body=body,
            acks=acks,
            redirect=redirect,
            idempotency_key=idempotency_key,
            producer_id=producer_id,
            producer_epoch=producer_epoch,
            producer_seq=producer_seq,
            expected_offset=expected_offset,
        )
    ).parsed
