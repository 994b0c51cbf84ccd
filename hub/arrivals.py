"""Pull and land. In: sources. Out: their pages in landing, each with the cursor after it, and how each stream ended.

Sources and streams are pulled at once and feed a bounded queue; one writer takes what has arrived, up to ten pages in
one transaction, in a thread. A failed stream's pages land all the same; the next run goes on behind them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from connectors.errors import ConnectorError
from connectors.pull import Connection, Page
from hub.run import Hub, Report
from hub.store import landing, read
from hub.store.errors import StoreError
from mappings.duration import duration
from mappings.loader import MissingSettingError, Source

log = structlog.get_logger(__name__)

PAGES_A_TRANSACTION = 10
PAGES_AHEAD = 20  # what may wait for the writer before pulling waits too


@dataclass(frozen=True, slots=True)
class Arrival:
    """A page, and where it comes from."""

    source: str
    stream: str
    page: Page


@dataclass(frozen=True, slots=True)
class _Intake:
    hub: Hub
    report: Report
    arrivals: asyncio.Queue[Arrival | None] = field(default_factory=lambda: asyncio.Queue(PAGES_AHEAD))


def pull_and_land(hub: Hub, report: Report, only: Sequence[str] = ()) -> None:
    """Pull every stream of these sources (all where none is named) and land what comes; errors go to the report.

    Raises StoreError where the store cannot be written; nothing more is pulled then.
    """
    chosen = {name: source for name, source in hub.sources.items() if not only or name in only}
    try:
        asyncio.run(_run(_Intake(hub, report), chosen.values()))
    except ExceptionGroup as group:
        # Which streams were whole by then is not known: the next run goes on behind what each has landed.
        report.errors |= dict.fromkeys(chosen, str(group.exceptions[0]))
        with suppress(StoreError):
            _close(hub, report, chosen)
        raise group.exceptions[0] from None
    _close(hub, report, chosen)


async def _run(intake: _Intake, sources: Iterable[Source]) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_land(intake))
        tasks.create_task(_pull(intake, sources))


async def _pull(intake: _Intake, sources: Iterable[Source]) -> None:
    await asyncio.gather(*(_pull_source(intake, source) for source in sources))
    await intake.arrivals.put(None)


async def _pull_source(intake: _Intake, source: Source) -> None:
    try:
        async with Connection(source) as connection:
            try:
                streams = source.system.streams
                await asyncio.gather(*(_pull_stream(intake, connection, source.name, stream) for stream in streams))
            finally:
                intake.report.requests += connection.requests
    except (MissingSettingError, ConnectorError) as error:
        intake.report.errors[source.name] = str(error)


async def _pull_stream(intake: _Intake, connection: Connection, source: str, stream: str) -> None:
    name = f"{source}.{stream}"
    try:
        cursor = await asyncio.to_thread(_begin, intake, source, stream)
        async with aclosing(connection.pull(stream, cursor)) as pages:
            async for page in pages:
                await intake.arrivals.put(Arrival(source, stream, page))
    except ConnectorError as error:
        intake.report.errors[name] = str(error)
    except StoreError:
        raise
    except Exception as error:  # a fault of ours in one stream leaves the other sources whole
        intake.report.errors[name] = f"{name}: unexpected {type(error).__name__}; see the log"
        log.exception("stream failed", source=source, stream=stream)


def _begin(intake: _Intake, source: str, stream: str) -> dict[str, Any] | None:
    with intake.hub.store.write() as connection:
        read.start_stream(connection, intake.report.run_no, source, stream)
        return read.stream_cursor(connection, source, stream)


async def _land(intake: _Intake) -> None:
    """Write what has arrived and never wait for more than has."""
    ended = False
    while not ended:
        group = [await intake.arrivals.get()]
        while len(group) < PAGES_A_TRANSACTION and not intake.arrivals.empty():
            group.append(intake.arrivals.get_nowait())
        ended = None in group
        arrived = [arrival for arrival in group if arrival is not None]
        if arrived:
            await asyncio.to_thread(_land_group, intake, arrived)


def _land_group(intake: _Intake, group: Sequence[Arrival]) -> None:
    hub, report = intake.hub, intake.report
    by_stream: dict[tuple[str, str], list[Page]] = {}
    for arrival in group:
        by_stream.setdefault((arrival.source, arrival.stream), []).append(arrival.page)
    with hub.store.write() as connection:
        for names, pages in by_stream.items():
            landed = landing.land(connection, report.run_no, *names, pages, hub.compiled(*names), report.as_of)
            report.add(pages=len(pages), pulled=landed.pulled, changed=landed.changed, unchanged=landed.unchanged)
            hub.progress("pull", ".".join(names), landed.pulled, 0 if pages[-1].last else None)


def _close(hub: Hub, report: Report, sources: Mapping[str, Source]) -> None:
    with hub.store.write() as connection:
        for name, source in sources.items():
            for stream, spec in source.system.streams.items():
                error = report.errors.get(f"{name}.{stream}") or report.errors.get(name)
                fresh_until = report.as_of + duration(spec.fresh) // timedelta(microseconds=1)
                read.finish_stream(connection, report.run_no, name, stream, error, fresh_until)
                report.add(streams_ok=error is None)
