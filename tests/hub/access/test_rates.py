"""How much one principal may ask: the rate over time, and how many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from hub.access import rate
from hub.access.principal import Principal, Rate
from hub.access.rate import Rates, parse_rate
from hub.access.refusal import TooMany
from hub.access.sight import EVERYTHING


class Clock:
    """A clock that stands until it is moved."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def someone(name: str = "key:a", limit: Rate | None = None, concurrent: int | None = None) -> Principal:
    return Principal(name, EVERYTHING, rate=limit, concurrent=concurrent)


def taken(rates: Rates, principal: Principal, times: int) -> int:
    """How many of the requests are let through."""
    through = 0
    for _ in range(times):
        try:
            rates.take(principal)
        except TooMany:
            continue
        through += 1
    return through


def test_a_bucket_holds_the_rate_and_fills_evenly() -> None:
    clock = Clock()
    rates, one = Rates(clock=clock), someone(limit=Rate(10, 2))
    assert taken(rates, one, 30) == 10
    clock.now += 0.2
    assert taken(rates, one, 30) == 1
    clock.now += 100
    assert taken(rates, one, 30) == 10


def test_a_refusal_says_the_limit_and_when_to_come_back() -> None:
    clock = Clock()
    rates, one = Rates(clock=clock), someone(limit=Rate(2, 60))
    assert taken(rates, one, 2) == 2
    clock.now += 15
    with pytest.raises(TooMany, match=r"more than 2 requests in 60 s; come back in 15\.0 s") as refused:
        rates.take(one)
    assert refused.value.retry_after_s == pytest.approx(15)
    assert refused.value.limit == "2 requests in 60 s"
    clock.now += refused.value.retry_after_s
    rates.take(one)


def test_each_principal_has_a_bucket_and_no_rate_is_no_limit() -> None:
    rates = Rates(clock=Clock())
    assert taken(rates, someone("key:a", Rate(3, 1)), 9) == 3
    assert taken(rates, someone("key:b", Rate(3, 1)), 9) == 3
    assert taken(rates, someone("key:c"), 9) == 9


def test_buckets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "MOST_PRINCIPALS", 3)
    rates = Rates(clock=Clock())
    for number in range(10):
        rates.take(someone(f"jwt:{number}", Rate(1, 60)))
    assert len(rates._buckets) == 3


@pytest.mark.parametrize(
    ("own", "usual", "most"),
    [
        pytest.param(2, None, 2, id="of-its-role"),
        pytest.param(2, 5, 2, id="of-its-role-first"),
        pytest.param(None, 3, 3, id="usual"),
    ],
)
def test_so_many_run_at_once_and_a_place_comes_back(own: int | None, usual: int | None, most: int) -> None:
    rates, one = Rates(usual), someone(concurrent=own)
    with ExitStack() as stack:
        for _ in range(most):
            stack.enter_context(rates.running(one))
        with pytest.raises(TooMany, match=f"{most} operations run already") as refused, rates.running(one):
            pass
        assert refused.value.limit == f"{most} at once"
        with rates.running(someone("key:b", concurrent=1)):
            pass
    with rates.running(one):
        pass
    assert not rates._running


def test_a_failed_operation_gives_its_place_back() -> None:
    rates, one = Rates(1), someone()
    with pytest.raises(KeyError), rates.running(one):
        raise KeyError
    with rates.running(one):
        pass


def test_threads_share_a_bucket() -> None:
    rates, one = Rates(clock=Clock()), someone(limit=Rate(500, 1))
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: taken(rates, one, 100), range(8))) == 500


@pytest.mark.parametrize("text", ["100", "0/s", "ten/s", "5/y", ""])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate; say requests per time"):
        parse_rate(text)


def test_a_rate_is_written_as_in_mapping_files() -> None:
    assert [parse_rate(text) for text in ("100/s", "600/m")] == [Rate(100, 1), Rate(600, 60)]
