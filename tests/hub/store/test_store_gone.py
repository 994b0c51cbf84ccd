"""Whole readings, notices and records that came by themselves, statement by statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from connectors.pull import Page, Record
from hub.store.gone import Absent, begin_reading, heed, mark_absent, mark_gone, note_read, reading
from hub.store.landing import Landed, Ties, land_records

if TYPE_CHECKING:
    from tests.hub.store.conftest import Books

HERE = "SELECT key FROM landing WHERE deleted_at IS NULL ORDER BY key"
KEYS = [f"k{n}" for n in range(10)]


def landed(books: Books, keys: Sequence[str], as_of: int = 1) -> None:
    books.send("customers", *(books.customer(key) for key in keys), as_of=as_of)


SHARES = {
    "all came": (10, 0.2, Absent(missing=0, held=10, brought=10, gone=0)),
    "as many as may be": (8, 0.2, Absent(missing=2, held=10, brought=8, gone=2)),
    "one more": (7, 0.2, Absent(missing=3, held=10, brought=7, gone=0)),
    "nothing, and all may be": (0, 1.0, Absent(missing=10, held=10, brought=0, gone=0)),
}


@pytest.mark.parametrize(("came", "at_most", "expected"), SHARES.values(), ids=SHARES.keys())
def test_what_a_whole_reading_did_not_bring_is_gone_up_to_a_share(
    books: Books, came: int, at_most: float, expected: Absent
) -> None:
    landed(books, KEYS)
    with books.store.write() as connection:
        begin_reading(connection, "books", "customers")
        note_read(connection, "books", "customers", KEYS[:came])
        note_read(connection, "books", "customers", KEYS[:1] if came else [])
        assert mark_absent(connection, "books", "customers", at_most, 7) == expected
        assert not reading(connection, "books", "customers")
    assert len(books.rows(HERE)) == 10 - expected.gone
    assert books.rows("SELECT DISTINCT deleted_at FROM landing WHERE deleted_at IS NOT NULL") == [(7,)] * bool(
        expected.gone
    )


def test_what_came_by_itself_during_a_reading_is_not_absent(books: Books) -> None:
    landed(books, KEYS)
    ties = Ties(absent=0.5)
    with books.store.write() as connection:
        begin_reading(connection, "books", "customers")
        note_read(connection, "books", "customers", KEYS)
        record = Record("new", b'{"id": "new", "name": "New", "email": "new@mail.example"}')
        compiled = books.compiled("customers")
        assert land_records(connection, "books", "customers", [record], compiled, 2, ties) == Landed(1, 1, 0)
        assert mark_absent(connection, "books", "customers", 0.5, 2).missing == 0


def test_what_came_by_itself_moves_no_cursor_and_is_counted(books: Books) -> None:
    books.land("customers", Page([Record("k1", b'{"id": "k1"}')], {"at": 3}, False))
    runs = books.rows("SELECT * FROM stream_run")
    with books.store.write() as connection:
        record = Record("k2", b'{"id": "k2"}')
        land_records(connection, "books", "customers", [record, record], books.compiled("customers"), 2)
    assert books.rows("SELECT cursor, record_count FROM stream_state") == [('{"at": 3}', 2)]
    assert books.rows("SELECT * FROM stream_run") == runs


def test_a_notice_counts_for_what_was_sent_before_it(books: Books) -> None:
    landed(books, ["k1"], as_of=1)
    landed(books, ["k2"], as_of=3)
    books.send("invoices", books.invoice("in_1", "k1", 5), as_of=2)
    [(notice,)] = books.rows("SELECT landing_no FROM landing WHERE stream = 'invoices'")
    said = [(notice, "customers", key) for key in ("k1", "k2", "unknown")]
    with books.store.write() as connection:
        assert heed(connection, "books", said, 4) == 1
        assert heed(connection, "books", said, 5) == 0
        assert heed(connection, "books", [], 5) == 0
    assert books.rows(HERE) == [("in_1",), ("k2",)]


def test_what_is_gone_leaves_no_rows_no_control_no_dead_letter_and_no_payload(books: Books) -> None:
    books.send("invoices", books.invoice("in_1", "k1", 5), books.invoice("in_2", "k1", 7))
    books.send("invoices", books.invoice("in_1", "k1", 5, date="soon"))
    assert books.rows("SELECT COUNT(*) FROM dead_letter") == [(1,)]
    with books.store.write() as connection:
        assert mark_gone(connection, "books", "invoices", ["in_1", "in_2"], 9) == 2
    assert [payload for _, payload in books.waiting("invoices")] == [b"", b""]
    books.map("invoices", as_of=9)
    for table in ("money_entry", "interaction", "control", "dead_letter"):
        assert books.rows(f"SELECT COUNT(*) FROM {table}") == [(0,)]  # noqa: S608
    assert books.rows("SELECT state, length(payload), deleted_at FROM landing") == [(1, 0, 9)] * 2


def test_what_is_gone_is_back_when_it_is_sent_again(books: Books) -> None:
    landed(books, ["k1"])
    with books.store.write() as connection:
        mark_gone(connection, "books", "customers", ["k1"], 2)
    books.map("customers", as_of=2)
    assert books.rows("SELECT COUNT(*) FROM profile") == [(0,)]
    landed(books, ["k1"], as_of=3)
    assert books.rows("SELECT COUNT(*) FROM profile") == [(1,)]
    assert books.rows("SELECT deleted_at, changed_at, state FROM landing") == [(None, 3, 1)]
