"""Children's queue. In: parents that are landed anew or changed. Out: those that a child stream has still to ask about.

A row comes in the transaction that lands the parent and goes in the one that lands the last page of its children.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, String, and_, delete, exists, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.bulk import among, insert_missing
from hub.store.kept import landing, parent_due, stream_state
from mappings.duration import duration
from mappings.fetching import Parent as Asked

_NAMES = ("source", "stream", "parent_no")


@dataclass(frozen=True, slots=True)
class Parent:
    """A parent as it was when its children were asked for."""

    number: int
    payload: bytes
    raw_hash: bytes


def make_due(connection: Connection, source: str, parent: str, children: Iterable[str], keys: Collection[str]) -> None:
    """The records of these keys of the stream `parent` are due in each of these child streams."""
    if keys:
        for child in children:
            _add(connection, source, parent, child, among(connection, landing.c.key, keys))


def begin(connection: Connection, source: str, child: str, parent: Asked, as_of: int) -> None:
    """A child stream is pulled at the instant `as_of` (µs): where it never was, or had other parents, all are due.

    So they are when the mapping's `again` has passed since.
    """
    this = (stream_state.c.source == source, stream_state.c.stream == child)
    insert_missing(connection, stream_state, [{"source": source, "stream": child, "record_count": 0}])
    held = connection.execute(select(stream_state.c.cursor).where(*this)).scalar()
    cursor = json.loads(held) if held else {}
    if cursor.get("parent") == parent.stream and not _again(parent, as_of - int(cursor["all_at"])):
        return
    if cursor.get("parent") != parent.stream:
        connection.execute(delete(parent_due).where(parent_due.c.source == source, parent_due.c.stream == child))
    _add(connection, source, parent.stream, child, landing.c.deleted_at.is_(None))
    cursor = {"all_at": as_of, "parent": parent.stream}
    connection.execute(update(stream_state).where(*this).values(cursor=json.dumps(cursor)))


def _again(parent: Asked, passed: int) -> bool:
    return parent.again is not None and passed >= duration(parent.again) // timedelta(microseconds=1)


def _add(connection: Connection, source: str, parent: str, child: str, these: ColumnElement[bool]) -> None:
    found = select(literal(source, String), literal(child, String), landing.c.landing_no).where(
        landing.c.source == source, landing.c.stream == parent, func.length(landing.c.payload) > 0, these
    )
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(make(parent_due).from_select(_NAMES, found).on_conflict_do_nothing())


def due(connection: Connection, source: str, child: str, after: int, limit: int) -> list[Parent]:
    """Up to `limit` parents that are due, by number, from behind `after` on."""
    rows = connection.execute(
        select(landing.c.landing_no, landing.c.payload, landing.c.raw_hash)
        .join(parent_due, parent_due.c.parent_no == landing.c.landing_no)
        .where(parent_due.c.source == source, parent_due.c.stream == child, parent_due.c.parent_no > after)
        .order_by(parent_due.c.parent_no)
        .limit(limit)
    )
    return [Parent(row[0], bytes(row[1]), bytes(row[2])) for row in rows]


def done(connection: Connection, source: str, child: str, number: int, raw_hash: bytes) -> None:
    """The parent's children are landed. It stays due where it changed since they were asked for."""
    changed = exists().where(and_(landing.c.landing_no == number, landing.c.raw_hash != raw_hash))
    this = (parent_due.c.source == source, parent_due.c.stream == child, parent_due.c.parent_no == number)
    connection.execute(delete(parent_due).where(*this, ~changed))
