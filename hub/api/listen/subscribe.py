"""Subscriptions. In: the outbox, which every process writes to. Out: numbers of raised flags, to every subscriber.

One poller serves all subscribers of a process; it runs while there are any.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from hub.api.errors import ApiError
from hub.store.engine import Store
from hub.store.errors import StoreError
from hub.store.kept import outbox

log = structlog.get_logger(__name__)

POLL_S = 0.25
MOST_A_POLL = 1_000
MOST_WAITING = 5_000


@dataclass(eq=False)
class Subscriber:
    """What waits for one subscriber: flag numbers with their severities."""

    waiting: asyncio.Queue[tuple[int, str | None] | None] = field(
        default_factory=lambda: asyncio.Queue(MOST_WAITING + 1)
    )

    async def flags(self) -> AsyncIterator[tuple[int, str | None]]:
        """Raised flags as they come. Raises ApiError TOO_SLOW where too many wait."""
        while (flag := await self.waiting.get()) is not None:
            yield flag
        raise ApiError("TOO_SLOW", f"more than {MOST_WAITING} events wait; subscribe again and read faster")


class Outbox:
    """Reads the outbox for the subscribers of this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._subscribers: set[Subscriber] = set()
        self._poller: asyncio.Task[None] | None = None
        self._seen = 0

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Subscriber]:
        """A subscriber that hears of every flag raised from now on."""
        if not self._subscribers:
            self._seen = await asyncio.to_thread(self._newest)
        subscriber = Subscriber()
        self._subscribers.add(subscriber)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)
            if not self._subscribers and self._poller is not None:
                self._poller.cancel()
                self._poller = None

    async def _poll(self) -> None:
        while True:
            for flag in await self._news():
                for subscriber in list(self._subscribers):
                    self._tell(subscriber, flag)
            await asyncio.sleep(POLL_S)

    async def _news(self) -> list[tuple[int, str | None]]:
        """What was raised since; nothing where the database is away, so that the next poll has it."""
        try:
            return await asyncio.to_thread(self._raised)
        except (StoreError, DBAPIError) as error:
            log.warning("the outbox cannot be read, trying again", cause=type(error).__name__)
            return []

    def _tell(self, subscriber: Subscriber, flag: tuple[int, str | None]) -> None:
        full = subscriber.waiting.qsize() >= MOST_WAITING
        subscriber.waiting.put_nowait(None if full else flag)
        if full:
            self._subscribers.discard(subscriber)

    def _newest(self) -> int:
        with self._store.read() as connection:
            return connection.execute(select(func.max(outbox.c.outbox_no))).scalar() or 0

    def _raised(self) -> list[tuple[int, str | None]]:
        query = select(outbox.c.outbox_no, outbox.c.topic, outbox.c.payload).where(outbox.c.outbox_no > self._seen)
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(outbox.c.outbox_no).limit(MOST_A_POLL)).all()
        if rows:
            self._seen = rows[-1].outbox_no
        told = [json.loads(row.payload) for row in rows if row.topic == "flag.raised"]
        return [(flag["flag"], flag.get("severity")) for flag in told]
