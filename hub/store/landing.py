"""Landing. In: pages of records as a source sent them. Out: one row a record, kept raw, and the cursor after them.

A record that did not change costs a hash and a look-up; one that differs in white space, key order or volatile
fields only is taken over without being mapped again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, func, select, text, update

from connectors.pull import Page, Record
from hub.store.bulk import among, insert_missing, insert_rows, update_rows
from hub.store.erased import tombstoned
from hub.store.gone import NOTHING, Absent, mark_absent, note_read, reading
from hub.store.kept import landing, stream_run, stream_state
from hub.store.parents import make_due

_COLUMNS = ("source", "stream", "key", "raw_hash", "first_seen_at", "changed_at", "state", "payload")
_PENDING = 0
_decode = msgspec.json.Decoder().decode


class Canonical(Protocol):
    """What landing needs of a compiled mapping."""

    def content(self, record: Any, /) -> bytes:
        """The record in canonical form, without what the mapping calls volatile."""


@dataclass(frozen=True, slots=True)
class Ties:
    """What else follows from a stream's arrival: `children` have a request for each of its records, of which those
    that a whole reading does not bring are gone, up to the share `absent`; null where no reading is whole. Each says
    that the record of its key is gone from the stream `deletes`.
    """

    children: tuple[str, ...] = ()
    absent: float | None = None
    deletes: str | None = None


@dataclass(frozen=True, slots=True)
class Landed:
    """How many records came, how many of them were new or different, how many not. A repeated key counts once.

    `absent` is what a whole reading did not bring, where one has just ended.
    """

    pulled: int
    changed: int
    unchanged: int
    absent: Absent | None = None


FREE = Ties()


def land(
    connection: Connection,
    run_no: int,
    source: str,
    stream: str,
    pages: Sequence[Page],
    compiled: Canonical,
    as_of: int,
    ties: Ties = FREE,
) -> Landed:
    """Lands the records of these pages and the cursor after the last one, in the caller's transaction.

    Of records with one key the last wins; one without key lands under its hash; one that a tombstone names does not
    land. `as_of` is the run's instant in microseconds. A page of one parent's children has no cursor of its own.
    """
    _lock_stream(connection, source, stream)
    arriving = [record for page in pages for record in page.records]
    landed, keys, more = _take_in(connection, source, stream, arriving, compiled, as_of, ties)
    if ties.absent is not None and pages:
        note_read(connection, source, stream, keys)
        if pages[-1].last:
            landed = replace(landed, absent=mark_absent(connection, source, stream, ties.absent, as_of))
    cursors = [json.dumps(page.cursor, sort_keys=True) for page in pages if page.parent is None]
    _go_on(connection, source, stream, more, {"cursor": cursors[-1]} if cursors else {})
    _count(connection, run_no, source, stream, len(pages), landed)
    return landed


def land_records(
    connection: Connection,
    source: str,
    stream: str,
    records: Sequence[Record],
    compiled: Canonical,
    as_of: int,
    ties: Ties = FREE,
) -> Landed:
    """Lands records that were not pulled, as those of a notification: no cursor moves, no run counts them."""
    _lock_stream(connection, source, stream)
    landed, keys, more = _take_in(connection, source, stream, records, compiled, as_of, ties)
    _go_on(connection, source, stream, more, {})
    if ties.absent is not None and reading(connection, source, stream):
        note_read(connection, source, stream, keys)  # it may have come into being behind the pages already read
    return landed


def pending(connection: Connection, source: str, stream: str, limit: int) -> list[tuple[int, bytes]]:
    """The landing numbers and payloads of up to `limit` records that wait to be mapped, the oldest first.

    The payload of one that is gone at its source is empty: it means nothing any more.
    """
    rows = connection.execute(
        select(landing.c.landing_no, landing.c.payload)
        .where(landing.c.source == source, landing.c.stream == stream, text("state = 0"))
        .order_by(landing.c.landing_no)
        .limit(limit)
    )
    return [(row[0], bytes(row[1])) for row in rows]


def pending_count(connection: Connection, source: str, stream: str) -> int:
    """How many records wait to be mapped."""
    these = (landing.c.source == source, landing.c.stream == stream, text("state = 0"))
    return int(connection.execute(select(func.count()).where(*these)).scalar_one())


def digest(data: bytes) -> bytes:
    """The 16 bytes by which payloads and canonical records are compared: blake2b-128."""
    return hashlib.blake2b(data, digest_size=16).digest()


# records -------------------------------------------------------------------------------------------------------------
def _take_in(
    connection: Connection,
    source: str,
    stream: str,
    arriving: Sequence[Record],
    compiled: Canonical,
    as_of: int,
    ties: Ties,
) -> tuple[Landed, Collection[str], int]:
    """Lands the records; returns what came of them, their keys, and how many more there are than before."""
    records = _by_key(arriving)
    for erased in tombstoned(connection, source, stream, records):
        del records[erased]
    known = _known(connection, source, stream, records)
    later = _later(connection, source, ties.deletes, records, as_of)
    new = [
        (source, stream, key, raw, as_of, later.get(key, as_of), _PENDING, payload)
        for key, (raw, payload) in records.items()
        if key not in known
    ]
    insert_rows(connection, landing, _COLUMNS, new)
    different = [(key, *records[key]) for key, (_, raw, _, _) in known.items() if records[key][0] != raw]
    changed = [row[2] for row in new] + _take_over(
        connection, known, different, compiled, lambda key: later.get(key, as_of)
    )
    make_due(connection, source, stream, ties.children, changed)
    more = len(new) + sum(known[key][1] == NOTHING for key, *_ in different)
    return Landed(len(arriving), len(changed), len(arriving) - len(changed)), list(records), more


def _by_key(arriving: Iterable[Record]) -> dict[str, tuple[bytes, bytes]]:
    """Key to raw hash and payload; of a repeated key the last."""
    records: dict[str, tuple[bytes, bytes]] = {}
    for record in arriving:
        raw = hashlib.blake2b(record.payload, digest_size=16).digest()
        key = record.key
        records[keyless(raw) if key is None else key] = (raw, record.payload)
    return records


def keyless(raw_hash: bytes) -> str:
    """The key under which a record without one lands."""
    return "#" + raw_hash.hex()


Known = dict[str, tuple[int, bytes, bytes | None, int]]


def _known(connection: Connection, source: str, stream: str, keys: Collection[str]) -> Known:
    """Of these keys those that are landed: key to number, raw hash, content hash, instant of the last change."""
    c = landing.c
    these = (c.source == source, c.stream == stream, among(connection, c.key, keys))
    rows = connection.execute(select(c.key, c.landing_no, c.raw_hash, c.content_hash, c.changed_at).where(*these))
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def _later(
    connection: Connection, source: str, deletes: str | None, keys: Collection[str], as_of: int
) -> dict[str, int]:
    """The instants of the records that notices of these keys say are gone, where a clock that was ahead gave them one
    behind `as_of`: a notice is never older than what it came after.
    """
    if deletes is None:
        return {}
    c = landing.c
    these = (c.source == source, c.stream == deletes, c.changed_at > as_of, among(connection, c.key, keys))
    return {row[0]: row[1] for row in connection.execute(select(c.key, c.changed_at).where(*these))}


def _take_over(
    connection: Connection,
    known: Known,
    different: Iterable[tuple[str, bytes, bytes]],
    compiled: Canonical,
    at: Callable[[str], int],
) -> list[str]:
    """Replaces the payloads; returns the keys of those that say something else than before: they are mapped again.

    `at` is the instant of the change by key; what comes back does so after it went, whatever the clock says.
    """
    quiet: list[tuple[Any, ...]] = []
    loud: list[tuple[Any, ...]] = []
    changed: list[str] = []
    for key, raw, payload in different:
        landing_no, was, before, changed_at = known[key]
        content = _content(compiled, payload) if before is not None else None
        if was != NOTHING and content is not None and content == before:
            quiet.append((landing_no, raw, payload))
        else:
            instant = max(at(key), changed_at + 1) if was == NOTHING else at(key)
            loud.append((landing_no, raw, payload, content or before, _PENDING, instant, None))
            changed.append(key)
    _take_over_quietly(connection, quiet)
    columns = ("raw_hash", "payload", "content_hash", "state", "changed_at", "deleted_at")
    update_rows(connection, landing, "landing_no", columns, loud)
    return changed


def _take_over_quietly(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """What says the same as before replaces the payload, unless the retention of that is over."""
    if rows:
        these = among(connection, landing.c.landing_no, [row[0] for row in rows])
        over = select(landing.c.landing_no).where(these, func.length(landing.c.payload) == 0)
        bare = set(connection.execute(over).scalars())
        kept = [row for row in rows if row[0] not in bare]
        update_rows(connection, landing, "landing_no", ("raw_hash", "payload"), kept)
        update_rows(connection, landing, "landing_no", ("raw_hash",), [row[:2] for row in rows if row[0] in bare])


def _content(compiled: Canonical, payload: bytes) -> bytes | None:
    """The content hash, or None where the payload is not a record that can be read."""
    try:
        return digest(compiled.content(_decode(payload)))
    except (msgspec.MsgspecError, AttributeError, TypeError, ValueError, RecursionError):
        return None


# the stream ----------------------------------------------------------------------------------------------------------
def _lock_stream(connection: Connection, source: str, stream: str) -> None:
    """Two processes landing one stream wait for each other; on SQLite the transaction itself sees to that."""
    row = {"source": source, "stream": stream}
    this = (stream_state.c.source == source, stream_state.c.stream == stream)
    while connection.execute(select(stream_state.c.record_count).where(*this).with_for_update()).first() is None:
        insert_missing(connection, stream_state, [row | {"record_count": 0}])


def _go_on(connection: Connection, source: str, stream: str, more: int, cursor: dict[str, str]) -> None:
    this = (stream_state.c.source == source, stream_state.c.stream == stream)
    if more or cursor:
        said = {"record_count": stream_state.c.record_count + more, **cursor}
        connection.execute(update(stream_state).where(*this).values(said))


def _count(connection: Connection, run_no: int, source: str, stream: str, pages: int, landed: Landed) -> None:
    run = stream_run.c
    connection.execute(
        update(stream_run)
        .where(run.run_no == run_no, run.source == source, run.stream == stream)
        .values(
            pages=run.pages + pages,
            pulled=run.pulled + landed.pulled,
            changed=run.changed + landed.changed,
            unchanged=run.unchanged + landed.unchanged,
        )
    )
