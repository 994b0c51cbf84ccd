from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert

from hub.store.erased import erasure_salt, tombstone_digest
from hub.store.kept import tombstone
from hub.store.landing import Landed, land, pending
from hub.store.read import stream_cursor

if TYPE_CHECKING:
    from tests.hub.store.conftest import Books

LANDING = "SELECT key, state, first_seen_at, changed_at FROM landing ORDER BY landing_no"
ANN = {"id": "ann", "name": "Ann", "email": "ann@mail.example", "seen": 1}


def sent(*records: dict[str, Any]) -> list[bytes]:
    return [json.dumps(record).encode() for record in records]


def test_twice_is_once(books: Books) -> None:
    assert books.send("customers", ANN, as_of=1) == Landed(pulled=1, changed=1, unchanged=0)
    before = books.rows("SELECT * FROM landing"), books.rows("SELECT * FROM profile")
    assert books.send("customers", ANN, as_of=2) == Landed(pulled=1, changed=0, unchanged=1)
    assert (books.rows("SELECT * FROM landing"), books.rows("SELECT * FROM profile")) == before


AGAIN = {
    "keys in another order": (dict(reversed(ANN.items())), 0),
    "a volatile field": (ANN | {"seen": 2}, 0),
    "a field that counts": (ANN | {"name": "Anna"}, 1),
    "a field more": (ANN | {"vat": None}, 1),
}


@pytest.mark.parametrize(("record", "changed"), AGAIN.values(), ids=AGAIN.keys())
def test_only_what_means_something_else_is_changed(books: Books, record: dict[str, Any], changed: int) -> None:
    books.send("customers", ANN, as_of=1)
    assert books.land("customers", books.page(sent(record)), as_of=2).changed == changed
    [(payload, state, changed_at)] = books.rows("SELECT payload, state, changed_at FROM landing")
    assert json.loads(bytes(payload)) == record, "the payload is the last one sent, changed or not"
    assert (state, changed_at) == ((0, 2) if changed else (1, 1))


def test_a_quiet_change_is_not_compared_again(books: Books) -> None:
    books.send("customers", ANN)
    quiet = sent(dict(reversed(ANN.items())))
    books.land("customers", books.page(quiet))
    before = books.rows("SELECT raw_hash, content_hash FROM landing")
    assert books.land("customers", books.page(quiet)).unchanged == 1
    assert books.rows("SELECT raw_hash, content_hash FROM landing") == before


def test_what_changes_while_it_waits_is_mapped_once_as_it_is_last(books: Books) -> None:
    books.land("customers", books.page(sent(ANN)))
    assert books.land("customers", books.page(sent(ANN | {"name": "Anna"}))).changed == 1
    assert books.map("customers").mapped == 1
    assert books.rows("SELECT given_name FROM profile") == [("Anna",)]


def test_of_a_repeated_key_the_last_wins_and_counts_once(books: Books) -> None:
    pages = [books.page(sent(ANN, ANN | {"name": "Anna"})), books.page(sent(ANN | {"name": "Anne"}, {"id": "bob"}))]
    assert books.land("customers", *pages) == Landed(pulled=4, changed=2, unchanged=2)
    assert [json.loads(data).get("name") for _, data in books.waiting("customers")] == ["Anne", None]


def test_a_record_without_a_key_lands_under_its_hash(books: Books) -> None:
    keyless = {"name": "Nobody"}
    assert books.land("customers", books.page(sent(keyless, keyless))).changed == 1
    [(key, *_)] = books.rows(LANDING)
    assert key.startswith("#")
    assert len(key) == 33
    assert books.land("customers", books.page(sent(keyless))).changed == 0


def test_page_and_cursor_are_committed_together(books: Books) -> None:
    books.land("customers", books.page(sent(ANN), {"at": 1}))

    def interrupted() -> None:
        with books.store.write() as connection:
            page = books.page(sent({"id": "bob"}), {"at": 2})
            land(connection, 1, "books", "customers", [page], books.compiled("customers"), 2)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupted()
    with books.store.read() as connection:
        assert stream_cursor(connection, "books", "customers") == {"at": 1}
    assert [key for key, *_ in books.rows(LANDING)] == ["ann"]
    books.land("customers", books.page(sent({"id": "bob"}), {"at": 2, "since": "2026-01-01"}))
    with books.store.read() as connection:
        assert stream_cursor(connection, "books", "customers") == {"at": 2, "since": "2026-01-01"}
    assert [key for key, *_ in books.rows(LANDING)] == ["ann", "bob"]


def test_of_pages_that_land_together_the_last_cursor_counts(books: Books) -> None:
    books.land("customers", books.page(sent(ANN), {"at": 1}), books.page(sent({"id": "bob"}), {"at": 2}))
    with books.store.read() as connection:
        assert stream_cursor(connection, "books", "customers") == {"at": 2}


def test_a_stream_that_never_landed_has_no_cursor(books: Books) -> None:
    with books.store.read() as connection:
        assert stream_cursor(connection, "books", "customers") is None


def test_the_run_counts_what_came(books: Books) -> None:
    pages = [books.page(sent(ANN)), books.page(sent({"id": "bob"}, ANN))]
    books.land("customers", *pages)
    counted = books.rows("SELECT pages, pulled, changed, unchanged FROM stream_run")
    assert counted == [(2, 3, 2, 1)]
    books.land("customers", books.page(sent(ANN, {"id": "eve"})))
    assert books.rows("SELECT record_count FROM stream_state") == [(3,)]


def test_the_same_key_in_two_streams_is_two_records(books: Books) -> None:
    books.land("customers", books.page(sent(ANN)))
    books.land("invoices", books.page(sent({"id": "ann"})))
    assert [key for key, *_ in books.rows(LANDING)] == ["ann", "ann"]
    assert len(books.waiting("customers")) == 1


def test_pending_gives_the_oldest_first_and_no_more_than_asked(books: Books) -> None:
    books.land("customers", books.page(sent(*({"id": str(n)} for n in range(5)))))
    with books.store.read() as connection:
        some = pending(connection, "books", "customers", 3)
    assert [json.loads(data)["id"] for _, data in some] == ["0", "1", "2"]
    assert [no for no, _ in some] == [1, 2, 3]


def test_what_was_erased_does_not_land_again(books: Books) -> None:
    with books.store.write() as connection:
        digest = tombstone_digest(erasure_salt(connection), "books", "customers", "ann")
        connection.execute(insert(tombstone).values(digest=digest, what="RECORD", at=1))
    landed = books.land("customers", books.page(sent(ANN, {"id": "bob"})))
    assert landed == Landed(pulled=2, changed=1, unchanged=1)
    assert [key for key, *_ in books.rows(LANDING)] == ["bob"]


def test_the_salt_is_made_once(books: Books) -> None:
    with books.store.write() as connection:
        first = erasure_salt(connection)
    with books.store.write() as connection:
        assert erasure_salt(connection) == first
    assert len(first) >= 32


def test_a_tombstone_tells_its_parts_apart() -> None:
    assert tombstone_digest("salt", "ab", "c") != tombstone_digest("salt", "a", "bc")
    assert tombstone_digest("salt", "ab", "c") != tombstone_digest("other", "ab", "c")


def test_a_payload_that_becomes_unreadable_is_changed(books: Books) -> None:
    books.send("customers", ANN)
    page = books.page(sent(ANN))
    broken = type(page.records[0])(key="ann", payload=b"{not json")
    assert books.land("customers", type(page)([broken], {}, True)).changed == 1
