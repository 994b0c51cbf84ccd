"""The write path in one screen: pull → land → map → resolve → derive → publish.

In: sources and the store. Out: the graph as of one instant, and a Report of what happened. Everything that may wait
(the network) is async and feeds a bounded queue; one writer at a time holds a transaction, in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import msgspec
import structlog

from connectors.errors import ConnectorError
from connectors.pull import Connection, Page
from hub.erase import sweep
from hub.identity.resolve import resolve
from hub.insight.derive import derive, due, rules_version
from hub.store import landing, read, write
from hub.store.engine import Store
from hub.store.errors import StoreError
from mappings.compile import Compiled, compile_stream
from mappings.loader import MissingSettingError, Source
from mappings.rulebook import Rulebook

log = structlog.get_logger(__name__)

PAGES_A_TRANSACTION = 10
PAGES_AHEAD = 20  # what may wait for the writer before pulling waits too
RECORDS_A_CHUNK = 2_000
CUSTOMERS_A_CHUNK = 1_000

Progress = Callable[[str, str, int], None]  # phase, what, how many more are done


@dataclass(slots=True)
class Report:
    """What a run did: counts by phase, seconds by phase, one error a stream that failed."""

    run_no: int
    as_of: int
    seconds: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)  # "source.stream" or "source" to one line
    requests: int = 0

    @property
    def status(self) -> str:
        """OK, PARTIAL where some stream failed, FAILED where every one did."""
        if not self.errors:
            return "OK"
        return "PARTIAL" if self.counts.get("streams_ok") else "FAILED"

    def add(self, **counts: int) -> None:
        """Add to the counts by name."""
        for name, count in counts.items():
            self.counts[name] = self.counts.get(name, 0) + count


@dataclass(frozen=True, slots=True)
class Hub:
    """What every step of the write path needs: the store, what the company decides, and its sources."""

    store: Store
    rulebook: Rulebook
    sources: Mapping[str, Source]
    progress: Progress = lambda phase, what, count: None

    def compiled(self, source: str, stream: str) -> Compiled:
        """The compiled mapping of a stream."""
        return compile_stream(self.sources[source], stream, self.rulebook)

    def streams(self) -> Iterable[tuple[str, str]]:
        """Every stream of every source, in the mapping files' order."""
        return ((name, stream) for name, source in self.sources.items() for stream in source.system.streams)


def sync(hub: Hub, as_of: int, only: Sequence[str] = ()) -> Report:
    """Bring the graph to the instant `as_of`: pull what changed (of `only` these sources), then follow it through.

    A stream that fails leaves its error in the report and what it had sent in the store; the others are whole.
    """
    with hub.store.write() as connection:
        report = Report(read.start_run(connection, "sync", as_of), as_of)
    with _timed(report, "pull and land"):
        asyncio.run(_pull_and_land(hub, report, only))
    follow(hub, as_of, report)
    with hub.store.write() as connection:
        read.finish_run(connection, report.run_no, report.status, report.counts.get("customers_derived", 0))
    return report


def remap(hub: Hub, as_of: int) -> Report:
    """Make everything rebuildable anew from what is landed, without network; ids, flags and judgements last."""
    with hub.store.write() as connection:
        report = Report(read.start_run(connection, "remap", as_of), as_of)
        read.forget_derivable(connection)
    follow(hub, as_of, report)
    with hub.store.write() as connection:
        read.finish_run(connection, report.run_no, report.status, report.counts.get("customers_derived", 0))
    return report


def follow(hub: Hub, as_of: int, report: Report | None = None) -> Report:
    """Take what is landed, judged or due through map → resolve → derive → publish; nothing pending, nothing done."""
    report = report or Report(0, as_of)
    with _timed(report, "map"):
        _map(hub, report)
    with _timed(report, "resolve"):
        _resolve(hub, report)
    with _timed(report, "derive and publish"):
        _derive(hub, report)
    return report


# pull and land -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Arrival:
    source: str
    stream: str
    page: Page


async def _pull_and_land(hub: Hub, report: Report, only: Sequence[str]) -> None:
    arrivals: asyncio.Queue[_Arrival | None] = asyncio.Queue(PAGES_AHEAD)
    writer = asyncio.create_task(_land(hub, report, arrivals))
    chosen = [source for name, source in hub.sources.items() if not only or name in only]
    pulls = asyncio.gather(*(_pull_source(hub, report, source, arrivals) for source in chosen))
    await asyncio.wait({writer, asyncio.ensure_future(pulls)}, return_when=asyncio.FIRST_COMPLETED)
    if writer.done():  # the store cannot be written: nothing more is pulled, and the reason is raised
        pulls.cancel()
        await writer
    await pulls
    await arrivals.put(None)
    await writer
    for name, stream in hub.streams():
        if not only or name in only:
            with hub.store.write() as connection:
                error = report.errors.get(f"{name}.{stream}") or report.errors.get(name)
                read.finish_stream(connection, report.run_no, name, stream, error)
            report.add(streams_ok=error is None)


async def _pull_source(hub: Hub, report: Report, source: Source, arrivals: asyncio.Queue[_Arrival | None]) -> None:
    try:
        async with Connection(source) as connection:
            pulls = (_pull_stream(hub, report, connection, source.name, s, arrivals) for s in source.system.streams)
            await asyncio.gather(*pulls)
            report.requests += connection.requests
    except (MissingSettingError, ConnectorError) as error:
        report.errors[source.name] = str(error)


async def _pull_stream(
    hub: Hub,
    report: Report,
    connection: Connection,
    source: str,
    stream: str,
    arrivals: asyncio.Queue[_Arrival | None],
) -> None:
    try:
        async for page in connection.pull(stream, await asyncio.to_thread(_begin, hub, report, source, stream)):
            await arrivals.put(_Arrival(source, stream, page))
    except ConnectorError as error:
        report.errors[f"{source}.{stream}"] = str(error)
    except (asyncio.CancelledError, StoreError):
        raise
    except Exception as error:
        report.errors[f"{source}.{stream}"] = f"{source}.{stream}: unexpected {type(error).__name__}; the log says where"
        log.exception("stream failed", source=source, stream=stream)


def _begin(hub: Hub, report: Report, source: str, stream: str) -> dict[str, object] | None:
    with hub.store.write() as connection:
        read.start_stream(connection, report.run_no, source, stream)
        return read.stream_cursor(connection, source, stream)


async def _land(hub: Hub, report: Report, arrivals: asyncio.Queue[_Arrival | None]) -> None:
    """Write what has arrived, up to ten pages in one transaction, and never wait for more than has."""
    compiled = {names: hub.compiled(*names) for names in hub.streams()}
    ended = False
    while not ended:
        group = [await arrivals.get()]
        while len(group) < PAGES_A_TRANSACTION and not arrivals.empty():
            group.append(arrivals.get_nowait())
        ended = None in group
        await asyncio.to_thread(_land_group, hub, report, [a for a in group if a is not None], compiled)


def _land_group(
    hub: Hub, report: Report, group: Sequence[_Arrival], compiled: Mapping[tuple[str, str], Compiled]
) -> None:
    by_stream: dict[tuple[str, str], list[Page]] = {}
    for arrival in group:
        by_stream.setdefault((arrival.source, arrival.stream), []).append(arrival.page)
    if not by_stream:
        return
    with hub.store.write() as connection:
        for names, pages in by_stream.items():
            landed = landing.land(connection, report.run_no, *names, pages, compiled[names], report.as_of)
            report.add(pages=len(pages), pulled=landed.pulled, changed=landed.changed, unchanged=landed.unchanged)
            hub.progress("pull", ".".join(names), landed.pulled)


# map, resolve, derive ------------------------------------------------------------------------------------------------
def _map(hub: Hub, report: Report) -> None:
    decode = msgspec.json.Decoder().decode
    for source, stream in hub.streams():
        compiled = hub.compiled(source, stream)
        with hub.store.write() as connection:
            read.mark_for_remap(connection, source, stream, compiled.version)
        while True:
            with hub.store.write() as connection:
                chunk = landing.pending(connection, source, stream, RECORDS_A_CHUNK)
                records = [(landing_no, decode(payload)) for landing_no, payload in chunk]
                hashes = [(landing_no, landing.digest(compiled.content(record))) for landing_no, record in records]
                mapped = compiled.map(records)
                written = write.write_mapped(connection, source, stream, compiled, hashes, mapped, report.as_of)
            report.add(mapped=written.mapped, dead_letters=written.failed)
            hub.progress("map", f"{source}.{stream}", len(chunk))
            if len(chunk) < RECORDS_A_CHUNK:
                break
    with hub.store.write() as connection:
        report.add(erased_again=sweep(connection, report.as_of))


def _resolve(hub: Hub, report: Report) -> None:
    trust = list(hub.sources)
    while True:
        with hub.store.write() as connection:
            resolved = resolve(connection, hub.rulebook, trust, report.as_of)
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
        report.add(
            customers_derived=derived.customers, flags_raised=derived.flags_raised, flags_cleared=derived.flags_cleared
        )
        hub.progress("derive", "customers", derived.customers)


class _timed:  # noqa: N801  (reads as a word where it is used)
    """Adds the seconds of its block to the report, under the phase's name."""

    def __init__(self, report: Report, phase: str) -> None:
        self.report, self.phase = report, phase

    def __enter__(self) -> None:
        self.began = perf_counter()

    def __exit__(self, *_: object) -> None:
        seconds = perf_counter() - self.began
        self.report.seconds[self.phase] = self.report.seconds.get(self.phase, 0.0) + seconds
