"""What a run says and asks of the kept tables: runs, streams, cursors, and what is to be mapped again.

In: a connection inside the caller's transaction. Out: run numbers, cursors; rows of sync_run, stream_run, stream_state.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, text, update

from hub import clock
from hub.store.bulk import insert_missing
from hub.store.derived import DERIVED
from hub.store.kept import dead_letter, landing, profile_ledger, stream_run, stream_state, sync_run
from hub.store.mapped import MAPPED, control

Names = tuple[str, str]  # source and stream

_held = func.length(landing.c.payload) > 0


def start_run(connection: Connection, command: str, as_of: int) -> int:
    """The number of a new run of `command` at the instant `as_of` (microseconds)."""
    row = {"command": command, "as_of": as_of, "started_at": clock.now(), "status": "RUNNING"}
    return int(connection.execute(insert(sync_run).values(row).returning(sync_run.c.run_no)).scalar_one())


def latest_as_of(connection: Connection) -> int | None:
    """The latest instant that any run called now."""
    return connection.execute(select(func.max(sync_run.c.as_of))).scalar()


def landed_streams(connection: Connection) -> set[Names]:
    """The streams that hold records."""
    c = stream_state.c
    rows = connection.execute(select(c.source, c.stream).where(c.record_count > 0))
    return {(row.source, row.stream) for row in rows}


def finish_run(connection: Connection, run_no: int, status: str, customers_derived: int) -> None:
    """Closes the run as OK, PARTIAL or FAILED."""
    ended = {"status": status, "customers_derived": customers_derived, "finished_at": clock.now()}
    connection.execute(update(sync_run).where(sync_run.c.run_no == run_no).values(ended))


def start_stream(connection: Connection, run_no: int, source: str, stream: str) -> None:
    """Opens the stream's part of the run; its counters begin at 0 and grow with each landing."""
    row = {"run_no": run_no, "source": source, "stream": stream, "started_at": clock.now(), "status": "RUNNING"}
    counters = dict.fromkeys(("pages", "pulled", "changed", "unchanged", "failed"), 0)
    insert_missing(connection, stream_run, [row | counters])


def finish_stream(
    connection: Connection,
    run_no: int,
    source: str,
    stream: str,
    error: str | None,
    fresh_until: int | None = None,
) -> None:
    """Closes the stream's part of the run: FAILED with this one line, or OK, and then how long it counts as fresh.

    A stream that never began, for want of its source, is written down all the same.
    """
    start_stream(connection, run_no, source, stream)
    run, state = stream_run.c, stream_state.c
    connection.execute(
        update(stream_run)
        .where(run.run_no == run_no, run.source == source, run.stream == stream)
        .values(status="FAILED" if error else "OK", error=error, finished_at=clock.now())
    )
    if error is None and fresh_until is not None:
        connection.execute(
            update(stream_state).where(state.source == source, state.stream == stream).values(fresh_until=fresh_until)
        )


def fail_stream(connection: Connection, run_no: int, source: str, stream: str, error: str) -> None:
    """Writes an error down at the stream's last pull, whose records it is about; at this run where there was none."""
    run = stream_run.c
    last = select(func.max(run.run_no)).where(run.source == source, run.stream == stream)
    finish_stream(connection, connection.execute(last).scalar() or run_no, source, stream, error)


def stream_cursor(connection: Connection, source: str, stream: str) -> dict[str, Any] | None:
    """Where the stream's next pull goes on: the cursor committed with the last page; None before the first."""
    held = connection.execute(
        select(stream_state.c.cursor).where(stream_state.c.source == source, stream_state.c.stream == stream)
    ).scalar()
    return None if held is None else dict(json.loads(held))


def mapping_version(connection: Connection, source: str, stream: str) -> str | None:
    """The mapping by which the stream's records were last mapped; None where they never were."""
    held = select(stream_state.c.mapping_version)
    return connection.execute(held.where(stream_state.c.source == source, stream_state.c.stream == stream)).scalar()


def mark_for_remap(connection: Connection, source: str, stream: str, version: str) -> int:
    """Sends the stream's records back to be mapped where another mapping than `version` did so last; how many.

    Those whose payload is kept no longer stay as they were mapped.
    """
    this = (stream_state.c.source == source, stream_state.c.stream == stream)
    insert_missing(connection, stream_state, [{"source": source, "stream": stream, "record_count": 0}])
    held = mapping_version(connection, source, stream)
    if held == version:
        return 0
    connection.execute(update(stream_state).where(*this).values(mapping_version=version))
    if held is None:
        return 0
    these = (landing.c.source == source, landing.c.stream == stream, landing.c.state != 0, _held)
    again = update(landing).where(*these)
    return int(connection.execute(again.values(state=0)).rowcount)


def forget_derivable(connection: Connection, streams: Iterable[Names]) -> None:
    """Deletes every derived row and sends all that is landed back to be mapped and resolved.

    A record's rows stay until it is mapped again, and where that fails; those of what is none of `streams` now go.
    Kept rows stay: landing, ledgers, judgements, logs; numbers and ids last. So do the rows of a dead letter or of a
    record whose payload is kept no longer, which nothing could make anew.
    """
    rows = connection.execute(select(stream_state.c.source, stream_state.c.stream)).all()
    for source, stream in sorted({(row.source, row.stream) for row in rows} - set(streams)):
        _forget_stranger(connection, source, stream)
    for table in DERIVED:
        _empty(connection, table)
    connection.execute(update(landing).where(landing.c.state != 0, _held).values(state=0))
    connection.execute(update(profile_ledger).values(pending=True))


def _forget_stranger(connection: Connection, source: str, stream: str) -> None:
    """Deletes what the stream's records said. They come back with the stream, under its name."""
    bare = select(landing.c.landing_no).where(~_held, landing.c.deleted_at.is_(None))
    spared = bare.union_all(select(dead_letter.c.landing_no))
    for table in (*MAPPED.values(), control):
        this = (table.c.source == source, table.c.stream == stream)
        connection.execute(delete(table).where(*this, table.c.landing_no.not_in(spared)))


def _empty(connection: Connection, table: Table) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"TRUNCATE {connection.dialect.identifier_preparer.format_table(table)}"))
    else:
        connection.execute(delete(table))
