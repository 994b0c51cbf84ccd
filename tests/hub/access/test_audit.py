"""The audit log: who read whom is written soon, never holds up a request, and is found again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic

import pytest
from sqlalchemy import Connection, select, text
from structlog.testing import LogCapture

from hub import clock
from hub.access import audit as audit_module
from hub.access.audit import Audit, readings
from hub.access.principal import LOCAL, Principal
from hub.access.refusal import AuditFull
from hub.access.sight import Sight
from hub.erasure.erase import erase
from hub.store.engine import Store
from hub.store.errors import StoreError
from hub.store.kept import audit_log

ANN = Principal("jwt:ann", Sight("agent"))
SOON_S = 5.0


@pytest.fixture
def audit(people: Store) -> Iterator[Audit]:
    log = Audit(people)
    yield log
    log.close()


def rows(store: Store) -> list[tuple[object, ...]]:
    columns = [audit_log.c[name] for name in ("principal", "role", "operation", "root", "customers", "classes")]
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(audit_log.c.log_no))]


def soon(true: Callable[[], bool]) -> bool:
    """Whether it becomes true soon: somebody else does it."""
    end, pause = monotonic() + SOON_S, Event()
    while not true() and monotonic() < end:
        pause.wait(0.02)
    return true()


def who(store: Store, public_id: str, since: int = 0) -> list[tuple[str, str, bool]] | None:
    with store.read() as connection:
        found = readings(connection, public_id, since)
    return None if found is None else [(one.principal, one.root, one.everybody) for one in found]


@contextmanager
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database takes nothing meanwhile."""

    @contextmanager
    def closed(store: Store) -> Iterator[Connection]:
        raise StoreError(f"{store.place}: is away")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(audit_module, "aside", closed)
        yield


# written -------------------------------------------------------------------------------------------------------------
def test_what_was_read_is_written_within_a_second(people: Store, audit: Audit) -> None:
    began = monotonic()
    audit.saw(ANN, "Card", "customer", [2, 1], ["NAME", "CONTACT"])
    assert monotonic() - began < 0.1
    assert soon(lambda: bool(rows(people)))
    assert monotonic() - began < 2.0
    assert rows(people) == [("jwt:ann", "agent", "Card", "customer", "[2,1]", "CONTACT NAME")]


def test_what_waits_is_written_at_the_end_in_order(people: Store) -> None:
    log = Audit(people)
    for number in range(1_200):
        log.saw(LOCAL, f"Op{number}", "customers", [number], ["NAME"])
    log.close()
    assert [row[2] for row in rows(people)] == [f"Op{number}" for number in range(1_200)]


def test_threads_write_one_log(people: Store) -> None:
    log = Audit(people)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: log.saw(LOCAL, "", "node", [number], ["TEXT"]), range(400)))
    log.close()
    assert sorted(str(row[4]) for row in rows(people)) == sorted(f"[{number}]" for number in range(400))


def test_a_log_that_noted_nothing_ends(people: Store) -> None:
    Audit(people).close()
    assert rows(people) == []


def test_a_long_list_is_several_rows_and_an_export_is_everybody(people: Store) -> None:
    log = Audit(people)
    log.saw(LOCAL, "", "customers", range(12_000), ["NAME"])
    log.saw(LOCAL, "export", "bi_customers", None, ["NAME"])
    log.saw(LOCAL, "x" * 900, "profitability", [], ["MONEY"])
    log.close()
    written = rows(people)
    assert [str(row[4]).count(",") + 1 for row in written[:3]] == [5_000, 5_000, 2_000]
    assert [(row[3], row[4]) for row in written[3:]] == [("bi_customers", None), ("profitability", "[]")]
    assert len(str(written[4][2])) == 200


# the database is away ------------------------------------------------------------------------------------------------
def test_what_cannot_be_logged_is_not_read(people: Store, monkeypatch: pytest.MonkeyPatch, logged: LogCapture) -> None:
    log = Audit(people, most_waiting=10)
    with away(monkeypatch):
        log.saw(LOCAL, "", "customers", [1, 2, 3], ["NAME"])
        log.saw(LOCAL, "", "customers", [4, 5, 1], ["NAME"])
        with pytest.raises(AuditFull, match="cannot be logged at the moment, so it is not read"):
            log.saw(LOCAL, "", "customers", [1, 2], ["NAME"])
        log.saw(LOCAL, "", "customers", [1], ["NAME"])
        assert soon(lambda: log._failing)
    assert soon(lambda: len(rows(people)) == 3), "what waited is written once the database is back"
    log.saw(LOCAL, "", "customers", [1, 2], ["NAME"])
    log.close()
    assert [row[4] for row in rows(people)] == ["[1,2,3]", "[4,5,1]", "[1]", "[1,2]"]
    assert [one["event"] for one in logged.entries] == ["the audit log cannot be written; it is tried again"]


def test_what_is_lost_at_the_end_is_said(people: Store, monkeypatch: pytest.MonkeyPatch, logged: LogCapture) -> None:
    log = Audit(people)
    with away(monkeypatch):
        log.saw(LOCAL, "", "customers", [1], ["NAME"])
        log.close()
    assert logged.entries[-1] == {"event": "entries of the audit log are lost", "entries": 1, "log_level": "error"}


def test_on_postgresql_a_writer_does_not_hold_it_up(new_store: Callable[[str], Store]) -> None:
    store = new_store("postgresql")
    log = Audit(store)
    with store.write():
        log.saw(LOCAL, "", "customers", [1], ["NAME"])
        assert soon(lambda: bool(rows(store)))
    log.close()


# found again ---------------------------------------------------------------------------------------------------------
def test_who_read_a_customer_is_found_by_number_and_not_by_its_digits(people: Store) -> None:
    log = Audit(people)
    for operation, customers in (("a", [1]), ("b", [11, 21, 111]), ("c", [2, 1, 3]), ("d", [3, 1]), ("e", [])):
        log.saw(ANN, operation, operation, customers, ["NAME"])
    log.saw(LOCAL, "export", "bi_customers", None, ["NAME"])
    log.close()
    found = [("local", "bi_customers", True), *(("jwt:ann", root, False) for root in "dca")]
    assert who(people, "cus_1") == found
    assert who(people, "cus_1", clock.now() + 1) == []
    assert who(people, "cus_none") is None
    assert who(people, "cus_%") is None


def test_reads_of_a_merged_id_count_for_the_customer(people: Store) -> None:
    log = Audit(people)
    log.saw(ANN, "", "before", [2], ["NAME"])
    log.close()
    with people.write() as connection:
        connection.execute(text("UPDATE customer_ledger SET merged_into = 1 WHERE customer_no = 2"))
    assert who(people, "cus_1") == who(people, "cus_2") == [("jwt:ann", "before", False)]


def test_the_log_outlives_an_erasure_and_says_nothing_of_the_person(people: Store) -> None:
    log = Audit(people)
    log.saw(ANN, "Card", "customer", [1], ["CONTACT", "NAME"])
    log.close()
    erase(people, "cus_1", dry_run=False, as_of=clock.now())
    assert rows(people) == [("jwt:ann", "agent", "Card", "customer", "[1]", "CONTACT NAME")]
    assert who(people, "cus_1") == [("jwt:ann", "customer", False)]
