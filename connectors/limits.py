"""How fast a source may be asked. In: its rates, concurrency and headers. Out: a gate that every request passes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

from connectors.errors import Rejected
from connectors.retry import http_date
from mappings.fetching import LimitHeaders
from mappings.loader import Source

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LEFT = ("x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining")
RESET = ("x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset")
EPOCH_S, EPOCH_MS = 10**9, 10**12  # smaller numbers are seconds to wait, larger ones instants


def window(rate: str) -> tuple[int, int]:
    """Requests and seconds of a rate such as `80/s` or `600/m`; ValueError where it is none."""
    match = re.fullmatch(r"(\d+)\s*/\s*([smhd])", rate.strip())
    if match is None or int(match[1]) == 0:
        raise ValueError(f"`{rate}` is no rate; say requests per time, as 80/s, 600/m, 1000/h")
    return int(match[1]), SECONDS[match[2]]


class Pace:
    """One rate: a tenth of it may come at once, the rest evenly, so that no span as long as its own sees more.

    By the generic cell rate algorithm (ITU-T I.371), which tells the wait without taking part in it.
    """

    def __init__(self, rate: str) -> None:
        requests, seconds = window(rate)
        burst = max(1, requests // 10)
        # A bucket of the full size would let twice the rate through in its first span: what it holds, and what leaks.
        self._each_s = seconds / max(1, requests - burst)
        self._slack_s = (burst - 1) * self._each_s
        self._due = 0.0

    def wait_s(self, now: float) -> float:
        """Seconds until the next request may come."""
        return self._due - self._slack_s - now

    def take(self, now: float) -> None:
        """One request comes now."""
        self._due = max(self._due, now) + self._each_s


class Limits:
    """A gate for all streams of one source: `async with limits.gate(path):` around each request.

    At most `concurrency` requests are inside at once, no rate is passed (the source's, and those of the patterns that
    the path fits), and none enters while the system has asked for silence. A request that waits for its own path's rate
    holds up no other.
    """

    def __init__(
        self,
        rate: str | None,
        concurrency: int,
        rates: Mapping[str, str] | None = None,
        *,
        headers: LimitHeaders | None = None,
        root: str = "",
        longest_s: float = 300.0,
    ) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._pace = Pace(rate) if rate else None
        self._patterns = [(_pattern(root, path), Pace(said)) for path, said in (rates or {}).items()]
        self._left: tuple[str | None, ...] = (headers.left,) if headers else LEFT
        self._reset: tuple[str | None, ...] = (headers.reset,) if headers else RESET
        self._longest_s, self._silent_until = longest_s, 0.0

    @classmethod
    def of(cls, source: Source, longest_s: float = 300.0) -> Limits:
        """The gate that a source's `http` describes; Rejected where a setting in it is no rate."""
        http = source.system.http
        try:
            rates = {path: source.fill(rate) for path, rate in http.rates.items()}
            root = urlsplit(source.fill(http.base_url)).path.rstrip("/")
            rate = source.fill(http.rate) if http.rate else None
            return cls(rate, http.concurrency, rates, headers=http.limit_headers, root=root, longest_s=longest_s)
        except ValueError as error:
            raise Rejected(source.name, str(error), "check `http` in the mapping") from None

    def hold(self, wait_s: float) -> None:
        """Let nothing in for this long: the system told one request to wait, and that holds for its siblings."""
        self._silent_until = max(self._silent_until, asyncio.get_running_loop().time() + wait_s)

    def told(self, headers: Mapping[str, str]) -> None:
        """Hold until the system's limit begins anew, where an answer's headers say that no request is left.

        Longer than `longest_s` is not waited for: the system's own refusal then says it better.
        """
        if _first(headers, self._left).partition(".")[0].strip() != "0":
            return
        wait_s = until(_first(headers, self._reset), headers.get("date"))
        if wait_s is not None and 0 < wait_s <= self._longest_s:
            self.hold(wait_s)

    @asynccontextmanager
    async def gate(self, path: str) -> AsyncIterator[None]:
        """Inside, one request to this path (or URL) may be sent."""
        paces = self._paces(path)
        await self._enter(paces)
        try:
            yield
        finally:
            self._slots.release()

    async def _enter(self, paces: list[Pace]) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await self._slots.acquire()
            now = clock()
            wait_s = max([self._silent_until - now, *(pace.wait_s(now) for pace in paces)])
            if wait_s <= 0:
                break
            self._slots.release()
            await asyncio.sleep(wait_s)
        for pace in paces:
            pace.take(now)

    def _paces(self, path: str) -> list[Pace]:
        paces = [] if self._pace is None else [self._pace]
        if self._patterns:
            path = "/" + urlsplit(path).path.strip("/")
            paces += [pace for pattern, pace in self._patterns if pattern.fullmatch(path)]
        return paces


def until(reset: str, date: str | None) -> float | None:
    """Seconds until a limit begins anew: seconds as they are, or an epoch in s or ms, an ISO 8601 or an HTTP date.

    An instant is measured against the answer's own Date, so that the system's clock may differ from ours.
    """
    now = http_date(date) or datetime.now(UTC)
    if re.fullmatch(r"\d{1,15}(\.\d+)?", reset):
        said = float(reset)
        if said < EPOCH_S:
            return said
        return said / (1_000 if said >= EPOCH_MS else 1) - now.timestamp()
    try:
        moment: datetime | None = datetime.fromisoformat(reset)
    except ValueError:
        moment = http_date(reset)
    if moment is None:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()


def _first(headers: Mapping[str, str], names: tuple[str | None, ...]) -> str:
    found = (headers.get(name.lower()) for name in names if name is not None)
    return next((said.strip() for said in found if said), "")


def _pattern(root: str, path: str) -> re.Pattern[str]:
    below = ".*".join(re.escape(part) for part in path.strip("/").split("*"))
    return re.compile(f"(?:{re.escape(root)})?/{below}")
