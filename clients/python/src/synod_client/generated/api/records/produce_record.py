from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...models.produce_record_acks import ProduceRecordAcks
from ...models.produce_record_redirect import ProduceRecordRedirect
from ...models.receipt import Receipt
from ...types import UNSET, File, Response, Unset


def _get_kwargs(
    topic: str,
    *,
    body: File,
    key: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    acks: ProduceRecordAcks | Unset = ProduceRecordAcks.MAJORITY,
    redirect: ProduceRecordRedirect | Unset = ProduceRecordRedirect.FALSE,
    idempotency_key: str | Unset = UNSET,
    producer_id: str | Unset = UNSET,
    producer_epoch: int | Unset = UNSET,
    producer_seq: int | Unset = UNSET,
    expected_offset: int | Unset = UNSET,
    record_timestamp: str | Unset = UNSET,
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

    if not isinstance(record_timestamp, Unset):
        headers["record-timestamp"] = record_timestamp

    params: dict[str, Any] = {}

    params["key"] = key

    params["partition"] = partition

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
        "url": "/v1/topics/{topic}/records".format(
            topic=quote(str(topic), safe=""),
        ),
        "params": params,
    }

    _kwargs["content"] = body.payload
    headers["Content-Type"] = "application/octet-stream"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Problem | Receipt:
    if response.status_code == 200:
        response_200 = Receipt.from_dict(response.json())

        return response_200

    if response.status_code == 201:
        response_201 = Receipt.from_dict(response.json())

        return response_201

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

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 410:
        response_410 = Problem.from_dict(response.json())

        return response_410

    if response.status_code == 412:
        response_412 = Problem.from_dict(response.json())

        return response_412

    if response.status_code == 413:
        response_413 = Problem.from_dict(response.json())

        return response_413

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())

        return response_503

    if response.status_code == 504:
        response_504 = Problem.from_dict(response.json())

        return response_504

    if response.status_code == 507:
        response_507 = Problem.from_dict(response.json())

        return response_507

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | Problem | Receipt]:
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
    body: File,
    key: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    acks: ProduceRecordAcks | Unset = ProduceRecordAcks.MAJORITY,
    redirect: ProduceRecordRedirect | Unset = ProduceRecordRedirect.FALSE,
    idempotency_key: str | Unset = UNSET,
    producer_id: str | Unset = UNSET,
    producer_epoch: int | Unset = UNSET,
    producer_seq: int | Unset = UNSET,
    expected_offset: int | Unset = UNSET,
    record_timestamp: str | Unset = UNSET,
) -> Response[Any | Problem | Receipt]:
    """Append one record: the body is the value

     Any bytes of any content type; the type is kept with the record. Further headers `Record-
    Header-<name>` are kept as the record’s headers. Answered when a majority has the record on disk.

    Args:
        topic (str): The name of a topic. Example: orders.
        key (str | Unset): Records of one key are in one partition, in order.
        partition (int | Unset): The partition; if left out, the key or the turn decides.
        acks (ProduceRecordAcks | Unset): all: wait for every replica that is in sync, too.
            Default: ProduceRecordAcks.MAJORITY.
        redirect (ProduceRecordRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            ProduceRecordRedirect.FALSE.
        idempotency_key (str | Unset): Makes sending the same request again safe.
        producer_id (str | Unset): With Producer-Epoch and Producer-Seq: the same for a sequence
            of records.
        producer_epoch (int | Unset): A higher one fences lower ones off.
        producer_seq (int | Unset): Counts the producer’s records in one partition, from 0.
        expected_offset (int | Unset): The offset that the first record must get.
        record_timestamp (str | Unset):
        body (File):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem | Receipt]
    """

    kwargs = _get_kwargs(
        topic=topic,
        body=body,
        key=key,
        partition=partition,
        acks=acks,
        redirect=redirect,
        idempotency_key=idempotency_key,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        producer_seq=producer_seq,
        expected_offset=expected_offset,
        record_timestamp=record_timestamp,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    body: File,
    key: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    acks: ProduceRecordAcks | Unset = ProduceRecordAcks.MAJORITY,
    redirect: ProduceRecordRedirect | Unset = ProduceRecordRedirect.FALSE,
    idempotency_key: str | Unset = UNSET,
    producer_id: str | Unset = UNSET,
    producer_epoch: int | Unset = UNSET,
    producer_seq: int | Unset = UNSET,
    expected_offset: int | Unset = UNSET,
    record_timestamp: str | Unset = UNSET,
) -> Any | Problem | Receipt | None:
    """Append one record: the body is the value

     Any bytes of any content type; the type is kept with the record. Further headers `Record-
    Header-<name>` are kept as the record’s headers. Answered when a majority has the record on disk.

    Args:
        topic (str): The name of a topic. Example: orders.
        key (str | Unset): Records of one key are in one partition, in order.
        partition (int | Unset): The partition; if left out, the key or the turn decides.
        acks (ProduceRecordAcks | Unset): all: wait for every replica that is in sync, too.
            Default: ProduceRecordAcks.MAJORITY.
        redirect (ProduceRecordRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            ProduceRecordRedirect.FALSE.
        idempotency_key (str | Unset): Makes sending the same request again safe.
        producer_id (str | Unset): With Producer-Epoch and Producer-Seq: the same for a sequence
            of records.
        producer_epoch (int | Unset): A higher one fences lower ones off.
        producer_seq (int | Unset): Counts the producer’s records in one partition, from 0.
        expected_offset (int | Unset): The offset that the first record must get.
        record_timestamp (str | Unset):
        body (File):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem | Receipt
    """

    return sync_detailed(
        topic=topic,
        client=client,
        body=body,
        key=key,
        partition=partition,
        acks=acks,
        redirect=redirect,
        idempotency_key=idempotency_key,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        producer_seq=producer_seq,
        expected_offset=expected_offset,
        record_timestamp=record_timestamp,
    ).parsed


async def asyncio_detailed(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    body: File,
    key: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    acks: ProduceRecordAcks | Unset = ProduceRecordAcks.MAJORITY,
    redirect: ProduceRecordRedirect | Unset = ProduceRecordRedirect.FALSE,
    idempotency_key: str | Unset = UNSET,
    producer_id: str | Unset = UNSET,
    producer_epoch: int | Unset = UNSET,
    producer_seq: int | Unset = UNSET,
    expected_offset: int | Unset = UNSET,
    record_timestamp: str | Unset = UNSET,
) -> Response[Any | Problem | Receipt]:
    """Append one record: the body is the value

     Any bytes of any content type; the type is kept with the record. Further headers `Record-
    Header-<name>` are kept as the record’s headers. Answered when a majority has the record on disk.

    Args:
        topic (str): The name of a topic. Example: orders.
        key (str | Unset): Records of one key are in one partition, in order.
        partition (int | Unset): The partition; if left out, the key or the turn decides.
        acks (ProduceRecordAcks | Unset): all: wait for every replica that is in sync, too.
            Default: ProduceRecordAcks.MAJORITY.
        redirect (ProduceRecordRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            ProduceRecordRedirect.FALSE.
        idempotency_key (str | Unset): Makes sending the same request again safe.
        producer_id (str | Unset): With Producer-Epoch and Producer-Seq: the same for a sequence
            of records.
        producer_epoch (int | Unset): A higher one fences lower ones off.
        producer_seq (int | Unset): Counts the producer’s records in one partition, from 0.
        expected_offset (int | Unset): The offset that the first record must get.
        record_timestamp (str | Unset):
        body (File):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem | Receipt]
    """

    kwargs = _get_kwargs(
        topic=topic,
        body=body,
        key=key,
        partition=partition,
        acks=acks,
        redirect=redirect,
        idempotency_key=idempotency_key,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        producer_seq=producer_seq,
        expected_offset=expected_offset,
        record_timestamp=record_timestamp,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    body: File,
    key: str | Unset = UNSET,
    partition: int | Unset = UNSET,
    acks: ProduceRecordAcks | Unset = ProduceRecordAcks.MAJORITY,
    redirect: ProduceRecordRedirect | Unset = ProduceRecordRedirect.FALSE,
    idempotency_key: str | Unset = UNSET,
    producer_id: str | Unset = UNSET,
    producer_epoch: int | Unset = UNSET,
    producer_seq: int | Unset = UNSET,
    expected_offset: int | Unset = UNSET,
    record_timestamp: str | Unset = UNSET,
) -> Any | Problem | Receipt | None:
    """Append one record: the body is the value

     Any bytes of any content type; the type is kept with the record. Further headers `Record-
    Header-<name>` are kept as the record’s headers. Answered when a majority has the record on disk.

    Args:
        topic (str): The name of a topic. Example: orders.
        key (str | Unset): Records of one key are in one partition, in order.
        partition (int | Unset): The partition; if left out, the key or the turn decides.
        acks (ProduceRecordAcks | Unset): all: wait for every replica that is in sync, too.
            Default: ProduceRecordAcks.MAJORITY.
        redirect (ProduceRecordRedirect | Unset): true: answer 307 with the address of the broker
            that leads all that the request is about, if there is one. Default:
            ProduceRecordRedirect.FALSE.
        idempotency_key (str | Unset): Makes sending the same request again safe.
        producer_id (str | Unset): With Producer-Epoch and Producer-Seq: the same for a sequence
            of records.
        producer_epoch (int | Unset): A higher one fences lower ones off.
        producer_seq (int | Unset): Counts the producer’s records in one partition, from 0.
        expected_offset (int | Unset): The offset that the first record must get.
        record_timestamp (str | Unset):
        body (File):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem | Receipt
    """

    return (
        await asyncio_detailed(
            topic=topic,
            client=client,
            body=body,
            key=key,
            partition=partition,
            acks=acks,
            redirect=redirect,
            idempotency_key=idempotency_key,
            producer_id=producer_id,
            producer_epoch=producer_epoch,
            producer_seq=producer_seq,
            expected_offset=expected_offset,
            record_timestamp=record_timestamp,
        )
    ).parsed
