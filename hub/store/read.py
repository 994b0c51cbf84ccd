"""What a run says and asks of the kept tables: runs, streams, cursors, and what is to be mapped again.

In: a connection inside the caller's transaction. Out: run numbers, cursors; rows of sync_run, stream_run, stream_state.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, text, update

from hub import clock
from hub.store.bulk import insert_missing
from hub.store.derived import DERIVED
from hub.store.kept import dead_letter, landing, profile_ledger, stream_run, stream_state, sync_run
from hub.store.mapped import MAPPED, control


def start_run(connection: Connection, command: str, as_of: int) -> int:
    """The number of a new run of `command` at the instant `as_of` (microseconds)."""
    row = {"command": command, "as_of": as_of, "started_at": clock.now(), "status": "RUNNING"}
    return int(connection.execute(insert(sync_run).values(row).returning(sync_run.c.run_no)).scalar_one())


def latest_as_of(connection: Connection) -> int | None:
    """The latest instant that any run called now."""
    return connection.execute(select(func.max(sync_run.c.as_of))).scalar()


def landed_sources(connection: Connection) -> set[str]:
    """The sources that records are landed of, by the streams that hold any."""
    rows = connection.execute(select(stream_state.c.source).distinct().where(stream_state.c.record_count > 0))
    return set(rows.scalars())


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


def stream_cursor(connection: Connection, source: str, stream: str) -> dict[str, Any] | None:
    """Where the stream's next pull goes on: the cursor committed with the last page; None before the first."""
    held = connection.execute(
        select(stream_state.c.cursor).where(stream_state.c.source == source, stream_state.c.stream == stream)
    ).scalar()
    return None if held is None else dict(json.loads(held))


def mark_for_remap(connection: Connection, source: str, stream: str, version: str) -> int:
    """Sends the stream's records back to be mapped where another mapping than `version` did so last; how many."""
    this = (stream_state.c.source == source, stream_state.c.stream == stream)
    insert_missing(connection, stream_state, [{"source": source, "stream": stream, "record_count": 0}])
    held = connection.execute(select(stream_state.c.mapping_version).where(*this)).scalar()
    if held == version:
        return 0
    connection.execute(update(stream_state).where(*this).values(mapping_version=version))
    if held is None:
        return 0
    again = update(landing).where(landing.c.source == source, landing.c.stream == stream, landing.c.state != 0)
    return int(connection.execute(again.values(state=0)).rowcount)


def forget_derivable(connection: Connection) -> None:
    """Deletes every mapped and derived row and sends all that is landed back to be mapped and resolved.

    Kept rows stay: landing, ledgers, judgements, logs; numbers and ids last. So does what a dead letter said before
    its failed update: landing has that no more.
    """
    if connection.execute(select(dead_letter.c.landing_no).limit(1)).first() is None:
        for table in (*MAPPED.values(), control):
            _empty(connection, table)
    else:
        money = MAPPED["money_entry"].c
        last = select(money.landing_no).where(money.stale.is_(True))
        connection.execute(delete(control).where(control.c.landing_no.not_in(last)))
        for table in MAPPED.values():
            connection.execute(delete(table).where(table.c.stale.is_(False)))
    for table in DERIVED:
        _empty(connection, table)
    connection.execute(update(landing).where(landing.c.state != 0).values(state=0))
    connection.execute(update(profile_ledger).values(pending=True))


def _empty(connection: Connection, table: Table) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"TRUNCATE {connection.dialect.identifier_preparer.format_table(table)}"))
    else:
        connection.execute(delete(table))
