"""The binary frames of `synod.v1.bin`: values come as the bytes that they are, so that credit in bytes adds up exactly."""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .records import Record

SUBPROTOCOL = "synod.v1.bin"

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class RecordsFrame:
    records: Sequence[Record]
    sizes: Sequence[int]
    """What each record costs of the credit: the bytes of its key and value."""
    cursor: str
    """The place after the frame."""


@dataclass(frozen=True, slots=True)
class OtherFrame:
    type: str
    members: Mapping[str, Any]


def encode_frame(frame: Mapping[str, Any]) -> bytes:
    header = json.dumps(frame).encode()
    return _LENGTH.pack(len(header)) + header


def decode_frame(message: bytes) -> RecordsFrame | OtherFrame:
    """Raises ValueError, KeyError, TypeError or struct.error for what is no frame."""
    (header_size,) = _LENGTH.unpack_from(message)
    at = _LENGTH.size + header_size
    header = json.loads(message[_LENGTH.size : at])
    if header["type"] != "records":
        return OtherFrame(header["type"], header)
    records: list[Record] = []
    sizes: list[int] = []
    for head in header["records"]:
        size = head.get("size")
        raw = message[at : at + (size or 0)]
        at += len(raw)
        sizes.append(len(head.get("key", "").encode()) + len(raw))
        # Neither form nor size: a tombstone.
        form = None if size is None else head.get("form", "bytes")
        records.append(Record.of_head(head, form, _value_of(form, raw)))
    return RecordsFrame(records, sizes, header["cursor"])


def _value_of(form: str | None, raw: bytes) -> Any:
    if form is None:
        return None
    if form == "json":
        return json.loads(raw)
    return raw.decode() if form == "text" else raw
