"""What is gone at its source. In: keys that a source says are gone, or those that a whole reading brought.

Out: landing rows that are marked so and hold no payload. Mapping them leaves nothing of what they said; they come back
when they are sent again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, func, select, update

from hub.store.bulk import among, insert_listed
from hub.store.kept import landing, parent_due, read_key, stream_state

NOTHING = b""  # the raw hash and the payload of what is gone: whatever is sent next is different
_BEGUN = ""  # the key that stands for a reading that is watched from its first page on

Notice = tuple[int, str, str]  # landing_no of the record that says it, and the stream and the key of what is gone


@dataclass(frozen=True, slots=True)
class Absent:
    """What a whole reading did not bring: `missing` of `held` records. They are gone unless it `brought` too little."""

    missing: int
    held: int
    brought: int
    gone: int


def mark_gone(connection: Connection, source: str, stream: str, keys: Collection[str], as_of: int) -> int:
    """Marks the stream's records of these keys as gone at the instant `as_of` (µs); how many were there until now."""
    return _let_go(connection, source, stream, as_of, among(connection, landing.c.key, keys))


def heed(connection: Connection, source: str, notices: Iterable[Notice], as_of: int) -> int:
    """Marks as gone what these records say is gone; how many were there until now.

    A record that the source sent after the notice is there again: replaying old notices does not touch it.
    """
    said: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for landing_no, stream, key in notices:
        said[landing_no].append((stream, key))
    if not said:
        return 0
    rows = connection.execute(
        select(landing.c.landing_no, landing.c.changed_at).where(among(connection, landing.c.landing_no, said))
    )
    together: dict[tuple[str, int], list[str]] = defaultdict(list)
    for landing_no, at in rows:
        for stream, key in said[landing_no]:
            together[stream, at].append(key)
    return sum(
        _let_go(
            connection,
            source,
            stream,
            max(as_of, at),
            among(connection, landing.c.key, keys),
            landing.c.changed_at <= at,
        )
        for (stream, at), keys in together.items()
    )


def _let_go(connection: Connection, source: str, stream: str, as_of: int, *these: ColumnElement[bool]) -> int:
    said = {"deleted_at": as_of, "changed_at": as_of, "state": 0, "raw_hash": NOTHING, "payload": NOTHING}
    gone = (
        update(landing)
        .where(landing.c.source == source, landing.c.stream == stream, landing.c.deleted_at.is_(None), *these)
        .values(said)
        .returning(landing.c.landing_no)
    )
    numbers = list(connection.execute(gone).scalars())
    if numbers:
        of_source = parent_due.c.source == source
        connection.execute(delete(parent_due).where(of_source, among(connection, parent_due.c.parent_no, numbers)))
        fewer = {"record_count": stream_state.c.record_count - len(numbers)}
        connection.execute(update(stream_state).where(*_of(stream_state, source, stream)).values(fewer))
    return len(numbers)


def forget(connection: Connection, landing_nos: Collection[int]) -> int:
    """Deletes these landing rows and whatever the store holds because of them but what they mean; how many."""
    c = landing.c
    these = among(connection, c.landing_no, landing_nos)
    rows = connection.execute(select(c.source, c.stream, c.key, c.deleted_at).where(these)).all()
    for (source, stream), count in Counter((row.source, row.stream) for row in rows if row.deleted_at is None).items():
        fewer = {"record_count": stream_state.c.record_count - count}
        connection.execute(update(stream_state).where(*_of(stream_state, source, stream)).values(fewer))
    for source, stream in {(row.source, row.stream) for row in rows}:
        keys = [row.key for row in rows if (row.source, row.stream) == (source, stream)]
        read = (*_of(read_key, source, stream), among(connection, read_key.c.key, keys))
        connection.execute(delete(read_key).where(*read))
    connection.execute(delete(parent_due).where(among(connection, parent_due.c.parent_no, landing_nos)))
    return int(connection.execute(delete(landing).where(these)).rowcount)


# full readings -------------------------------------------------------------------------------------------------------
def begin_reading(connection: Connection, source: str, stream: str) -> None:
    """A reading of the whole stream begins at its first page; nothing has come yet."""
    end_reading(connection, source, stream)
    note_read(connection, source, stream, [_BEGUN])


def note_read(connection: Connection, source: str, stream: str, keys: Iterable[str]) -> None:
    """These keys came in the reading under way; in the transaction of their pages, so that it can be resumed."""
    insert_listed(connection, read_key, {"source": source, "stream": stream}, "key", list(keys))


def reading(connection: Connection, source: str, stream: str) -> bool:
    """Whether a whole reading is under way that was watched from its first page on."""
    return bool(_count(connection, *_of(read_key, source, stream), read_key.c.key == _BEGUN))


def end_reading(connection: Connection, source: str, stream: str) -> None:
    """Forgets what came."""
    connection.execute(delete(read_key).where(*_of(read_key, source, stream)))


def mark_absent(connection: Connection, source: str, stream: str, at_most: float, as_of: int) -> Absent:
    """Ends a whole reading: what it did not bring is gone, unless that is a larger share than `at_most`, or all.

    A reading that was not watched from its first page on says nothing.
    """
    held = _count(connection, *_of(landing, source, stream), landing.c.deleted_at.is_(None))
    brought = _count(connection, *_of(read_key, source, stream), read_key.c.key != _BEGUN)
    whole = reading(connection, source, stream)
    came = exists().where(*_of(read_key, source, stream), read_key.c.key == landing.c.key)
    missing = _count(connection, *_of(landing, source, stream), landing.c.deleted_at.is_(None), ~came) if whole else 0
    heeded = brought and missing <= at_most * held
    gone = _let_go(connection, source, stream, as_of, ~came) if missing and heeded else 0
    end_reading(connection, source, stream)
    return Absent(missing, held, brought, gone)


def _of(table: Any, source: str, stream: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.source == source, table.c.stream == stream


def _count(connection: Connection, *these: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).where(*these)).scalar_one())
