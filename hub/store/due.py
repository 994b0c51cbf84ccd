"""When a stream was pulled and whether it is to be pulled soon. In: a connection in the caller's transaction, and the
clock's time in microseconds. Out: stream_state.pulled_at and due_at; and what a schedule needs to know of every stream.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, text, update

from hub.store import lease
from hub.store.bulk import insert_missing
from hub.store.kept import stream_state

AHEAD_US = 60_000_000
"""How far another machine's clock may be ahead; what is further was written before a clock was set back."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What is known of one stream's pulls; instants in microseconds of the clock.

    `due_at` is null where nothing but the schedule asks for a pull; `failures` are those since the last that was whole;
    `broken_off` that the last one never came to its end; `held_until` that a process pulls it now.
    """

    pulled_at: int | None = None
    due_at: int | None = None
    failures: int = 0
    broken_off: bool = False
    held_until: int | None = None


def begun(connection: Connection, source: str, stream: str, now_us: int) -> None:
    """A pull of the stream begins: what asked for it is done with, and what asks from now on counts anew."""
    _set(connection, source, stream, pulled_at=now_us, due_at=None)


def begun_since(connection: Connection, source: str, stream: str, instant_us: int, now_us: int) -> bool:
    """Whether a pull of the stream has begun after this instant; not where a clock that was ahead says so."""
    state = stream_state.c
    since = state.pulled_at.between(instant_us + 1, now_us + AHEAD_US)
    this = select(state.stream).where(state.source == source, state.stream == stream, since)
    return connection.execute(this).first() is not None


def make_due(connection: Connection, source: str, stream: str, now_us: int) -> None:
    """The stream is to be pulled soon, whatever its schedule says."""
    _set(connection, source, stream, due_at=now_us)


def _set(connection: Connection, source: str, stream: str, **said: int | None) -> None:
    insert_missing(connection, stream_state, [{"source": source, "stream": stream, "record_count": 0}])
    this = (stream_state.c.source == source, stream_state.c.stream == stream)
    connection.execute(update(stream_state).where(*this).values(said))


# By the index of stream_run, backwards: what a schedule asks every few seconds reads no history.
_PULLED = text("""
    WITH known AS (
        SELECT s.source, s.stream, s.pulled_at, s.due_at,
               COALESCE((SELECT r.run_no FROM stream_run r
                         WHERE r.source = s.source AND r.stream = s.stream AND r.status = 'OK'
                         ORDER BY r.run_no DESC LIMIT 1), 0) AS whole_no
        FROM stream_state s
    )
    SELECT k.source, k.stream, k.pulled_at, k.due_at,
           (SELECT COUNT(*) FROM stream_run r WHERE r.source = k.source AND r.stream = k.stream
            AND r.run_no > k.whole_no AND r.status = 'FAILED'),
           COALESCE((SELECT r.status FROM stream_run r WHERE r.source = k.source AND r.stream = k.stream
                     ORDER BY r.run_no DESC LIMIT 1), '') = 'RUNNING'
    FROM known k
""")


def pulls(connection: Connection, now_us: int) -> dict[tuple[str, str], Pulled]:
    """Every stream that was ever begun or asked for, by source and name, in two statements."""
    held = lease.held(connection, now_us)
    rows = connection.execute(_PULLED)
    return {
        (source, stream): Pulled(pulled_at, due_at, int(failures), bool(broken_off), held.get((source, stream)))
        for source, stream, pulled_at, due_at, failures, broken_off in rows
    }
