from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub import clock
from hub.store.kept import metadata
from hub.store.read import (
    finish_run,
    finish_stream,
    forget_derivable,
    mark_for_remap,
    start_run,
    start_stream,
    stream_cursor,
)

if TYPE_CHECKING:
    from hub.store.engine import Store
    from tests.hub.store.conftest import Books

FRESH = "SELECT status, error, finished_at IS NOT NULL FROM stream_run"


def test_a_run_keeps_its_instant_and_says_how_it_ended(books: Books) -> None:
    began = clock.now()
    with books.store.write() as connection:
        assert start_run(connection, "sync", 1_000) == 1
        assert start_run(connection, "remap", 2_000) == 2
        finish_run(connection, 1, "PARTIAL", 12)
    rows = books.rows("SELECT run_no, command, as_of, status, customers_derived FROM sync_run ORDER BY run_no")
    assert rows == [(1, "sync", 1_000, "PARTIAL", 12), (2, "remap", 2_000, "RUNNING", None)]
    [(started, finished)] = books.rows("SELECT started_at, finished_at FROM sync_run WHERE run_no = 1")
    assert began <= started <= finished <= clock.now()


@pytest.mark.parametrize("started", [True, False], ids=["pulled", "never began"])
@pytest.mark.parametrize(
    ("error", "status"), [(None, "OK"), ("books: down; try later", "FAILED")], ids=["well", "failed"]
)
def test_a_stream_says_how_it_ended(books: Books, error: str | None, status: str, started: bool) -> None:
    with books.store.write() as connection:
        run = start_run(connection, "sync", 1)
        if started:
            start_stream(connection, run, "books", "invoices")
        finish_stream(connection, run, "books", "invoices", error)
    assert [(row[0], row[1], bool(row[2])) for row in books.rows(FRESH)] == [(status, error, True)]


@pytest.mark.parametrize(
    ("error", "expected"), [(None, [(99,)]), ("down", [(50,)])], ids=["a good pull", "a failed one keeps the last"]
)
def test_only_a_good_pull_is_fresh(books: Books, error: str | None, expected: list[tuple[int]]) -> None:
    books.land("invoices", books.page([]))
    with books.store.write() as connection:
        finish_stream(connection, 1, "books", "invoices", None, fresh_until=50)
        finish_stream(connection, 1, "books", "invoices", error, fresh_until=99)
    assert books.rows("SELECT fresh_until FROM stream_state") == expected


def test_a_first_mapping_sends_nothing_back(books: Books) -> None:
    books.send("invoices", books.invoice("in_1", "ann", 5))
    with books.store.write() as connection:
        assert mark_for_remap(connection, "books", "invoices", "one") == 0
        assert mark_for_remap(connection, "books", "invoices", "one") == 0
        assert mark_for_remap(connection, "books", "invoices", "two") == 1
        assert mark_for_remap(connection, "books", "customers", "two") == 0
    assert len(books.waiting("invoices")) == 1


def test_a_cursor_outlives_a_remap(books: Books) -> None:
    books.land("invoices", books.page([], {"since": "2026-06-30"}))
    with books.store.write() as connection:
        forget_derivable(connection, [])
        assert stream_cursor(connection, "books", "invoices") == {"since": "2026-06-30"}


FORGOTTEN = {"sync_run", "stream_run", "stream_state", "landing", "dead_letter", "profile_ledger"}
STREAMS = {
    "the source is there": ([("books", "invoices"), ("books", "customers")], {"profile", "contact_point"}),
    "a stream was renamed": ([("books", "invoices"), ("books", "clients")], set()),
}


@pytest.mark.parametrize(("streams", "stay"), STREAMS.values(), ids=STREAMS)
def test_forgetting_leaves_what_no_rebuild_touches_and_what_is_mapped_again(
    store: Store, books: Books, streams: list[tuple[str, str]], stay: set[str]
) -> None:
    books.send("invoices", books.invoice("in_1", "ann", 5), books.invoice("in_2", "ann", 5, date="soon"))
    books.send("customers", books.customer("ann"))
    books.run("INSERT INTO customer (customer_no, dirty) VALUES (1, false)")
    books.run("INSERT INTO metric (customer_no, name, value) VALUES (1, 'visits', 3)")
    books.run("UPDATE profile_ledger SET pending = false")
    with store.write() as connection:
        forget_derivable(connection, streams)
    held = {name for name in metadata.tables if books.rows(f'SELECT 1 FROM "{name}" LIMIT 1')}  # noqa: S608
    assert held == FORGOTTEN | {"interaction", "money_entry", "control"} | stay
    assert books.rows("SELECT DISTINCT state FROM landing") == [(0,)]
    assert books.rows("SELECT COUNT(*) FROM profile_ledger WHERE NOT pending") == [(0,)]
