"""The keys at hand, so that a request costs no SQL. In: a store. Out: the key that was offered, or None.

What is at hand is never older than 4 seconds: a key that was revoked is refused within 5, in every process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from hub import clock
from hub.access.aside import aside
from hub.access.keys import DAY_US, Key, all_keys, note_used, prefix_of
from hub.store.engine import Store
from hub.store.errors import StoreError

FRESH_S = 2.0  # younger than this, nothing is read
STALE_S = 4.0  # older than this, a request waits for what is read; in between it does not
NEWCOMER_S = 0.2  # how old the keys at hand may be when an unknown one is refused


class Keyring:
    """All keys of a store. `any` says whether there was one when it was opened, ended or not."""

    def __init__(self, store: Store, ticks: Callable[[], float] = monotonic) -> None:
        self._store, self._ticks = store, ticks
        self._taken = self._ticks()
        self._keys = self._read()
        self._reading: asyncio.Task[None] | None = None
        self._marking: Thread | None = None
        self._noted: dict[int, int] = {}  # key_no to the day, since 1970, on which its use was last noted
        self._lock = Lock()
        self.any = bool(self._keys)

    async def find(self, offered: str) -> Key | None:
        """The key that was offered, ended or not; None where there is none. Raises StoreError where nobody can say."""
        prefix = prefix_of(offered)
        if prefix is None:
            return None
        await self._freshen()
        if prefix not in self._keys:
            await asyncio.sleep(max(0.0, self._taken + NEWCOMER_S - self._ticks()))
            if self._age() >= NEWCOMER_S:
                await self._renew()
        key = self._keys.get(prefix)
        if key is None or not key.fits(offered):
            return None
        self._note(key)
        return key

    def close(self) -> None:
        """Waits for what is still being noted."""
        if self._marking is not None:
            self._marking.join()

    async def _freshen(self) -> None:
        age = self._age()
        if age > STALE_S:
            await self._renew()
        elif age > FRESH_S:
            self._begin()

    async def _renew(self) -> None:
        await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Task[None]:
        """The reading that goes on, or a new one: however many ask, one statement is sent."""
        if self._reading is None or self._reading.done() or self._reading.get_loop() is not asyncio.get_running_loop():
            self._reading = asyncio.create_task(self._refresh())
            self._reading.add_done_callback(_seen)
        return self._reading

    async def _refresh(self) -> None:
        began = self._ticks()
        self._keys, self._taken = await asyncio.to_thread(self._read), began

    def _read(self) -> dict[str, Key]:
        with self._store.read() as connection:
            return {key.prefix: key for key in all_keys(connection)}

    def _age(self) -> float:
        return self._ticks() - self._taken

    def _note(self, key: Key) -> None:
        """Has the day noted on which the key is used, once a day, by a thread that nobody waits for."""
        now = clock.now()
        day = now // DAY_US
        if self._noted.get(key.key_no) == day:
            return
        with self._lock:
            if self._marking is not None and self._marking.is_alive():
                return
            self._noted[key.key_no] = day
            if key.last_used != (today := clock.show(now)[:10]):
                self._marking = Thread(target=self._mark, args=(key.key_no, today), name="key-used", daemon=True)
                self._marking.start()

    def _mark(self, key_no: int, today: str) -> None:
        try:
            with aside(self._store) as connection:
                note_used(connection, key_no, today)
        except (StoreError, SQLAlchemyError):
            self._noted.pop(key_no, None)  # the next request tries again


def _seen(task: asyncio.Task[None]) -> None:
    """Takes note of an error that nobody waited for; the next request reads again, or waits and is told."""
    if not task.cancelled():
        task.exception()
