"""Many processes on one port: they share the work, a dead one is replaced, and all end together."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TypeVar

import httpx
import pytest

HOUSE = Path(__file__).parents[2]
WAIT = 150  # longer than a worker may be silent before it is replaced
WORKERS = 2
QUERY = {"query": "{ customers { totalCount } }"}

T = TypeVar("T")

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to find the processes")


def until(found: Callable[[], T | None]) -> T:
    """What is found once it is true. Raises AssertionError where it never is."""
    over, pause = monotonic() + WAIT, Event()
    while not (what := found()):
        assert monotonic() < over
        pause.wait(0.05)
    return what


def children(parent: int) -> set[int]:
    """The workers of a server: its children that serve."""
    known = Path(f"/proc/{parent}/task/{parent}/children")
    return {int(number) for number in known.read_text().split() if b"spawn_main" in _words(int(number))}


def _words(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(database: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    said = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    words = ["serve", "--port", str(port), "--workers", str(WORKERS), "--database", f"sqlite:///{database}"]
    with subprocess.Popen([sys.executable, "-m", "hub.cli", *words], cwd=HOUSE, env=said) as process:
        try:
            until(lambda: answers(port))
            yield process
        finally:
            process.terminate()


def answers(port: int) -> bool:
    try:
        answer = httpx.post(f"http://127.0.0.1:{port}/graphql", json=QUERY)
    except httpx.TransportError:
        return False
    return bool(answer.json() == {"data": {"customers": {"totalCount": 0}}})


@pytest.fixture
def database(tmp_path: Path, migrated_file: Path) -> Path:
    return Path(shutil.copyfile(migrated_file, tmp_path / "hub.db"))


def test_dead_worker_is_replaced_and_all_end_at_a_signal(database: Path, port: int) -> None:
    with serving(database, port) as process:
        first = until(lambda: found if len(found := children(process.pid)) == WORKERS else None)
        os.kill(min(first), signal.SIGKILL)
        now = until(lambda: found if len((found := children(process.pid)) - first) == 1 else None)
        assert len(now) == WORKERS
        until(lambda: answers(port))
        process.terminate()
        assert process.wait(WAIT) == 0
    until(lambda: not any(map(_words, now)))
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


def test_workers_end_where_their_parent_was_killed(database: Path, port: int) -> None:
    with serving(database, port) as process:
        workers = until(lambda: found if len(found := children(process.pid)) == WORKERS else None)
        process.kill()
    until(lambda: not any(map(_words, workers)))
