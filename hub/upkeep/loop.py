"""Keeps the schedules. In: a hub, and whom to tell. Out: runs, one after the other of each source, until told to end.

Sources are pulled at once, each in a thread; what lands is followed through in one. Several loops may run, also on
several machines: leases keep the streams apart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from queue import Empty, SimpleQueue
from time import monotonic
from zoneinfo import ZoneInfo

import structlog

from hub import clock
from hub.run import Hub, Report
from hub.store import read
from hub.store.errors import StoreError
from hub.sync import advance, pull
from hub.upkeep.schedule import every_us, next_pulls

log = structlog.get_logger(__name__)

LOOK_S = 5.0
"""How often the store is asked what is due: as long may a notification wait."""
REST_S = 60.0
"""How long a source rests whose pull ended in an error that is not its own, and the graph after the store failed."""
SOURCES_AT_ONCE = 8

Told = Callable[[Collection[str], Report, Mapping[str, str]], None]
"""Takes the sources that were pulled, what was done in all, and the errors."""


@dataclass(slots=True)
class Ending:
    """Whether the loop is to end. `tell` may be called from a signal's handler."""

    told: bool = False
    wakes: SimpleQueue[None] = field(default_factory=SimpleQueue)  # a put may interrupt a get without harm

    def tell(self) -> None:
        """The loop ends after the pages at hand."""
        self.told = True
        self.wakes.put(None)


class Loop:
    """The runs of one process. `only` names the sources that it keeps; all where none is named."""

    def __init__(self, hub: Hub, only: Collection[str], ending: Ending, told: Told) -> None:
        self._hub, self._ending, self._told = replace(hub, ending=lambda: ending.told), ending, told
        self._only = frozenset(only or hub.sources)
        self._under_way: dict[str, Future[Report]] = {}
        self._resting: dict[str, float] = {}  # source, or "" for the graph, to when by the monotonic clock
        self._behind: list[tuple[str, Report]] = []  # pulled, and not yet followed through

    def run(self) -> None:
        """Runs until it is told to end; then what is pulled stays landed, and waits for the next run."""
        with ThreadPoolExecutor(SOURCES_AT_ONCE, thread_name_prefix="pull") as pool:
            try:
                while not self._ending.told:
                    self._wait(self._safe_step(pool))
            finally:
                self._ending.tell()  # the pool waits for what is under way

    def _safe_step(self, pool: ThreadPoolExecutor) -> float:
        try:
            return self._step(pool)
        except StoreError as error:
            self._rest("", error)
            return LOOK_S

    def _step(self, pool: ThreadPoolExecutor) -> float:
        """Does what is to be done now, and says in how many seconds to look again."""
        for source in [name for name, future in self._under_way.items() if future.done()]:
            self._take(source, self._under_way.pop(source))
        if self._rests(""):
            return LOOK_S
        if self._behind or self._a_day_passed(clock.now()):
            self._follow()
        now = clock.now()
        plan = self._plan(now)
        for source in dict.fromkeys(source for (source, _), at in plan.items() if at <= now):
            # Streams that are due a little later come along: they stay together, children with their parents.
            until = now + every_us(self._hub, source) // 10
            streams = [f"{source}.{stream}" for (name, stream), at in plan.items() if name == source and at <= until]
            self._under_way[source] = future = pool.submit(self._pull, streams, now)
            future.add_done_callback(lambda future: self._ending.wakes.put(None))
        return min([LOOK_S, *((at - now) / 1e6 for at in plan.values() if at > now)])

    def _pull(self, streams: list[str], planned_at: int) -> Report:
        return pull(self._hub, clock.now(), streams, planned_at)  # it may have waited for a thread

    def _plan(self, now: int) -> dict[tuple[str, str], int]:
        """When the streams are pulled next whose source is neither under way nor resting."""
        with self._hub.store.read() as connection:
            plan = next_pulls(connection, self._hub, now)
        kept = self._only - self._under_way.keys()
        return {names: at for names, at in plan.items() if names[0] in kept and not self._rests(names[0])}

    def _take(self, source: str, future: Future[Report]) -> None:
        try:
            self._behind.append((source, future.result()))
        except StoreError as error:
            self._rest(source, error)
        except Exception:
            self._resting[source] = monotonic() + REST_S
            log.exception("the run failed", source=source)

    def _follow(self) -> None:
        whole = advance(self._hub, clock.now())
        errors: dict[str, str] = dict(whole.errors)
        for _, report in self._behind:
            whole.add(**report.counts)
            whole.requests += report.requests
            errors |= report.errors
        self._told([source for source, _ in self._behind], whole, errors)
        self._behind.clear()

    def _a_day_passed(self, now: int) -> bool:
        """Whether the last run belongs to an earlier day of the company's: silence alone raises flags."""
        with self._hub.store.read() as connection:
            last = read.latest_as_of(connection)
        zone = ZoneInfo(self._hub.rulebook.company.time_zone)
        return last is not None and _day(last, zone) < _day(now, zone)

    def _rest(self, what: str, error: StoreError) -> None:
        self._resting[what] = monotonic() + REST_S
        log.error("the run failed; it is tried again in a minute", source=what or "the graph", because=str(error))

    def _rests(self, what: str) -> bool:
        return self._resting.get(what, 0.0) > monotonic()

    def _wait(self, seconds: float) -> None:
        if self._ending.told:
            return
        try:
            self._ending.wakes.get(timeout=seconds)
        except Empty:
            return


def _day(us: int, zone: ZoneInfo) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).astimezone(zone).date()
