"""What has landed by itself, followed through. In: a word that something landed. Out: map → resolve → derive → publish,
in a thread, once for all that came meanwhile. Any number of processes may do so at once.
"""

from __future__ import annotations

import threading
from dataclasses import replace

import structlog
from sqlalchemy import select

from hub import clock
from hub.run import Hub
from hub.store.errors import StoreError
from hub.store.kept import sync_run
from hub.sync import follow

TOGETHER_S = 1.0
"""How long what landed waits for more."""
REST_S = 30.0
"""How long it waits after the store failed."""
BY_THE_CLOCK_US = 60_000_000

log = structlog.get_logger(__name__)


class Follower:
    """One thread, begun when something first lands."""

    def __init__(self, hub: Hub) -> None:
        self._ended, self._woken = threading.Event(), threading.Event()
        self._hub = replace(hub, ending=self._ended.is_set)
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Something has landed."""
        self._woken.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Returns when the chunk at hand is done."""
        self._ended.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while self._woken.wait() and not self._ended.wait(TOGETHER_S):
            self._woken.clear()
            try:
                follow(self._hub, self._as_of())
            except StoreError as error:
                log.error("what landed waits to be mapped", because=str(error))
                self._ended.wait(REST_S)
                self._woken.set()
            except Exception:
                log.exception("what landed waits for the next sync to be mapped")

    def _as_of(self) -> int:
        """Now, where the last run was by the clock; else its instant: a hub that was taken to a day stays there."""
        with self._hub.store.read() as connection:
            last = connection.execute(
                select(sync_run.c.as_of, sync_run.c.started_at).order_by(sync_run.c.run_no.desc()).limit(1)
            ).first()
        now = clock.now()
        if last is None or abs(last.as_of - last.started_at) < BY_THE_CLOCK_US:
            return now
        return int(last.as_of)
