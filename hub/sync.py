"""The write path in one screen: pull → land → map → resolve → derive → publish.

In: sources and the store. Out: the graph as of one instant, and a Report. Each step is one transaction a chunk, works
off what the store says is pending, and so goes on where a killed run stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import structlog

from hub.clock import show
from hub.identity.resolve import resolve
from hub.insight.derive import derive, due, rules_version
from hub.intake.arrivals import pull_and_land
from hub.intake.mapping import map_landed
from hub.intake.retention import retain
from hub.quality.letters import put_back, still_dead
from hub.run import Hub, Report
from hub.store import read
from hub.store.errors import StoreError

log = structlog.get_logger(__name__)

CUSTOMERS_A_CHUNK = 1_000
MINUTE_US = 60_000_000  # processes that run at once are no further apart


def sync(hub: Hub, as_of: int, only: Sequence[str] = ()) -> Report:
    """Bring the graph to the instant `as_of`: pull what changed (of `only` these sources), then follow it through.

    A stream that fails leaves its error in the report and what it had sent in the store; the others are whole.
    Raises StoreError where the store cannot be written.
    """
    with _run(hub, "sync", as_of) as report:
        with report.timed("pull and land"):
            pull_and_land(hub, report, only)
        follow(hub, as_of, report)
        retain(hub, report)
    return report


def pull(hub: Hub, as_of: int, only: Sequence[str], decided_at: int) -> Report:
    """The first half of `sync`: what changed lands and waits to be followed through. Several may run at once.

    What another process has begun to pull since `decided_at` (µs, by the clock) is left to it.
    """
    with _run(hub, "sync", as_of) as report, report.timed("pull and land"):
        report.decided_at = decided_at
        pull_and_land(hub, report, only)
    return report


def advance(hub: Hub, as_of: int) -> Report:
    """The second half of `sync`: what is landed is followed through, and the clock passes to `as_of`."""
    with _run(hub, "sync", as_of) as report:
        follow(hub, as_of, report)
        retain(hub, report)
    return report


def remap(hub: Hub, as_of: int) -> Report:
    """Make everything rebuildable anew from what is landed, without network; ids, flags and judgements last."""
    with _run(hub, "remap", as_of) as report:
        with hub.store.write() as connection:
            read.forget_derivable(connection, hub.streams())
        follow(hub, as_of, report, guarded=False)
    return report


def retry(hub: Hub, as_of: int, place: str | None = None) -> tuple[int, int]:
    """Map the dead letters of a source or a `source.stream` once more; how many they were and how many are left.

    Raises UnknownPlace.
    """
    with hub.store.write() as connection:
        tried = put_back(connection, place)
    with _run(hub, "retry", as_of) as report:
        follow(hub, as_of, report, guarded=False)
    with hub.store.read() as connection:
        return len(tried), still_dead(connection, tried)


def follow(hub: Hub, as_of: int, report: Report | None = None, guarded: bool = True) -> Report:
    """Take what is landed, judged or due through map → resolve → derive → publish; nothing pending, nothing done.

    `guarded` watches the records for drift and for `max_bad`: not where old ones are mapped once more.
    """
    report = report or Report(0, as_of)
    with report.timed("map"):
        map_landed(hub, report, guarded)
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
    if latest is not None and latest - as_of > MINUTE_US:
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


def _resolve(hub: Hub, report: Report) -> None:
    while not hub.ending():
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
    while not hub.ending():
        with hub.store.write() as connection:
            customers = due(connection, report.as_of, version, CUSTOMERS_A_CHUNK)
            if not customers:
                return
            derived = derive(connection, hub.rulebook, report.as_of, customers)
        raised, cleared = derived.flags_raised, derived.flags_cleared
        report.add(customers_derived=derived.customers, flags_raised=raised, flags_cleared=cleared)
        left = max(0, left - derived.customers)
        hub.progress("derive", "customers", derived.customers, left)
