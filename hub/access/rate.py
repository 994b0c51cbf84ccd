"""How much one principal may ask. In: who asks. Out: nothing, or a refusal with the limit and when to come back.

Counted in this process: N workers let N times as much through.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic

from connectors.limits import window
from hub.access.principal import Principal, Rate
from hub.access.refusal import TooMany

MOST_PRINCIPALS = 10_000
SOON_S = 1.0  # a place becomes free when somebody's operation ends, nobody knows when


def parse_rate(text: str) -> Rate:
    """`100/s`, `600/m` or `1000/h`, as in mapping files. Raises ValueError where it is none."""
    return Rate(*window(text))


class Rates:
    """A token bucket and a count of running operations for each principal; may be used from any thread.

    A bucket holds as many tokens as the rate has requests and fills evenly. `concurrent` is the limit for roles that
    name none themselves.
    """

    def __init__(self, concurrent: int | None = None, clock: Callable[[], float] = monotonic) -> None:
        self._concurrent, self._clock = concurrent, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # name to tokens, and when they were so
        self._running: Counter[str] = Counter()
        self._lock = Lock()

    def take(self, principal: Principal) -> None:
        """Takes one request from the principal's rate. Raises TooMany where none is left."""
        rate = principal.rate
        if rate is None:
            return
        with self._lock:
            now, most = self._clock(), float(rate.requests)
            tokens, since = self._buckets.get(principal.name, (most, now))
            tokens = min(most, tokens + (now - since) * rate.requests / rate.seconds)
            left = tokens - 1 if tokens >= 1 else tokens
            self._keep(principal.name, left, now)
        if tokens < 1:
            wait_s = (1 - tokens) * rate.seconds / rate.requests
            raise TooMany(f"more than {rate}; come back in {wait_s:.1f} s", wait_s, str(rate))

    @contextmanager
    def running(self, principal: Principal) -> Iterator[None]:
        """One running operation while the block lasts. Raises TooMany where the principal has as many as it may."""
        name, most = principal.name, principal.concurrent or self._concurrent
        with self._lock:
            if most is not None and self._running[name] >= most:
                raise TooMany(f"{most} operations run already, {most} at most at once", SOON_S, f"{most} at once")
            self._running[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[name] -= 1
                if not self._running[name]:
                    del self._running[name]

    def _keep(self, name: str, tokens: float, now: float) -> None:
        self._buckets[name] = (tokens, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > MOST_PRINCIPALS:
            self._buckets.popitem(last=False)
