"""When a stream is pulled next: by its schedule, after failures, when a notification asked, while another pulls it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import insert, update

from hub.run import Hub
from hub.store import due, lease, read
from hub.store.due import Pulled
from hub.store.engine import Store
from hub.store.kept import stream_run
from hub.upkeep.schedule import every_us, next_pull, next_pulls
from mappings.loader import load_sources, shipped
from mappings.rulebook import Rulebook

SECOND = 1_000_000
MINUTE, HOUR = 60 * SECOND, 3_600 * SECOND
NOW = 1_790_000_000 * SECOND

PLANS: dict[str, tuple[Pulled, int, int]] = {
    "never pulled: at once": (Pulled(), HOUR, NOW),
    "asked for and never pulled: at once": (Pulled(due_at=NOW - 1), HOUR, NOW),
    "whole: after `every`": (Pulled(NOW - MINUTE), HOUR, NOW - MINUTE + HOUR),
    "asked for: soon": (Pulled(NOW - 2 * MINUTE, due_at=NOW), HOUR, NOW),
    "asked for again and again: a minute apart": (Pulled(NOW - SECOND, due_at=NOW), HOUR, NOW - SECOND + MINUTE),
    "asked for, and regular sooner": (Pulled(NOW - 10 * SECOND, due_at=NOW), 15 * SECOND, NOW + 5 * SECOND),
    "failed once: after a minute": (Pulled(NOW, failures=1), HOUR, NOW + MINUTE),
    "failed four times: after eight": (Pulled(NOW, failures=4), HOUR, NOW + 8 * MINUTE),
    "failed for ever: as often as usual": (Pulled(NOW, failures=1_000_000), HOUR, NOW + HOUR),
    "failed, and usually more often than that": (Pulled(NOW, failures=3), 10 * SECOND, NOW + 10 * SECOND),
    "failed and asked for: no sooner": (Pulled(NOW - MINUTE, due_at=NOW, failures=3), HOUR, NOW + 3 * MINUTE),
    "broken off: soon": (Pulled(NOW - 2 * MINUTE, broken_off=True), HOUR, NOW - MINUTE),
    "a little ahead, by another machine's clock": (Pulled(NOW + SECOND), HOUR, NOW + SECOND + HOUR),
    "still to come, since the clock was set back: at once": (Pulled(NOW + 9 * HOUR), HOUR, NOW),
    "pulled by somebody: not before the lease ends": (Pulled(NOW, held_until=NOW + 7), HOUR, NOW + 7),
}


@pytest.mark.parametrize(("known", "every", "at"), PLANS.values(), ids=PLANS)
def test_next_pull(known: Pulled, every: int, at: int) -> None:
    assert next_pull(known, every, NOW) == at


@pytest.fixture
def hub(store: Store, rulebook: Rulebook) -> Hub:
    return Hub(store, rulebook, load_sources(rulebook, [shipped()], {}))


HOLDER = "from hub.store.lease import new_holder; print(new_holder())"


def _run(hub: Hub, status: str, **said: Any) -> None:
    """A run of one stream that began now and ended so; RUNNING: it never did."""
    with hub.store.write() as connection:
        run_no = read.start_run(connection, "sync", NOW)
        read.start_stream(connection, run_no, "stripe", "invoices")
        due.begun(connection, "stripe", "invoices", NOW)
        if status != "RUNNING":
            error = "stripe.invoices: down" if status == "FAILED" else None
            read.finish_stream(connection, run_no, "stripe", "invoices", error)


def _next(hub: Hub, now: int = NOW) -> int:
    with hub.store.read() as connection:
        return next_pulls(connection, hub, now)["stripe", "invoices"]


def test_a_new_hub_pulls_everything_at_once(hub: Hub) -> None:
    with hub.store.read() as connection:
        plan = next_pulls(connection, hub, NOW)
    assert plan == dict.fromkeys(hub.streams(), NOW)


def test_what_the_store_remembers_makes_the_plan(hub: Hub) -> None:
    every = every_us(hub, "stripe")
    _run(hub, "OK")
    assert _next(hub) == NOW + every
    _run(hub, "RUNNING")
    assert _next(hub) == NOW + MINUTE
    for failures in (1, 2, 3):
        _run(hub, "FAILED")
        assert _next(hub) == NOW + (MINUTE << (failures - 1))
    _run(hub, "OK")
    assert _next(hub) == NOW + every


def test_a_notification_during_a_pull_asks_for_another(hub: Hub) -> None:
    _run(hub, "OK")
    with hub.store.write() as connection:
        due.make_due(connection, "stripe", "invoices", NOW + SECOND)
    assert _next(hub) == NOW + MINUTE
    _run(hub, "OK")
    assert _next(hub) == NOW + every_us(hub, "stripe"), "the pull that began after it answered it"


def test_what_another_process_pulls_is_left_alone(hub: Hub) -> None:
    with hub.store.write() as connection:
        assert lease.take(connection, "stripe", "invoices", "another", NOW, 90 * SECOND)
        due.make_due(connection, "stripe", "invoices", NOW)
    assert _next(hub) == NOW + 90 * SECOND
    assert _next(hub, NOW + 90 * SECOND) == NOW + 90 * SECOND, "its lease is over: it is due"


def test_a_clock_that_was_ahead_holds_nothing_up(hub: Hub) -> None:
    ahead = NOW + 1_000 * HOUR
    with hub.store.write() as connection:
        due.begun(connection, "stripe", "invoices", ahead)
        assert lease.take(connection, "stripe", "invoices", "another", ahead)
    assert _next(hub) == NOW
    with hub.store.write() as connection:
        assert not due.begun_since(connection, "stripe", "invoices", NOW - HOUR, NOW)
        assert lease.take(connection, "stripe", "invoices", "this", NOW)
        assert not lease.keep(connection, "stripe", "invoices", "another", ahead), "it has lost it"


def test_what_a_dead_process_of_this_machine_holds_is_free_at_once(hub: Hub) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True) as process:
        holder = process.communicate()[0].strip()
    with hub.store.write() as connection:
        due.begun(connection, "stripe", "invoices", NOW - HOUR)
        assert lease.take(connection, "stripe", "invoices", holder, NOW)
    assert _next(hub) == NOW - HOUR + every_us(hub, "stripe")


def test_the_company_says_how_often_before_the_mapping_does(hub: Hub, rulebook: Rulebook) -> None:
    sources = rulebook.company.sources
    stripe = sources["stripe"].model_copy(update={"every": "5m"})
    company = rulebook.company.model_copy(update={"sources": {**sources, "stripe": stripe}})
    ours = Hub(hub.store, rulebook.model_copy(update={"company": company}), hub.sources)
    assert every_us(ours, "stripe") == 5 * MINUTE
    assert every_us(ours, "hubspot") == HOUR


def test_a_long_history_costs_the_schedule_nothing(hub: Hub) -> None:
    """The plan is asked for every few seconds: it goes by the index, not through the runs of years."""
    row = {"source": "stripe", "stream": "invoices", "started_at": NOW, "status": "OK"}
    with hub.store.write() as connection:
        connection.execute(insert(stream_run), [row | {"run_no": number} for number in range(1, 3_000)])
        connection.execute(update(stream_run).where(stream_run.c.run_no > 2_997).values(status="FAILED"))
        due.begun(connection, "stripe", "invoices", NOW)
        known = due.pulls(connection, NOW)
    assert known["stripe", "invoices"].failures == 2
