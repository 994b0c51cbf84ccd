"""Gates: rates of the source and of its paths, what headers say is left, and that waiting holds up nobody else."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from connectors.errors import Rejected
from connectors.limits import Limits, until, window
from mappings.fetching import LimitHeaders

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
EPOCH = 1_792_567_680  # the same instant

RATES = [
    pytest.param("80/s", (80, 1), id="per-second"),
    pytest.param("600/m", (600, 60), id="per-minute"),
    pytest.param(" 36 / h", (36, 3600), id="per-hour"),
]


@pytest.mark.parametrize(("rate", "parts"), RATES)
def test_a_rate_is_requests_per_time(rate: str, parts: tuple[int, int]) -> None:
    assert window(rate) == parts


@pytest.mark.parametrize("rate", ["fast", "0/s", "-1/s", "5/fortnight", "1.5/s"])
@pytest.mark.parametrize("http", [{"rate": "${rate}"}, {"rates": {"/search": "${rate}"}}], ids=["rate", "rates"])
def test_a_setting_that_is_no_rate_is_named(make_source: Any, http: Any, rate: str) -> None:
    with pytest.raises(Rejected, match=f"shop: `{rate}` is no rate; say requests per time, as 80/s"):
        Limits.of(make_source(http=http, settings={"rate": rate}))


def entered(limits: Limits, paths: list[str]) -> list[float]:
    """When each request entered, all asked for at once."""

    async def one(path: str) -> float:
        async with limits.gate(path):
            return time.monotonic()

    async def all_of_them() -> list[float]:
        return await asyncio.gather(*map(one, paths))

    return asyncio.run(all_of_them())


def test_no_second_sees_more_requests_than_the_rate_allows() -> None:
    times = sorted(entered(Limits("100/s", 4), ["/things"] * 112))
    assert all(later - earlier >= 0.99 for earlier, later in zip(times, times[100:], strict=False))
    assert times[-1] - times[0] < 30.0


def test_a_path_has_a_rate_of_its_own_and_holds_up_no_other() -> None:
    limits = Limits(None, 1, {"/v3/*/search": "20/s"}, root="/api")
    paths = ["/api/v3/contacts/search?q=1", "https://x.example/api/v3/deals/search/"] * 3 + ["/api/v3/contacts"] * 20
    began, times = time.monotonic(), entered(limits, paths)
    searches, others = sorted(times[:6]), times[6:]
    assert searches[-1] - searches[0] >= 0.2  # two at once, four more a twentieth each
    assert max(others) - began < 0.2


FITTING = [
    pytest.param("/search", "/api/search", True, id="below-the-root"),
    pytest.param("/search", "/search", True, id="beside-the-root"),
    pytest.param("search", "/api/search/", True, id="slashes-do-not-count"),
    pytest.param("/search", "/api/search/more", False, id="all-of-the-path"),
    pytest.param("/search*", "/api/search/more", True, id="any-end"),
    pytest.param("/a.c", "/api/abc", False, id="a-dot-is-a-dot"),
]


@pytest.mark.parametrize(("pattern", "path", "fits"), FITTING)
def test_a_pattern_is_a_path_below_the_base_url(pattern: str, path: str, fits: bool) -> None:
    times = sorted(entered(Limits(None, 4, {pattern: "10/s"}, root="/api"), [path] * 3))
    assert (times[-1] - times[0] > 0.1) is fits


def test_no_more_requests_are_inside_at_once_than_the_concurrency() -> None:
    inside, most = 0, 0

    async def pass_gate(limits: Limits) -> None:
        nonlocal inside, most
        async with limits.gate("/"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async def crowd() -> None:
        limits = Limits(None, 3)
        await asyncio.gather(*(pass_gate(limits) for _ in range(20)))

    asyncio.run(crowd())
    assert most == 3


def test_a_request_that_is_given_up_while_it_waits_leaves_the_gate_open() -> None:
    async def run() -> None:
        limits = Limits(None, 1)
        limits.hold(60)
        waiting = asyncio.create_task(limits.gate("/").__aenter__())
        await asyncio.sleep(0)  # it has begun to wait
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        limits._silent_until = 0.0
        async with asyncio.timeout(5), limits.gate("/"):
            pass

    asyncio.run(run())


UNTIL = [
    pytest.param("30", 30.0, id="seconds"),
    pytest.param("0.5", 0.5, id="a-fraction"),
    pytest.param(str(EPOCH + 30), 30.0, id="epoch-in-seconds"),
    pytest.param(str((EPOCH + 30) * 1000), 30.0, id="epoch-in-milliseconds"),
    pytest.param("2026-10-21T07:28:30.000000Z", 30.0, id="iso"),
    pytest.param("Wed, 21 Oct 2026 07:28:30 GMT", 30.0, id="http-date"),
    pytest.param("soon", None, id="words"),
    pytest.param("", None, id="nothing"),
]


@pytest.mark.parametrize(("reset", "wait_s"), UNTIL)
def test_the_reset_is_read_in_every_form(reset: str, wait_s: float | None) -> None:
    assert until(reset, DATE) == wait_s


TOLD = [
    pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "0.3"}, None, True, id="none-left"),
    pytest.param({"ratelimit-remaining": "0", "ratelimit-reset": str(EPOCH), "date": "Wed, 21 Oct 2026 07:27:59 GMT"},
                 None, True, id="none-left-until-an-instant"),
    pytest.param({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "9"}, None, False, id="one-left"),
    pytest.param({"x-ratelimit-remaining": "0"}, None, False, id="no-reset"),
    pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "0"}, None, False, id="reset-now"),
    pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "3600"}, None, False, id="longer-than-allowed"),
    pytest.param({"x-left": "0", "x-again": "0.3"}, {"left": "X-Left", "reset": "X-Again"}, True, id="other-names"),
    pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"}, {"left": "X-Left"}, False,
                 id="other-names-only"),
    pytest.param({}, None, False, id="silent"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "names", "held"), TOLD)
def test_where_no_request_is_left_the_gate_waits_for_the_reset(headers: Any, names: Any, held: bool) -> None:
    async def waited() -> float:
        limits = Limits(None, 2, headers=LimitHeaders.model_validate(names) if names else None, longest_s=60)
        limits.told(headers)
        began = time.monotonic()
        async with limits.gate("/"):
            return time.monotonic() - began

    assert (asyncio.run(waited()) > 0.25) is held
