"""How fast a source may be asked. In: its rate and concurrency. Out: a gate that every request passes."""

from __future__ import annotations

import asyncio
import re
from types import TracebackType

from aiolimiter import AsyncLimiter

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def window(rate: str) -> tuple[int, int]:
    """Requests and seconds of a rate such as `80/s` or `600/m`; ValueError where it is none."""
    match = re.fullmatch(r"(\d+)\s*/\s*([smhd])", rate.strip())
    if match is None or int(match[1]) == 0:
        raise ValueError(f"`rate: {rate}` is no rate; say requests per time, as 80/s, 600/m, 1000/h")
    return int(match[1]), SECONDS[match[2]]


class Limits:
    """A gate for all streams of one source: `async with limits:` around each request.

    At most `concurrency` requests are inside at once, no span as long as the rate's sees more enter than it allows
    (a tenth may come at once, the rest evenly), and none enters while the system has asked for silence.
    """

    def __init__(self, rate: str | None, concurrency: int) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._pace = _pace(*window(rate)) if rate else None
        self._silent_until = 0.0

    def hold(self, wait_s: float) -> None:
        """Let nothing in for this long: the system told one request to wait, and that holds for its siblings."""
        self._silent_until = max(self._silent_until, asyncio.get_running_loop().time() + wait_s)

    async def __aenter__(self) -> None:
        await self._slots.acquire()
        try:
            if (wait_s := self._silent_until - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(wait_s)
            if self._pace is not None:
                await self._pace.acquire()
        except BaseException:
            self._slots.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._slots.release()


def _pace(requests: int, seconds: int) -> AsyncLimiter:
    # A bucket of the full size would let twice the rate through in its first span: what it holds, and what leaks.
    burst = max(1, requests // 10)
    return AsyncLimiter(burst, burst * seconds / max(1, requests - burst))
