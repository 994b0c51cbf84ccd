"""The inbox. In: pages of all streams, as they arrive. Out: landed, up to ten in one transaction, in a thread.

What a page brings along is landed with it: the cursor, the parents whose children are due, what a whole reading lacks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from connectors.pull import Page
from hub import clock
from hub.run import Hub, Report
from hub.store import landing, lease, parents
from hub.store.errors import StoreError
from hub.store.gone import Absent
from hub.store.landing import Ties
from hub.store.parents import Parent
from mappings.loader import Source

PAGES_A_TRANSACTION = 10
PAGES_AHEAD = 20  # what may wait for the writer before pulling waits too

Names = tuple[str, str]  # source and stream


@dataclass(frozen=True, slots=True)
class Arrival:
    """A page, and where it comes from."""

    source: str
    stream: str
    page: Page


def ties_of(source: Source, stream: str) -> Ties:
    """What else follows from the stream's arrival, as the mapping says."""
    streams = source.system.streams
    children = tuple(name for name, spec in streams.items() if spec.parent and spec.parent.stream == stream)
    deleted = streams[stream].deleted
    absent = deleted.at_most if deleted is not None and deleted.absent else None
    return Ties(children, absent, streams[stream].deletes)


class Inbox:
    """A bounded queue and its one writer, which lands what has arrived and never waits for more than has.

    `taken` are the streams that this process has the lease of, `lost` those that another has got since: what comes of
    them does not land.
    """

    def __init__(self, hub: Hub, report: Report) -> None:
        self._hub, self._report = hub, report
        self._arrivals: asyncio.Queue[Arrival | asyncio.Event | None] = asyncio.Queue(PAGES_AHEAD)
        self._asked: dict[tuple[Names, int], Parent] = {}
        self.holder = lease.new_holder()
        self.taken: set[Names] = set()
        self.lost: set[Names] = set()

    async def put(self, arrival: Arrival) -> None:
        """Hands a page over; waits where too many are waiting."""
        await self._arrivals.put(arrival)

    def ask(self, names: Names, parent: Parent) -> None:
        """The children of this parent are being asked for: it is done with as it is now."""
        self._asked[names, parent.number] = parent

    async def settled(self) -> None:
        """Returns when all that was handed over until now is landed."""
        event = asyncio.Event()
        await self._arrivals.put(event)
        await event.wait()

    async def close(self) -> None:
        """Nothing more will come: `write` returns when all is landed."""
        await self._arrivals.put(None)

    async def write(self) -> None:
        """Lands what arrives until it is closed. Raises StoreError."""
        ended = False
        while not ended:
            group = [await self._arrivals.get()]
            while len(group) < PAGES_A_TRANSACTION and not self._arrivals.empty():
                group.append(self._arrivals.get_nowait())
            ended = None in group
            arrived = [item for item in group if isinstance(item, Arrival)]
            if arrived:
                await asyncio.to_thread(self._land, arrived)
            for item in group:
                if isinstance(item, asyncio.Event):
                    item.set()

    def keep_leases(self) -> None:
        """Prolongs the leases; where the store is busy, the next page does."""
        with suppress(StoreError), self._hub.store.write() as connection:
            for names in self.taken - self.lost:
                self._keep(connection, names)

    def _keep(self, connection: Connection, names: Names) -> bool:
        if not lease.keep(connection, *names, self.holder, clock.now()):
            self.lost.add(names)
        return names not in self.lost

    def _land(self, group: Sequence[Arrival]) -> None:
        by_stream: dict[Names, list[Page]] = {}
        for arrival in group:
            by_stream.setdefault((arrival.source, arrival.stream), []).append(arrival.page)
        with self._hub.store.write(repeatable=True) as connection:
            for names, pages in by_stream.items():
                if self._keep(connection, names):
                    self._land_pages(connection, names, pages)

    def _land_pages(self, connection: Connection, names: Names, pages: Sequence[Page]) -> None:
        hub, report = self._hub, self._report
        ties = ties_of(hub.sources[names[0]], names[1])
        landed = landing.land(connection, report.run_no, *names, pages, hub.compiled(*names), report.as_of, ties)
        for page in pages:
            if page.parent is not None and page.last:
                asked = self._asked.pop((names, page.parent))
                parents.done(connection, *names, asked.number, asked.raw_hash)
        report.add(pages=len(pages), pulled=landed.pulled, changed=landed.changed, unchanged=landed.unchanged)
        if landed.absent is not None:
            self._conclude(".".join(names), landed.absent)
        ends = pages[-1].last and pages[-1].parent is None
        hub.progress("pull", ".".join(names), landed.pulled, 0 if ends else None)

    def _conclude(self, name: str, absent: Absent) -> None:
        self._report.add(deleted=absent.gone)
        if not absent.missing or absent.gone:
            return
        lacks = f"lacks {absent.missing:,} of {absent.held:,} records" if absent.brought else "brought nothing"
        self._report.errors[name] = (
            f"{name}: the whole reading {lacks}, too many to be gone: nothing was deleted; check what the credential "
            "may read, or raise `deleted: at_most` in the mapping"
        )
