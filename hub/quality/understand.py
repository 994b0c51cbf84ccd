"""What landed records mean. In: a mapping and payloads as a source sent them. Out: rows, controls, problems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hub.clock import show
from mappings.compile import Compiled, Mapped, Record
from mappings.converting.currencies import render
from mappings.model import Type

UNREADABLE = "the record is empty, nested too deep, or holds a number out of range"


def understand(compiled: Compiled, landed: Sequence[tuple[int, bytes]]) -> tuple[list[Record], Mapped]:
    """The (landing_no, payload) pairs parsed, and what they mean; one that cannot be held is a problem, and None.

    An empty payload is that of a record that is gone, which means nothing any more and is left out.
    """
    records = [(landing_no, _parsed(payload)) for landing_no, payload in landed if payload]
    mapped = compiled.map(records)
    mapped.problems[:0] = [(landing_no, "$", UNREADABLE) for landing_no, record in records if record is None]
    return records, mapped


def _parsed(payload: bytes) -> Any:
    """The record, or nothing where it is JSON that cannot be held: it becomes a dead letter and stops no other."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return None


def as_written(kind: Type, value: Any, currency: str | None) -> str:
    """A canonical value as its source would have written it: a reader compares it with the record."""
    if kind is Type.INSTANT:
        return show(value)
    if kind is Type.AMOUNT and currency is not None:
        return f"{render(value, currency)} {currency}"
    if kind is Type.RATIO:
        return str(value / 1_000_000)
    return "/".join(value) if kind is Type.PROFILE else str(value)
