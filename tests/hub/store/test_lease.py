"""One stream, one process: also where several ask at once, and where the holder is dead."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hub.store import lease
from hub.store.engine import Store
from hub.store.holder import is_dead

NOW = 1_790_000_000_000_000
SECOND = 1_000_000

# What another process does: it asks for every stream as often as it is told, and says which it got.
ASKING = """
import sys
from hub.store import lease
from hub.store.engine import open_store

url, holder, streams = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = open_store(url)
print("ready", flush=True)
sys.stdin.readline()
for number in range(streams):
    with store.write() as connection:
        if lease.take(connection, "crm", f"stream{number}", holder, 1_790_000_000_000_000):
            print(number, flush=True)
store.close()
"""


def _take(store: Store, holder: str, now: int = NOW, stream: str = "contacts") -> bool:
    with store.write() as connection:
        return lease.take(connection, "crm", stream, holder, now, 60 * SECOND)


def _keep(store: Store, holder: str, now: int) -> bool:
    with store.write() as connection:
        return lease.keep(connection, "crm", "contacts", holder, now, 60 * SECOND)


def test_a_stream_has_one_holder(store: Store) -> None:
    assert _take(store, "one")
    assert not _take(store, "two")
    assert _take(store, "two", stream="companies")
    with store.read() as connection:
        assert lease.held(connection, NOW) == {
            ("crm", "contacts"): NOW + 60 * SECOND,
            ("crm", "companies"): NOW + 60 * SECOND,
        }
        assert lease.held(connection, NOW + 60 * SECOND) == {}


def test_a_dead_holders_lease_expires(store: Store) -> None:
    assert _take(store, "dead")
    assert not _take(store, "two", NOW + 59 * SECOND)
    assert _take(store, "two", NOW + 60 * SECOND)
    assert not _keep(store, "dead", NOW + 61 * SECOND)


def test_a_living_holder_keeps_it(store: Store) -> None:
    assert _take(store, "one")
    assert _keep(store, "one", NOW + 59 * SECOND)
    assert not _take(store, "two", NOW + 100 * SECOND)
    assert _keep(store, "one", NOW + 500 * SECOND), "it was over, but nobody took it"
    assert _take(store, "one", NOW + 501 * SECOND), "taking what one has is no quarrel"


def test_what_is_given_back_is_free(store: Store) -> None:
    assert _take(store, "one")
    with store.write() as connection:
        lease.give_back(connection, "crm", "contacts", "two")
    assert not _take(store, "two")
    with store.write() as connection:
        lease.give_back(connection, "crm", "contacts", "one")
    assert _take(store, "two")


def test_holders_are_told_apart() -> None:
    assert len({lease.new_holder() for _ in range(100)}) == 100


@pytest.mark.parametrize("streams", [20])
def test_two_processes_never_get_the_same_stream(store: Store, streams: int) -> None:
    commands = [[sys.executable, "-c", ASKING, store.url, name, str(streams)] for name in ("one", "two")]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for command in commands
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    got = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(int(number) for numbers in got for number in numbers) == list(range(streams))


# A process that takes the stream and is told nothing more.
TAKING = """
import sys
from hub.store import lease
from hub.store.engine import open_store

store = open_store(sys.argv[1])
with store.write() as connection:
    assert lease.take(connection, "crm", "contacts", lease.new_holder(), 1_790_000_000_000_000)
print("taken", flush=True)
sys.stdin.readline()
"""


def test_a_killed_process_of_this_machine_holds_nothing(store: Store) -> None:
    command = [sys.executable, "-c", TAKING, store.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        assert not _take(store, lease.new_holder()), "it lives"
        process.kill()
        process.wait()
        assert _take(store, lease.new_holder())


ELSEWHERE = {
    "another machine": "0123456789abcdef:1:7:0011223344556677",
    "no process at all": "somebody",
    "this very process": lease.new_holder(),
}


@pytest.mark.parametrize("holder", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_who_may_be_alive_keeps_the_lease(store: Store, holder: str) -> None:
    assert _take(store, holder)
    assert not _take(store, lease.new_holder())


def test_a_number_that_another_process_has_since_is_no_life() -> None:
    machine, pid, began, word = lease.new_holder().split(":")
    assert not is_dead(":".join((machine, pid, began, word)))
    assert is_dead(":".join((machine, pid, f"{began}0", word)))
