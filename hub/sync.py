"""The write path in one screen: pull → land → map → resolve → derive → publish.

In: sources and the store. Out: the graph as of one instant, and a Report. Each step is one transaction a chunk, works
off what the store says is pending, and so goes on where a killed run stopped.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.arrivals import pull_and_land
from hub.erase import sweep
from hub.identity.resolve import resolve
from hub.insight.derive import derive, due, rules_version
from hub.run import Hub, Report
from hub.store import landing, read, write

RECORDS_A_CHUNK = 2_000
CUSTOMERS_A_CHUNK = 1_000


def sync(hub: Hub, as_of: int, only: Sequence[str] = ()) -> Report:
    """Bring the graph to the instant `as_of`: pull what changed (of `only` these sources), then follow it through.

    A stream that fails leaves its error in the report and what it had sent in the store; the others are whole.
    Raises StoreError where the store cannot be written.
    """
    report = _begin(hub, "sync", as_of)
    with report.timed("pull and land"):
        pull_and_land(hub, report, only)
    follow(hub, as_of, report)
    return _end(hub, report)


def remap(hub: Hub, as_of: int) -> Report:
    """Make everything rebuildable anew from what is landed, without network; ids, flags and judgements last."""
    report = _begin(hub, "remap", as_of)
    with hub.store.write() as connection:
        read.forget_derivable(connection)
    follow(hub, as_of, report)
    return _end(hub, report)


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


def _begin(hub: Hub, command: str, as_of: int) -> Report:
    with hub.store.write() as connection:
        return Report(read.start_run(connection, command, as_of), as_of)


def _end(hub: Hub, report: Report) -> Report:
    with hub.store.write() as connection:
        read.finish_run(connection, report.run_no, report.status, report.counts.get("customers_derived", 0))
    return report


def _map(hub: Hub, report: Report) -> None:
    for source, stream in hub.streams():
        with hub.store.write() as connection:
            read.mark_for_remap(connection, source, stream, hub.compiled(source, stream).version)
        while _map_chunk(hub, report, source, stream) == RECORDS_A_CHUNK:
            pass
    with hub.store.write() as connection:
        report.add(erased_again=sweep(connection, report.as_of))


def _map_chunk(hub: Hub, report: Report, source: str, stream: str) -> int:
    """Map the next pending records of a stream; how many there were."""
    compiled = hub.compiled(source, stream)
    with hub.store.write() as connection:
        chunk = landing.pending(connection, source, stream, RECORDS_A_CHUNK)
        records = [(landing_no, msgspec.json.decode(payload)) for landing_no, payload in chunk]
        hashes = [(landing_no, landing.digest(compiled.content(record))) for landing_no, record in records]
        mapped = compiled.map(records)
        written = write.write_mapped(connection, source, stream, compiled, hashes, mapped, report.as_of)
    report.add(mapped=written.mapped, dead_letters=written.failed)
    hub.progress("map", f"{source}.{stream}", len(chunk))
    return len(chunk)


def _resolve(hub: Hub, report: Report) -> None:
    while True:
        with hub.store.write() as connection:
            resolved = resolve(connection, hub.rulebook, list(hub.sources), report.as_of)
        if not resolved.profiles:
            return
        report.add(profiles=resolved.profiles, minted=resolved.minted, merged=resolved.merged, split=resolved.split)
        hub.progress("resolve", "profiles", resolved.profiles)


def _derive(hub: Hub, report: Report) -> None:
    version = rules_version(hub.rulebook)
    while True:
        with hub.store.write() as connection:
            customers = due(connection, report.as_of, version, CUSTOMERS_A_CHUNK)
            if not customers:
                return
            derived = derive(connection, hub.rulebook, report.as_of, customers)
        raised, cleared = derived.flags_raised, derived.flags_cleared
        report.add(customers_derived=derived.customers, flags_raised=raised, flags_cleared=cleared)
        hub.progress("derive", "customers", derived.customers)
