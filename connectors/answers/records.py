"""One record of an answer. In: its own JSON bytes. Out: a Record with its key, and its changed-at mark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.answers.shape import Shape
from mappings.model import KEY_LIMIT
from mappings.spec import Stream
from mappings.values import joined_key


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was sent: its key as text (None where it has none) and its own JSON bytes."""

    key: str | None
    payload: bytes


class Heads:
    """Reads the key and the changed-at of one stream's records, and nothing else of them."""

    def __init__(self, stream: Stream) -> None:
        keys = [stream.key] if isinstance(stream.key, str) else stream.key
        mark = stream.since.field if stream.since else None
        shape = Shape([*keys, *([mark] if mark else [])])
        self._decode = shape.decode
        self._keys = [shape.reader(key) for key in keys]
        self._mark = shape.reader(mark) if mark else None

    def read(self, payload: bytes | msgspec.Raw) -> tuple[Record, Any]:
        """The record and its mark, None where it has none. What is no object has no key, and is kept all the same."""
        try:
            head = self._decode(payload)
        except msgspec.DecodeError:
            return Record(None, bytes(payload)), None
        return Record(self._key(head), bytes(payload)), None if self._mark is None else self._mark(head)

    def read_all(self, payloads: Iterable[bytes | msgspec.Raw]) -> tuple[list[Record], list[Any]]:
        """All records in their order, and the marks of those that have one to be looked for."""
        records, marks = [], []
        decode, key, mark = self._decode, self._key, self._mark
        for payload in payloads:
            try:
                head = decode(payload)
            except msgspec.DecodeError:
                records.append(Record(None, bytes(payload)))
                continue
            records.append(Record(key(head), bytes(payload)))
            if mark is not None:
                marks.append(mark(head))
        return records, marks

    def _key(self, head: Any) -> str | None:
        parts = [read(head) for read in self._keys]
        if any(isinstance(part, bool) or not isinstance(part, str | int) or part == "" for part in parts):
            return None
        key = str(parts[0]) if len(parts) == 1 else joined_key([str(part) for part in parts])
        key = key.replace("\x00", "")  # which no database takes in a text
        return key if 0 < len(key) <= KEY_LIMIT else None


def members(values: Mapping[str, Any]) -> bytes:
    """Names and values as JSON members without the braces around them, for `with_members`."""
    return msgspec.json.encode(dict(values))[1:-1]


def with_members(payload: bytes, put: bytes) -> bytes:
    """The object with further members in front; a member of its own of the same name wins. What is no object stays."""
    if not put or not payload.startswith(b"{"):
        return payload
    rest = payload[1:].lstrip()
    return b"{" + put + (rest if rest.startswith(b"}") else b"," + rest)


def keyed(payload: bytes, put: bytes) -> bytes:
    """A value of a map with its key put into it; what is no object stands under `value` beside its key."""
    return with_members(payload if payload.startswith(b"{") else b'{"value":' + payload + b"}", put)
