"""Schedules that are kept: by one process or several, beside a server, until told to end, and whatever dies."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from connectors.sandbox.company import Company, generate
from connectors.sandbox.server import Running, serve
from hub import clock
from hub.export.views import create_views
from hub.run import Hub, Report
from hub.store import due, lease, read
from hub.store.engine import Store
from hub.upkeep.loop import Ending, Loop
from mappings.loader import load_sources, shipped
from mappings.rulebook import Rulebook

PEOPLE = 12
DAY_US = 86_400_000_000


@pytest.fixture(scope="module")
def company() -> Company:
    return generate(PEOPLE)


@pytest.fixture
def running(company: Company) -> Iterator[Running]:
    with serve(company) as servers:
        yield servers


@pytest.fixture
def hub(store: Store, rulebook: Rulebook, running: Running) -> Hub:
    with store.write() as connection:
        create_views(connection, rulebook.company.reporting_currency)
    return Hub(store, rulebook, load_sources(rulebook, [shipped()], running.environment()))


def until(found: Callable[[], Any]) -> Any:
    """What is found once it is true. Raises AssertionError where it never is."""
    over, pause = monotonic() + 60, threading.Event()
    while not (what := found()):
        assert monotonic() < over
        pause.wait(0.05)
    return what


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loops of this process look often."""
    monkeypatch.setattr("hub.upkeep.loop.LOOK_S", 0.2)


class Told:
    """What a loop says of its runs."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, ...]] = []
        self.errors: dict[str, str] = {}

    def __call__(self, sources: Collection[str], report: Report, errors: Mapping[str, str]) -> None:
        self.runs.append(tuple(sources))
        self.errors |= errors


@contextmanager
def looping(hub: Hub, *only: str) -> Iterator[Told]:
    """A loop in a thread, told to end after the block."""
    told, ending = Told(), Ending()
    thread = threading.Thread(target=Loop(hub, only, ending, told).run)
    thread.start()
    try:
        yield told
    finally:
        ending.tell()
        thread.join(60)
        assert not thread.is_alive()


PULLS = "SELECT stream, COUNT(*) FROM stream_run WHERE source = 'stripe' AND status = 'OK' GROUP BY stream"


def test_a_loop_pulls_what_is_due_and_again_when_it_is_due_again(hub: Hub) -> None:
    with looping(hub) as told:
        until(lambda: {source for run in told.runs for source in run} == set(hub.sources))
        assert len(rows(hub.store, "SELECT customer_no FROM customer_card")) > PEOPLE / 2
        assert dict(rows(hub.store, PULLS)) == dict.fromkeys(hub.sources["stripe"].system.streams, 1)
        done = len(told.runs)
        with hub.store.write() as connection:
            connection.execute(text("UPDATE stream_state SET pulled_at = pulled_at - 120000000"))
            due.make_due(connection, "stripe", "invoices", clock.now())
        until(lambda: len(told.runs) > done)
    assert told.runs[done:] == [("stripe",)]
    assert dict(rows(hub.store, PULLS)) == dict.fromkeys(hub.sources["stripe"].system.streams, 1) | {"invoices": 2}
    assert told.errors == {}


def test_silence_passes_the_day(hub: Hub) -> None:
    """Nothing is due to be pulled, but the last run was yesterday: the clock alone raises flags."""
    with hub.store.write() as connection:
        run_no = read.start_run(connection, "sync", clock.now() - DAY_US)
        read.finish_run(connection, run_no, "OK", 0)
        for source, stream in hub.streams():
            due.begun(connection, source, stream, clock.now())
    with looping(hub) as told:
        until(lambda: told.runs)
    assert told.runs == [()]
    assert rows(hub.store, "SELECT COUNT(*) FROM stream_run") == [(0,)]


def test_a_source_that_fails_is_told_and_holds_up_no_other(hub: Hub, rulebook: Rulebook, running: Running) -> None:
    wrong = load_sources(rulebook, [shipped()], running.environment() | {"STRIPE_TOKEN": "wrong"})
    with looping(replace(hub, sources=wrong)) as told:
        until(lambda: {source for run in told.runs for source in run} == set(hub.sources))
    assert {name.partition(".")[0] for name in told.errors} == {"stripe"}
    assert rows(hub.store, "SELECT DISTINCT status FROM stream_run WHERE source <> 'stripe'") == [("OK",)]


def test_a_loop_for_some_sources_leaves_the_others_alone(hub: Hub) -> None:
    with looping(hub, "matomo") as told:
        until(lambda: told.runs)
    assert rows(hub.store, "SELECT DISTINCT source FROM stream_run") == [("matomo",)]


def test_two_loops_never_pull_a_stream_twice_over(hub: Hub) -> None:
    """As on two machines: what the one has the lease of, the other leaves alone."""
    with looping(hub), looping(replace(hub)):
        until(lambda: rows(hub.store, "SELECT COUNT(*) FROM stream_state WHERE pulled_at IS NOT NULL") == [(13,)])
    streams = len(list(hub.streams()))
    assert rows(hub.store, "SELECT COUNT(*) FROM stream_run") == [(streams,)]
    assert rows(hub.store, "SELECT COUNT(*) FROM lease") == [(0,)], "a loop that ends gives its leases back"


def test_what_a_dead_process_held_is_pulled_when_its_lease_is_over(hub: Hub) -> None:
    with hub.store.write() as connection:
        for source, stream in hub.streams():
            due.begun(connection, source, stream, clock.now())
        assert lease.take(connection, "matomo", "visits", "dead", clock.now(), 600_000)
        connection.execute(text("UPDATE stream_state SET pulled_at = pulled_at - 86400000000 WHERE stream = 'visits'"))
    with looping(hub) as told:
        until(lambda: told.runs)
    assert rows(hub.store, "SELECT stream, status FROM stream_run") == [("visits", "OK")]


# processes -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def environment(tmp_path: Path, migrated_file: Path, running: Running) -> dict[str, str]:
    """Of a hub with a database of its own whose sources are pulled every second."""
    rules = tmp_path / "own" / "rules"
    rules.mkdir(parents=True)
    said = (shipped() / "rules" / "company.yml").read_text()
    (rules / "company.yml").write_text(said.replace("system: matomo}", "system: matomo, every: 1s}"))
    shutil.copyfile(migrated_file, tmp_path / "loop.db")
    own = {"HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'loop.db'}", "HUB_MAPPINGS": str(rules.parent)}
    return os.environ | running.environment() | own


@contextmanager
def process(environment: Mapping[str, str], *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command as a process of its own, killed after the block."""
    command = [sys.executable, "-m", "hub.cli", *words]
    started = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait()
        assert started.stdout is not None
        started.stdout.close()


def line(started: subprocess.Popen[str], words: str) -> str:
    """The next line that holds these words."""
    assert started.stdout is not None
    for said in started.stdout:
        if words in said:
            return said
    raise AssertionError(f"ended without {words!r}")


def test_a_looping_command_ends_when_told_to(environment: dict[str, str]) -> None:
    with process(environment, "sync", "--loop", "matomo") as started:
        for _ in range(2):
            assert " pulled, " in line(started, "matomo: ")
        started.send_signal(signal.SIGTERM)
        assert started.wait(30) == 0


def test_a_loop_has_the_clock_of_the_wall(environment: dict[str, str]) -> None:
    with process(environment, "sync", "--loop", "--as-of", "2026-06-30") as started:
        assert started.wait(60) == 2
        assert "goes without --loop" in (started.stdout.read() if started.stdout else "")


def loops_below(parent: int) -> set[int]:
    """The processes that a server began, other than those that serve or track its resources."""
    numbers: set[int] = set()
    for task in Path(f"/proc/{parent}/task").iterdir():
        with suppress(OSError):
            numbers |= {int(number) for number in (task / "children").read_text().split()}
    return {number for number in numbers if "spawn_main" in _words(number)}


def _words(number: int) -> str:
    try:
        return Path(f"/proc/{number}/cmdline").read_text()
    except OSError:
        return ""


def gone(number: int) -> bool:
    """Whether the process has ended, though nobody may have asked how."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to find the processes")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_has_one_loop_beside_it_which_ends_with_it(environment: dict[str, str], workers: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("serve", "--sync", "--port", str(port), "--workers", str(workers))
    with process(environment, *words) as started:
        line(started, "matomo: ")
        transport = httpx.HTTPTransport(retries=40)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=30) as client:
            assert client.get("/healthz").status_code == 200
        children = loops_below(started.pid)
        assert len(children) == (1 if workers == 1 else 1 + workers)
        if workers == 1:
            (loop,) = children
            os.kill(loop, signal.SIGKILL)
            line(started, "syncing ended and begins again")
            line(started, "matomo: ")
            children = loops_below(started.pid)
            assert len(children) == 1
            assert children != {loop}
        started.send_signal(signal.SIGKILL if workers == 1 else signal.SIGTERM)
        until(lambda: all(gone(child) for child in children))
