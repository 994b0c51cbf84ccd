"""The write path in one screen: pull → land → map → resolve → derive → publish.

In: sources and the store. Out: the graph as of one instant, and a Report. Each step is one transaction a chunk, works
off what the store says is pending, and so goes on where a killed run stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
import structlog

from hub.arrivals import pull_and_land
from hub.clock import show
from hub.erase import sweep
from hub.identity.resolve import resolve
from hub.insight.derive import derive, due, rules_version
from hub.run import Hub, Report
from hub.store import landing, read, write
from hub.store.errors import StoreError

log = structlog.get_logger(__name__)

RECORDS_A_CHUNK = 2_000
CUSTOMERS_A_CHUNK = 1_000
UNREADABLE = "the record is empty, nested too deep, or holds a number out of range"


def sync(hub: Hub, as_of: int, only: Sequence[str] = ()) -> Report:
    """Bring the graph to the instant `as_of`: pull what changed (of `only` these sources), then follow it through.

    A stream that fails leaves its error in the report and what it had sent in the store; the others are whole.
    Raises StoreError where the store cannot be written.
    """
    with _run(hub, "sync", as_of) as report:
        with report.timed("pull and land"):
            pull_and_land(hub, report, only)
        follow(hub, as_of, report)
    return report


def remap(hub: Hub, as_of: int) -> Report:
    """Make everything rebuildable anew from what is landed, without network; ids, flags and judgements last."""
    with _run(hub, "remap", as_of) as report:
        with hub.store.write() as connection:
            read.forget_derivable(connection)
        follow(hub, as_of, report)
    return report


def follow(hub: Hub, as_of: int, report: Report | None = None) -> Report:
    """Take what is landed, judged or due through map → resolve → derive → publish; nothing pending, nothing done."""
    report = report or Report(0, as_of)
    with report.timed("map"):
        _map(hub, report)
    with report.timed("resolve"):
        _resolve(hub, report)
    with report.timed("derive and publish"):
        _derive(hub, report)
    return report


@contextmanager
def _run(hub: Hub, command: str, as_of: int) -> Iterator[Report]:
    """A run, written down when it begins and when it ends; one that ends in an error has failed."""
    with hub.store.write() as connection:
        latest = read.latest_as_of(connection)
        run_no = read.start_run(connection, command, as_of)
    if latest is not None and as_of < latest:
        log.warning("an earlier run was later: what it derived is not taken back", as_of=show(as_of), was=show(latest))
    report = Report(run_no, as_of)
    try:
        yield report
    except BaseException:
        with suppress(StoreError):
            _end(hub, report, "FAILED")
        raise
    _end(hub, report, report.status)


def _end(hub: Hub, report: Report, status: str) -> None:
    with hub.store.write() as connection:
        read.finish_run(connection, report.run_no, status, report.counts.get("customers_derived", 0))


def _warn_of_strangers(hub: Hub) -> None:
    """A source that left company.yml, or was renamed there, leaves its records behind: that is to be known."""
    with hub.store.read() as connection:
        landed = read.landed_sources(connection)
    for name in sorted(landed - hub.sources.keys()):
        log.warning(
            "landed, but no source in rules/company.yml; what it said stays in the graph until `hub remap`, then waits "
            "unmapped until the source is back under this name",
            source=name,
        )


def _map(hub: Hub, report: Report) -> None:
    _warn_of_strangers(hub)
    report.add(mapped=0, dead_letters=0)
    for source, stream in hub.streams():
        with hub.store.write() as connection:
            read.mark_for_remap(connection, source, stream, hub.compiled(source, stream).version)
            left = landing.pending_count(connection, source, stream)
        while left > 0:
            done = _map_chunk(hub, report, source, stream)
            left = left - done if done else 0
            hub.progress("map", f"{source}.{stream}", done, left)
    with hub.store.write() as connection:
        report.add(erased_again=sweep(connection, report.as_of))


def _map_chunk(hub: Hub, report: Report, source: str, stream: str) -> int:
    """Map the next pending records of a stream; how many there were."""
    compiled = hub.compiled(source, stream)
    with hub.store.write() as connection:
        chunk = landing.pending(connection, source, stream, RECORDS_A_CHUNK)
        records = [(landing_no, _parsed(payload)) for landing_no, payload in chunk]
        hashes = [(landing_no, landing.digest(compiled.content(record))) for landing_no, record in records]
        mapped = compiled.map(records)
        mapped.problems[:0] = [(landing_no, "$", UNREADABLE) for landing_no, record in records if record is None]
        written = write.write_mapped(connection, source, stream, compiled, hashes, mapped, report.as_of)
    report.add(mapped=written.mapped, dead_letters=written.failed)
    return len(chunk)


def _parsed(payload: bytes) -> Any:
    """The record, or nothing where it is JSON that cannot be held: it becomes a dead letter and stops no other."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _resolve(hub: Hub, report: Report) -> None:
    while True:
        with hub.store.write() as connection:
            resolved = resolve(connection, hub.rulebook, list(hub.sources), report.as_of)
        if not resolved.profiles:
            return
        report.add(profiles=resolved.profiles, minted=resolved.minted, merged=resolved.merged, split=resolved.split)
        hub.progress("resolve", "profiles", resolved.profiles, None)


def _derive(hub: Hub, report: Report) -> None:
    version = rules_version(hub.rulebook)
    with hub.store.read() as connection:
        left = len(due(connection, report.as_of, version, sys.maxsize))
    while True:
        with hub.store.write() as connection:
            customers = due(connection, report.as_of, version, CUSTOMERS_A_CHUNK)
            if not customers:
                return
            derived = derive(connection, hub.rulebook, report.as_of, customers)
        raised, cleared = derived.flags_raised, derived.flags_cleared
        report.add(customers_derived=derived.customers, flags_raised=raised, flags_cleared=cleared)
        left = max(0, left - derived.customers)
        hub.progress("derive", "customers", derived.customers, left)
