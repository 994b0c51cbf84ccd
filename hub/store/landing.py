"""Landing. In: pages of records as a source sent them. Out: one row a record, kept raw, and the cursor after them.

A record that did not change costs a hash and a look-up; one that differs in white space, key order or volatile
fields only is taken over without being mapped again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, func, insert, select, text, update

from connectors.pull import Page
from hub.store.bulk import among, insert_missing, insert_rows, update_rows
from hub.store.kept import hub_meta, landing, stream_run, stream_state, tombstone

_COLUMNS = ("source", "stream", "key", "raw_hash", "first_seen_at", "changed_at", "state", "payload")
_PENDING = 0
_decode = msgspec.json.Decoder().decode


class Canonical(Protocol):
    """What landing needs of a compiled mapping."""

    def content(self, record: Any, /) -> bytes:
        """The record in canonical form, without what the mapping calls volatile."""


@dataclass(frozen=True, slots=True)
class Landed:
    """How many records came, how many of them were new or different, how many not. A repeated key counts once."""

    pulled: int
    changed: int
    unchanged: int


def land(
    connection: Connection,
    run_no: int,
    source: str,
    stream: str,
    pages: Sequence[Page],
    compiled: Canonical,
    as_of: int,
) -> Landed:
    """Lands the records of these pages and the cursor after the last one, in the caller's transaction.

    Of records with one key the last wins; one without key lands under its hash; one that a tombstone names does not
    land. `as_of` is the run's instant in microseconds.
    """
    pulled = sum(len(page.records) for page in pages)
    _lock_stream(connection, source, stream)
    records = _by_key(pages)
    for erased in _tombstoned(connection, source, stream, records):
        del records[erased]
    known = _known(connection, source, stream, records)
    new = [
        (source, stream, key, raw, as_of, as_of, _PENDING, payload)
        for key, (raw, payload) in records.items()
        if key not in known
    ]
    insert_rows(connection, landing, _COLUMNS, new)
    different = [(key, *records[key]) for key, (_, raw, _) in known.items() if records[key][0] != raw]
    changed = len(new) + _take_over(connection, known, different, compiled, as_of)
    landed = Landed(pulled, changed, pulled - changed)
    _go_on(connection, run_no, source, stream, pages, landed, len(new))
    return landed


def pending(connection: Connection, source: str, stream: str, limit: int) -> list[tuple[int, bytes]]:
    """The landing numbers and payloads of up to `limit` records that wait to be mapped, the oldest first."""
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
def _by_key(pages: Sequence[Page]) -> dict[str, tuple[bytes, bytes]]:
    """Key to raw hash and payload; of a repeated key the last."""
    records: dict[str, tuple[bytes, bytes]] = {}
    for page in pages:
        for record in page.records:
            raw = hashlib.blake2b(record.payload, digest_size=16).digest()
            key = record.key
            records[keyless(raw) if key is None else key.replace("\x00", "")] = (raw, record.payload)
    return records


def keyless(raw_hash: bytes) -> str:
    """The key under which a record without one lands."""
    return "#" + raw_hash.hex()


Known = dict[str, tuple[int, bytes, bytes | None]]


def _known(connection: Connection, source: str, stream: str, keys: Collection[str]) -> Known:
    """Of these keys those that are landed: key to number, raw hash, content hash."""
    rows = connection.execute(
        select(landing.c.key, landing.c.landing_no, landing.c.raw_hash, landing.c.content_hash).where(
            landing.c.source == source, landing.c.stream == stream, among(connection, landing.c.key, keys)
        )
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _take_over(
    connection: Connection,
    known: Known,
    different: Iterable[tuple[str, bytes, bytes]],
    compiled: Canonical,
    as_of: int,
) -> int:
    """Replaces the payloads; returns how many say something else than before and are to be mapped again."""
    quiet: list[tuple[Any, ...]] = []
    loud: list[tuple[Any, ...]] = []
    for key, raw, payload in different:
        landing_no, _, before = known[key]
        content = _content(compiled, payload) if before is not None else None
        same = content is not None and content == before
        row = (landing_no, raw, payload, content or before)
        if same:
            quiet.append(row)
        else:
            loud.append((*row, _PENDING, as_of))
    columns = ("raw_hash", "payload", "content_hash")
    update_rows(connection, landing, "landing_no", columns, quiet)
    update_rows(connection, landing, "landing_no", (*columns, "state", "changed_at"), loud)
    return len(loud)


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


def _go_on(
    connection: Connection, run_no: int, source: str, stream: str, pages: Sequence[Page], landed: Landed, new: int
) -> None:
    cursor = {"cursor": json.dumps(pages[-1].cursor, sort_keys=True)} if pages else {}
    state, run = stream_state.c, stream_run.c
    connection.execute(
        update(stream_state)
        .where(state.source == source, state.stream == stream)
        .values(record_count=state.record_count + new, **cursor)
    )
    connection.execute(
        update(stream_run)
        .where(run.run_no == run_no, run.source == source, run.stream == stream)
        .values(
            pages=run.pages + len(pages),
            pulled=run.pulled + landed.pulled,
            changed=run.changed + landed.changed,
            unchanged=run.unchanged + landed.unchanged,
        )
    )


# tombstones ----------------------------------------------------------------------------------------------------------
def _tombstoned(connection: Connection, source: str, stream: str, keys: Iterable[str]) -> list[str]:
    if connection.execute(select(tombstone.c.digest).limit(1)).first() is None:
        return []
    salt = erasure_salt(connection)
    digests = {tombstone_digest(salt, source, stream, key): key for key in keys}
    found = connection.execute(select(tombstone.c.digest).where(among(connection, tombstone.c.digest, digests)))
    return [digests[row[0]] for row in found]


def erasure_salt(connection: Connection) -> str:
    """The salt of this store's tombstones, made at the first call and the same ever after."""
    held = connection.execute(select(hub_meta.c.value).where(hub_meta.c.name == "erasure_salt")).scalar()
    if held is not None:
        return str(held)
    salt = secrets.token_hex(32)
    connection.execute(insert(hub_meta).values(name="erasure_salt", value=salt))
    return salt


def tombstone_digest(salt: str, *parts: str) -> str:
    """HMAC-SHA256, hex, of a record's source, stream and key, or of an identifier's type and value."""
    message = b"".join(b"%d:%s," % (len(part), part) for part in (text_.encode() for text_ in parts))
    return hmac.new(salt.encode(), message, hashlib.sha256).hexdigest()
