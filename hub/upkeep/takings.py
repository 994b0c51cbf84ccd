"""What notifications say, landed. In: records, keys of what is gone, wishes to be pulled. Out: rows, in one transaction
with whatever came at the same time; it returns when they are durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from connectors.answers.records import Record
from connectors.webhook import Hook, Told
from hub import clock
from hub.intake.inbox import ties_of
from hub.run import Hub
from hub.store import due, gone
from hub.store.bulk import among
from hub.store.errors import StoreError
from hub.store.kept import landing
from hub.store.landing import land_records

MOST_WAITING = 1_000
MOST_AT_ONCE = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Overfull(StoreError):
    """More notifications wait for the store than are worth keeping."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one notification says about one stream."""

    names: tuple[str, str]
    hook: Hook
    told: Told


@dataclass(frozen=True, slots=True)
class _Waiting:
    taken: Sequence[Taken]
    landed: asyncio.Future[None]


class Takings:
    """The one writer of a process: what comes while it writes waits, and is then written together."""

    def __init__(self, hub: Hub, landed: Callable[[], None]) -> None:
        """`landed` is called after each transaction."""
        self._hub, self._landed = hub, landed
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def land(self, taken: Sequence[Taken]) -> None:
        """Returns when all of it is landed. Raises StoreError where nothing of it is."""
        if not taken:
            return
        if len(self._waiting) >= MOST_WAITING:
            raise Overfull("the store does not keep up with the notifications")
        waiting = _Waiting(taken, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await waiting.landed

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            try:
                await asyncio.to_thread(_land, self._hub, [each for waiting in group for each in waiting.taken])
            except Exception as error:  # whoever waits is to know, whatever it was
                _settle(group, error)
            else:
                _settle(group, None)
                self._landed()


def _settle(group: Sequence[_Waiting], error: Exception | None) -> None:
    for waiting in group:
        if waiting.landed.done():  # its sender has gone away
            continue
        if error is None:
            waiting.landed.set_result(None)
        else:
            waiting.landed.set_exception(error)


def _land(hub: Hub, taken: Sequence[Taken]) -> None:
    """In the order in which they came: of two about one record the last counts, unless the record itself is older."""
    now = clock.now()
    with hub.store.write() as connection:
        for each in taken:
            source, stream = each.names
            records = _newer(connection, each)
            if records:
                ties = ties_of(hub.sources[source], stream)
                land_records(connection, source, stream, records, hub.compiled(source, stream), now, ties)
            if each.told.gone:
                gone.mark_gone(connection, source, stream, each.told.gone, now)
            if each.told.pull:
                due.make_due(connection, source, stream, now)


def _newer(connection: Connection, taken: Taken) -> list[Record]:
    """The records that are not older than what is landed under their key, nor than their own end.

    Notifications may overtake each other, and pulls. Where a record does not say when it was changed, the last counts,
    until the next pull.
    """
    source, stream = taken.names
    keys = [record.key for record in taken.told.records if record.key is not None]
    rows = connection.execute(
        select(landing.c.key, landing.c.payload, landing.c.deleted_at).where(
            landing.c.source == source, landing.c.stream == stream, among(connection, landing.c.key, keys)
        )
    )
    marks = {key: _mark(taken.hook, bytes(payload), deleted_at) for key, payload, deleted_at in rows}
    newer = []
    for record in taken.told.records:
        if record.key is None:
            newer.append(record)
            continue
        known, mark = marks.get(record.key), taken.hook.mark(record.payload)
        if known is None or mark is None or mark >= known:
            newer.append(record)
            marks[record.key] = mark
    return newer


def _mark(hook: Hook, payload: bytes, deleted_at: int | None) -> datetime | None:
    return hook.mark(payload) if deleted_at is None else _EPOCH + timedelta(microseconds=deleted_at)
