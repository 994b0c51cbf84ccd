"""In: one stream of the company. Out: its records in a vendor's order, as JSON bytes that are encoded once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from connectors.sandbox.company import KEYS, Company

Record = dict[str, Any]
Stamp = int | str


class Shelf:
    """A stream in ascending order of `stamp`, then of id. It follows the company's changes before each answer."""

    def __init__(self, company: Company, system: str, stream: str, stamp: Callable[[Record], Stamp]) -> None:
        self._company, self._system, self._stream, self._stamp = company, system, stream, stamp
        self._seen = -1
        self._order: list[tuple[Stamp, Any]] = []
        self._records: dict[str, Record] = {}
        self._encoded: dict[Any, dict[str, bytes]] = {}
        self._positions: dict[str, int] = {}

    def __len__(self) -> int:
        self._follow()
        return len(self._order)

    def keys(self, start: int, stop: int) -> list[str]:
        """Ids at positions `start` to `stop`, ascending."""
        self._follow()
        return [str(key) for _, key in self._order[max(start, 0) : max(stop, 0)]]

    def position(self, key: str) -> int | None:
        """Where the record with this id stands; None when there is none."""
        self._follow()
        if len(self._positions) != len(self._order):
            self._positions = {str(name): place for place, (_, name) in enumerate(self._order)}
        return self._positions.get(key)

    def first_from(self, stamp: Stamp) -> int:
        """Position of the first record stamped at or after `stamp`."""
        self._follow()
        return bisect_left(self._order, stamp, key=lambda entry: entry[0])

    def first_after(self, stamp: Stamp, key: Any = None) -> int:
        """Position of the first record after `stamp`, or after the one with `stamp` and `key`."""
        self._follow()
        if key is not None:
            return bisect_right(self._order, (stamp, key))
        return bisect_right(self._order, stamp, key=lambda entry: entry[0])

    def entry(self, position: int) -> tuple[Stamp, Any]:
        """Stamp and id at a position."""
        return self._order[position]

    def record(self, key: str) -> Record:
        """The record with this id."""
        return self._records[key]

    def join(self, keys: Iterable[str], shape: Callable[[Record], Any], variant: Any = None) -> bytes:
        """The records as JSON, with commas between; `variant` names what `shape` makes of a record."""
        encoded = self._encoded.setdefault(variant, {})
        pieces = []
        for key in keys:
            piece = encoded.get(key)
            if piece is None:
                piece = encoded[key] = msgspec.json.encode(shape(self._records[key]))
            pieces.append(piece)
        return b",".join(pieces)

    def _follow(self) -> None:
        changes = self._company.changes
        if self._seen == len(changes):
            return
        news = changes[max(self._seen, 0) :]
        touched = {key for system, stream, key in news if (system, stream) == (self._system, self._stream)}
        first = self._seen < 0
        self._seen += len(news) + (1 if first else 0)
        if not (first or touched):
            return
        name = KEYS[self._system]
        for encoded in self._encoded.values():
            for key in touched:
                encoded.pop(key, None)
        listed = self._company.records[self._system][self._stream]
        self._records = {str(record[name]): record for record in listed}
        self._order = sorted((self._stamp(record), record[name]) for record in listed)
        self._positions = {}


def whole(record: Record) -> Record:
    """The record as it is."""
    return record
