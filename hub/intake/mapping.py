"""Mapping what has landed. In: records that wait, in the store. Out: what they mean, in the mapped tables.

One transaction a chunk, so a killed run goes on behind the last; the newer of two mappings wins.
"""

from __future__ import annotations

import structlog
from sqlalchemy import Connection

from hub.erasure.erase import sweep
from hub.identity.rules import Rules
from hub.intake.retention import note_left_behind
from hub.quality.guard import Guard
from hub.quality.understand import understand
from hub.run import Hub, Report
from hub.store import landing, read, write
from hub.store.gone import heed

log = structlog.get_logger(__name__)

RECORDS_A_CHUNK = 2_000


def map_landed(hub: Hub, report: Report, guarded: bool) -> None:
    """Maps every record that waits, streams that say what is gone first; what is wrong goes to the report.

    `guarded` watches the records for drift and for `max_bad`.
    """
    _warn_of_strangers(hub)
    report.add(mapped=0, dead_letters=0)
    for source, stream in sorted(hub.streams(), key=lambda names: hub.spec(*names).deletes is None):
        _map_stream(hub, report, source, stream, guarded)
    with hub.store.write() as connection:
        report.add(erased_again=sweep(connection, Rules.forms_of(hub.rulebook), report.as_of))


def _warn_of_strangers(hub: Hub) -> None:
    """A source or a stream that left, or was renamed, leaves its records behind: that is to be known."""
    with hub.store.read() as connection:
        landed = read.landed_streams(connection)
    for source, stream in sorted(landed - set(hub.streams())):
        where = f"no stream of {source}'s mapping" if source in hub.sources else "no source in rules/company.yml"
        log.warning(
            f"landed, but {where}; what it said stays in the graph until `hub remap`, then waits unmapped until it is "
            "back under this name",
            source=source,
            stream=stream,
        )


def _map_stream(hub: Hub, report: Report, source: str, stream: str, guarded: bool) -> None:
    guard = None
    with hub.store.write() as connection:
        version = hub.compiled(source, stream).version
        if _superseded(hub, connection, source, stream, version):
            report.notes[f"{source}.{stream}"] = "its mapping was changed since this process began: what lands waits"
            return
        note_left_behind(connection, report, source, stream, version)
        again = read.mark_for_remap(connection, source, stream, version)
        left = landing.pending_count(connection, source, stream)
        if left and guarded:
            guard = Guard.over(connection, source, stream, hub.spec(source, stream), again > 0)
    while left > 0 and not (guard and guard.stops) and not hub.ending():
        done = _map_chunk(hub, report, source, stream, guard)
        left = left - done if done else 0
        hub.progress("map", f"{source}.{stream}", done, left)
    if guard is not None:
        _conclude(hub, report, guard, left)


def _superseded(hub: Hub, connection: Connection, source: str, stream: str, version: str) -> bool:
    """Whether another process has mapped the stream by another mapping since this one first did.

    That one is the newer; taking turns would map everything again and again.
    """
    held, known = read.mapping_version(connection, source, stream), hub.mapped_by.get((source, stream))
    if known is None or held == version:
        hub.mapped_by[source, stream] = version
        return False
    if held != known:
        log.warning("its mapping was changed since this process began: restart it", source=source, stream=stream)
        hub.mapped_by[source, stream] = str(held)
    return True


def _map_chunk(hub: Hub, report: Report, source: str, stream: str, guard: Guard | None) -> int:
    """Map the next pending records of a stream; how many there were, 0 where another mapping has taken over."""
    compiled = hub.compiled(source, stream)
    with hub.store.write() as connection:
        if read.mapping_version(connection, source, stream) != compiled.version:
            return 0
        chunk = landing.pending(connection, source, stream, RECORDS_A_CHUNK)
        records, mapped = understand(compiled, chunk)
        hashes = [(landing_no, landing.digest(compiled.content(record))) for landing_no, record in records]
        hashes += [(landing_no, landing.digest(payload)) for landing_no, payload in chunk if not payload]
        written = write.write_mapped(connection, source, stream, compiled, hashes, mapped, report.as_of)
        deleted = heed(connection, source, mapped.gone, report.as_of)
    report.add(mapped=written.mapped, dead_letters=written.failed, deleted=deleted)
    if guard is not None:
        guard.look([record for _, record in records], mapped.problems)
    return len(chunk)


def _conclude(hub: Hub, report: Report, guard: Guard, left: int) -> None:
    """What is wrong with the stream's records as a whole is an error of the stream, beside that of its pull."""
    name = f"{guard.source}.{guard.stream}"
    with hub.store.write() as connection:
        line = guard.conclude(connection, left, report.as_of)
        if line is None:
            return
        report.errors[name] = " · ".join(filter(None, (report.errors.get(name), line)))
        read.fail_stream(connection, report.run_no, guard.source, guard.stream, report.errors[name])
