"""Pull and land. In: sources. Out: their pages in landing, each with the cursor after it, and how each stream ended.

Sources and streams are pulled at once and hand their pages to the inbox; children follow when their parents are landed.
A failed stream's pages land all the same; the next run goes on behind them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import structlog

from connectors.errors import ConnectorError
from connectors.pull import Connection, Page
from hub import clock
from hub.intake.inbox import Arrival, Inbox, Names
from hub.run import Hub, Report
from hub.store import due, gone, lease, parents, read
from hub.store.errors import StoreError
from hub.store.lease import LEASE_US
from mappings.duration import duration
from mappings.loader import MissingSettingError

log = structlog.get_logger(__name__)

PARENTS_A_CHUNK = 200
LOOK_S = 0.2  # how soon an end that is asked for is heeded
_KEEP_EVERY = LEASE_US / 4_000_000 // LOOK_S

Chosen = Mapping[str, Sequence[str]]  # source to its streams


@dataclass(frozen=True, slots=True)
class _Intake:
    """One pull of some streams: those that were `ended` before their end, and which of them are `landed` whole."""

    hub: Hub
    report: Report
    inbox: Inbox
    landed: Mapping[Names, asyncio.Event]
    pulls: dict[Names, asyncio.Task[Any]] = field(default_factory=dict)
    ended: set[Names] = field(default_factory=set)
    held: set[Names] = field(default_factory=set)


def pull_and_land(hub: Hub, report: Report, only: Sequence[str] = ()) -> None:
    """Pull these sources, or these streams as `source.stream` (all where none is named), and land what comes.

    Errors go to the report. A stream that another process pulls is left alone. Raises StoreError where the store cannot
    be written; nothing more is pulled then.
    """
    chosen = _chosen(hub, only)
    names = [(source, stream) for source, streams in chosen.items() for stream in streams]
    intake = _Intake(hub, report, Inbox(hub, report), {name: asyncio.Event() for name in names})
    try:
        asyncio.run(_run(intake, chosen))
    except ExceptionGroup as group:
        # Which streams were whole by then is not known: the next run goes on behind what each has landed.
        report.errors |= dict.fromkeys(chosen, str(group.exceptions[0]))
        with suppress(StoreError):
            _close(intake)
        raise group.exceptions[0] from None
    _close(intake)


def _chosen(hub: Hub, only: Sequence[str]) -> Chosen:
    chosen: dict[str, list[str]] = {}
    for source, stream in hub.streams():
        if not only or source in only or f"{source}.{stream}" in only:
            chosen.setdefault(source, []).append(stream)
    return chosen


async def _run(intake: _Intake, chosen: Chosen) -> None:
    async with asyncio.TaskGroup() as tasks:
        watcher = tasks.create_task(_watch(intake))
        writer = tasks.create_task(intake.inbox.write())
        await asyncio.gather(*(_pull_source(intake, source, streams) for source, streams in chosen.items()))
        await intake.inbox.close()
        await writer
        watcher.cancel()


async def _watch(intake: _Intake) -> None:
    """Keeps the leases, and ends what is being pulled when the process is to end: what has arrived lands."""
    ticks = 0
    while True:
        await asyncio.sleep(LOOK_S)
        ticks += 1
        if ticks % _KEEP_EVERY == 0:
            await asyncio.to_thread(intake.inbox.keep_leases)
        while intake.hub.ending() and intake.pulls:
            names, task = intake.pulls.popitem()
            intake.ended.add(names)
            task.cancel()


async def _pull_source(intake: _Intake, name: str, streams: Sequence[str]) -> None:
    report = intake.report
    try:
        async with Connection(intake.hub.sources[name], vault=intake.hub.vault) as connection:
            try:
                await asyncio.gather(*(_pull_stream(intake, connection, (name, stream)) for stream in streams))
            finally:
                report.requests += connection.requests
                report.notes |= {f"{name}.{stream}": note for stream, note in connection.notes.items()}
    except (MissingSettingError, ConnectorError) as error:
        report.errors[name] = str(error)


async def _pull_stream(intake: _Intake, connection: Connection, names: Names) -> None:
    """One stream to its end, whatever that is; who waits for it goes on when all that came of it is landed."""
    name = ".".join(names)
    try:
        task = asyncio.current_task()
        if task is not None:
            intake.pulls[names] = task
        await _pull_pages(intake, connection, names)
    except asyncio.CancelledError:
        if names not in intake.ended:
            raise
    except ConnectorError as error:
        intake.report.errors[name] = str(error)
    except StoreError:
        raise
    except Exception as error:  # a fault of ours in one stream leaves the other sources whole
        intake.report.errors[name] = f"{name}: unexpected {type(error).__name__}; see the log"
        log.exception("stream failed", source=names[0], stream=names[1])
    intake.pulls.pop(names, None)
    if names not in intake.ended:
        await intake.inbox.settled()
    intake.landed[names].set()


async def _pull_pages(intake: _Intake, connection: Connection, names: Names) -> None:
    source, stream = names
    parent = intake.hub.spec(*names).parent
    if parent is not None and (source, parent.stream) in intake.landed:
        await intake.landed[source, parent.stream].wait()
    begun = await asyncio.to_thread(_begin, intake, names)
    if begun is None:
        intake.held.add(names)
        intake.report.notes[".".join(names)] = "another process pulls it at the moment: it was left alone"
        return
    due_parents = _parents(intake, names)
    pages = connection.pull_children(stream, due_parents) if parent else connection.pull(stream, begun or None)
    async with aclosing(due_parents), aclosing(pages):
        async for page in pages:
            if names in intake.inbox.lost:
                intake.held.add(names)
                intake.report.notes[".".join(names)] = "another process has begun to pull it: it was left to that"
                return
            await intake.inbox.put(Arrival(source, stream, page))


def _begin(intake: _Intake, names: Names) -> dict[str, Any] | None:
    """The cursor to go on from, empty before the first page; None where another process pulls the stream."""
    spec, now = intake.hub.spec(*names), clock.now()
    with intake.hub.store.write() as connection:
        if intake.report.decided_at is not None and due.begun_since(connection, *names, intake.report.decided_at, now):
            return None
        if not lease.take(connection, *names, intake.inbox.holder, now):
            return None
        intake.inbox.taken.add(names)
        read.start_stream(connection, intake.report.run_no, *names)
        due.begun(connection, *names, now)
        if spec.parent is not None:
            parents.begin(connection, *names, spec.parent, intake.report.as_of)
        cursor = read.stream_cursor(connection, *names) or {}
        if spec.deleted is not None and spec.deleted.absent and "at" not in cursor:
            gone.begin_reading(connection, *names)
        return cursor


async def _parents(intake: _Intake, names: Names) -> AsyncGenerator[tuple[int, Any]]:
    """The parents that are due, parsed, chunk by chunk."""
    after = 0
    while chunk := await asyncio.to_thread(_due, intake.hub, names, after):
        for parent in chunk:
            intake.inbox.ask(names, parent)
            try:
                yield parent.number, msgspec.json.decode(parent.payload)
            except (msgspec.MsgspecError, RecursionError):  # a dead letter, which nobody can ask about
                await intake.inbox.put(Arrival(*names, Page([], {}, True, parent.number)))
        after = chunk[-1].number


def _due(hub: Hub, names: Names, after: int) -> list[parents.Parent]:
    with hub.store.read() as connection:
        return parents.due(connection, *names, after, PARENTS_A_CHUNK)


def _close(intake: _Intake) -> None:
    hub, report = intake.hub, intake.report
    with hub.store.write() as connection:
        for names in intake.landed:
            lease.give_back(connection, *names, intake.inbox.holder)
            error = report.errors.get(".".join(names)) or report.errors.get(names[0])
            report.add(streams_ok=error is None)
            never_begun = names in intake.ended and names not in intake.inbox.taken
            if names in intake.held or never_begun:
                continue
            fresh_until = report.as_of + duration(hub.spec(*names).fresh) // timedelta(microseconds=1)
            whole = names not in intake.ended
            read.finish_stream(connection, report.run_no, *names, error, fresh_until if whole else None)
            if not whole:
                due.make_due(connection, *names, clock.now())
