"""What is kept of the shape of a stream's records: every path with its kinds of value, and how that changed.

In: a connection inside the caller's transaction. Out: rows of stream_path and drift.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.bulk import among, insert_rows
from hub.store.kept import drift, stream_path

RECORD = "."
_OTHERS = ("kinds", "records", "last_seen_at")


@dataclass(frozen=True, slots=True)
class Held:
    """A path of a stream: the kinds of value that stood there, in how many of the records looked at, and when."""

    kinds: tuple[str, ...]
    records: int
    first_seen_at: int
    last_seen_at: int


@dataclass(frozen=True, slots=True)
class Change:
    """NEW, VANISHED or RETYPED: what stood at a path before and what stands there now, and whether it is mapped."""

    path: str
    change: str
    was: tuple[str, ...]
    now: tuple[str, ...]
    mapped: bool


def held_paths(connection: Connection, source: str, stream: str) -> dict[str, Held]:
    """Every path of the stream's records that is known; none before its first run. `.` is the record itself."""
    c = stream_path.c
    rows = connection.execute(
        select(c.path, c.kinds, c.records, c.first_seen_at, c.last_seen_at).where(
            c.source == source, c.stream == stream
        )
    )
    return {row[0]: Held(tuple(json.loads(row[1])), *row[2:]) for row in rows}


def keep_paths(
    connection: Connection, source: str, stream: str, paths: Iterable[tuple[str, Held]], gone: Collection[str]
) -> None:
    """Writes these paths over what is known of them, and forgets those that went up into another."""
    if gone:
        these = (stream_path.c.source == source, stream_path.c.stream == stream)
        connection.execute(delete(stream_path).where(*these, among(connection, stream_path.c.path, gone)))
    rows = [
        {
            "source": source,
            "stream": stream,
            "path": path,
            "kinds": json.dumps(held.kinds),
            "records": held.records,
            "first_seen_at": held.first_seen_at,
            "last_seen_at": held.last_seen_at,
        }
        for path, held in paths
    ]
    if rows:
        make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        new = make(stream_path)
        later = {name: new.excluded[name] for name in _OTHERS}
        connection.execute(new.on_conflict_do_update(index_elements=["source", "stream", "path"], set_=later), rows)


def vanished_paths(connection: Connection, source: str, stream: str) -> set[str]:
    """The paths that vanished and have not come back since."""
    this = and_(drift.c.source == source, drift.c.stream == stream)
    last = select(func.max(drift.c.drift_no)).where(this, drift.c.change != "RETYPED").group_by(drift.c.path)
    rows = connection.execute(select(drift.c.path).where(drift.c.drift_no.in_(last), drift.c.change == "VANISHED"))
    return set(rows.scalars())


def add_changes(connection: Connection, source: str, stream: str, changes: Sequence[Change], as_of: int) -> None:
    """Writes down what changed, as seen by the run of the instant `as_of` (microseconds)."""
    columns = ("source", "stream", "path", "change", "was", "now", "mapped", "at")
    rows = [
        (source, stream, c.path, c.change, _kinds(c.was), _kinds(c.now), c.mapped, as_of)
        for c in sorted(changes, key=lambda c: (c.change, c.path))
    ]
    insert_rows(connection, drift, columns, rows)


def _kinds(kinds: Sequence[str]) -> Any:
    return " or ".join(kinds) or None
