from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from hub.store.landing import pending
from hub.store.ledger import organizations_of
from hub.store.read import forget_derivable
from hub.store.write import Written, write_mapped
from mappings.model import ENTITIES

if TYPE_CHECKING:
    from hub.store.engine import Store
    from tests.hub.store.conftest import Books

EDGE = 10**17
LEDGER = "SELECT stream, key, profile_no, pending FROM profile_ledger ORDER BY profile_no"
MONEY = "SELECT fact_no, landing_no, amount, profile_no, stale FROM money_entry ORDER BY fact_no"


def test_an_invoice_before_its_customer_gets_the_number_that_the_customer_keeps(books: Books) -> None:
    books.send("invoices", books.invoice("in_1", "ann", 500))
    assert books.rows(LEDGER) == [("customers", "ann", 1, True)]
    books.send("customers", books.customer("bob"), books.customer("ann"))
    assert books.rows(LEDGER) == [("customers", "ann", 1, True), ("customers", "bob", 2, True)]
    assert books.rows("SELECT profile_no, given_name FROM profile ORDER BY 1") == [(1, "Name ann"), (2, "Name bob")]


def test_facts_are_numbered_by_record_and_item(books: Books) -> None:
    books.send("invoices", books.invoice("in_1", "ann", 500, 250), books.invoice("in_2", "ann", 100))
    numbers = [(fact_no >> 16, fact_no & 65_535, landing_no) for fact_no, landing_no, *_ in books.rows(MONEY)]
    assert numbers == [(1, 0, 1), (1, 1, 1), (2, 0, 2)]


def test_a_changed_record_replaces_all_its_rows(books: Books) -> None:
    books.send("invoices", books.invoice("in_1", "ann", 500, 250), books.invoice("in_2", "ann", 100))
    books.send("invoices", books.invoice("in_1", "ann", 300))
    assert [(landing_no, amount) for _, landing_no, amount, *_ in books.rows(MONEY)] == [(1, 300_000), (2, 100_000)]
    assert books.rows("SELECT amount FROM control ORDER BY landing_no") == [(300_000,), (100_000,)]


def test_money_of_nobody_is_kept_without_an_owner(books: Books) -> None:
    nobody = books.invoice("in_1", "ann", 500)
    del nobody["customer"]
    books.send("invoices", nobody)
    assert books.rows("SELECT profile_no, customer_no, amount FROM money_entry") == [(None, None, 500_000)]


def test_a_record_that_cannot_be_mapped_is_a_dead_letter_and_its_money_is_still_controlled(books: Books) -> None:
    books.send("invoices", books.invoice("in_1", "ann", 500, date="soon"), books.invoice("in_2", "ann", 100), as_of=7)
    [(landing_no, path, reason, first, last)] = books.rows(
        "SELECT landing_no, path, reason, first_seen_at, last_seen_at FROM dead_letter"
    )
    assert (landing_no, path, first, last) == (1, "$.date", 7, 7)
    assert "soon" not in reason
    assert books.rows("SELECT state FROM landing ORDER BY landing_no") == [(2,), (1,)]
    assert books.rows("SELECT landing_no, amount FROM control ORDER BY 1") == [(1, 500_000), (2, 100_000)]
    assert [row[1] for row in books.rows(MONEY)] == [2]
    assert books.rows("SELECT failed FROM stream_run") == [(1,)]


def test_a_record_without_its_key_is_a_dead_letter_that_names_the_path(books: Books) -> None:
    nameless = books.customer("ann")
    del nameless["id"]
    books.send("customers", nameless, books.customer("bob"))
    assert books.rows("SELECT path FROM dead_letter") == [("$.id",)]
    assert books.rows("SELECT given_name FROM profile") == [("Name bob",)]


def test_a_failed_update_keeps_what_was_said_before_and_marks_it_stale(books: Books) -> None:
    books.send("invoices", books.invoice("in_1", "ann", 500), as_of=1)
    books.send("invoices", books.invoice("in_1", "ann", 900, date="soon"), as_of=2)
    assert [(amount, bool(stale)) for _, _, amount, _, stale in books.rows(MONEY)] == [(500_000, True)]
    assert books.rows("SELECT first_seen_at, last_seen_at FROM dead_letter") == [(2, 2)]
    books.send("invoices", books.invoice("in_1", "ann", 900, date="later"), as_of=3)
    assert books.rows("SELECT first_seen_at, last_seen_at FROM dead_letter") == [(2, 3)]
    books.send("invoices", books.invoice("in_1", "ann", 900), as_of=4)
    assert [(amount, bool(stale)) for _, _, amount, _, stale in books.rows(MONEY)] == [(900_000, False)]
    assert books.rows("SELECT COUNT(*) FROM dead_letter") == [(0,)]


def test_a_dead_letter_is_mapped_again_when_the_mapping_changes(books: Books) -> None:
    books.remap("invoices")
    books.send("invoices", books.invoice("in_1", "ann", 500, date="2026-01-01"), as_of=1)
    assert books.map("invoices") == Written(0, 0), "nothing waits while nothing changed"
    for block in ("interaction", "money_entry"):
        path = books.system["streams"]["invoices"][block]["at"]["path"]
        books.system["streams"]["invoices"][block]["at"] = path
    assert books.remap("invoices") == 1
    assert books.map("invoices", as_of=2) == Written(1, 0)
    assert books.rows("SELECT COUNT(*) FROM dead_letter") == [(0,)]
    assert books.rows("SELECT amount FROM money_entry") == [(500_000,)]
    assert books.remap("invoices") == 0


def test_a_remap_of_everything_gives_the_same_rows_and_numbers(books: Books) -> None:
    def everything() -> list[Any]:
        tables = ("profile", "contact_point", "interaction", "money_entry", "control")
        return [books.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]  # noqa: S608

    books.send("invoices", books.invoice("in_1", "zoe", 500), books.invoice("in_2", "ann", 100, 7))
    books.send("customers", books.customer("ann"), books.customer("zoe"))
    books.run("UPDATE profile_ledger SET pending = false")
    before, ledger = everything(), books.rows("SELECT profile_no, key FROM profile_ledger ORDER BY 1")
    with books.store.write() as connection:
        forget_derivable(connection, [("books", "customers"), ("books", "invoices")])
    assert books.map("customers").mapped == 2
    assert books.map("invoices").mapped == 2
    assert everything() == before
    assert books.rows("SELECT profile_no, key FROM profile_ledger ORDER BY 1") == ledger
    assert books.rows("SELECT COUNT(*) FROM profile_ledger WHERE pending") == [(2,)]


# who is to be resolved and derived -----------------------------------------------------------------------------------
def settled(books: Books) -> None:
    """As after a resolve: Ann is customer 1, Bob 2, Acme 3; Ann works at Acme. Nobody is pending or dirty."""
    books.send("customers", books.customer("ann"), books.customer("bob"), books.customer("acme"))
    for number, kind in ((1, "PERSON"), (2, "PERSON"), (3, "ORGANIZATION")):
        new = "INSERT INTO customer_ledger (public_id, kind, minted_at) VALUES (:id, :kind, 1)"
        books.run(new, id=f"cus_{number}", kind=kind)
        books.run("INSERT INTO customer (customer_no, dirty) VALUES (:no, false)", no=number)
    books.run("UPDATE profile_ledger SET pending = false, customer_no = profile_no")
    books.run("INSERT INTO member (organization_no, person_no) VALUES (3, 1)")


def dirty(books: Books) -> list[int]:
    return [no for (no,) in books.rows("SELECT customer_no FROM customer WHERE dirty ORDER BY 1")]


def waiting(books: Books) -> list[str]:
    return [key for (key,) in books.rows("SELECT key FROM profile_ledger WHERE pending ORDER BY 1")]


def test_facts_carry_their_customer_and_its_organization(books: Books) -> None:
    settled(books)
    books.send("invoices", *(books.invoice(f"in_{who}", who, 5) for who in ("ann", "bob", "acme", "eve")))
    owners = books.rows("SELECT profile_no, customer_no, organization_no FROM money_entry ORDER BY fact_no")
    assert owners == [(1, 1, 3), (2, 2, None), (3, 3, 3), (4, None, None)]
    assert dirty(books) == [1, 2, 3]
    assert waiting(books) == ["eve"]


def test_a_members_fact_makes_the_organization_dirty_as_well(books: Books) -> None:
    settled(books)
    books.send("invoices", books.invoice("in_1", "ann", 5))
    assert dirty(books) == [1, 3]


def test_a_fact_that_moves_makes_both_owners_dirty(books: Books) -> None:
    settled(books)
    books.send("invoices", books.invoice("in_1", "bob", 5))
    books.run("UPDATE customer SET dirty = false")
    books.send("invoices", books.invoice("in_1", "acme", 5))
    assert dirty(books) == [2, 3]


def test_what_did_not_change_makes_nobody_dirty(books: Books) -> None:
    settled(books)
    books.send("invoices", books.invoice("in_1", "bob", 5))
    books.run("UPDATE customer SET dirty = false")
    books.send("invoices", books.invoice("in_1", "bob", 5))
    assert dirty(books) == []


SAYS = {
    "another e-mail": ({"email": "new@mail.example"}, ["ann"]),
    "another name": ({"name": "Anna"}, ["ann"]),
    "nothing that the mapping reads": ({"shoe_size": 38}, []),
}


@pytest.mark.parametrize(("more", "expected"), SAYS.values(), ids=SAYS.keys())
def test_a_profile_is_resolved_again_where_it_says_something_else_of_itself(
    books: Books, more: dict[str, Any], expected: list[str]
) -> None:
    settled(books)
    books.send("customers", books.customer("ann", **more))
    assert waiting(books) == expected


def test_a_profile_that_was_only_referred_to_is_resolved_when_its_record_comes(books: Books) -> None:
    books.send("invoices", books.invoice("in_1", "ann", 5))
    books.run("UPDATE profile_ledger SET pending = false")
    books.send("customers", books.customer("ann"))
    assert waiting(books) == ["ann"]


MEMBERSHIPS = {
    "one employer": ([(3, None)], 3),
    "none": ([], None),
    "two employers": ([(3, None), (4, None)], None),
    "one of two has ended": ([(3, 10), (4, None)], 4),
    "ends later": ([(3, 11)], 3),
    "ends now": ([(3, 10)], None),
}


@pytest.mark.parametrize(("rows", "expected"), MEMBERSHIPS.values(), ids=MEMBERSHIPS.keys())
def test_a_person_counts_for_its_only_current_organization(
    books: Books, rows: list[tuple[int, int | None]], expected: int | None
) -> None:
    for organization_no, until in rows:
        books.run("INSERT INTO member VALUES (:no, 1, NULL, NULL, :until)", no=organization_no, until=until)
    with books.store.read() as connection:
        assert organizations_of(connection, [1], as_of=10).get(1) == expected


# edges ---------------------------------------------------------------------------------------------------------------
@dataclass
class Meaning:
    rows: dict[str, list[tuple[Any, ...]]]
    controls: list[tuple[int, int, str, int]] = field(default_factory=list)
    problems: list[tuple[int, str, str]] = field(default_factory=list)
    version: str = "1"


def money(landing_no: int, item: int, amount: int) -> tuple[Any, ...]:
    said = {"profile": ("customers", "ann"), "at": 1, "kind": "REVENUE", "basis": "ACTUAL"}
    said |= {"amount": amount, "currency": "IDR"}
    return (landing_no, item, *(said.get(name) for name in ENTITIES["money_entry"].fields))


def write(books: Books, meaning: Meaning) -> Written:
    with books.store.write() as connection:
        records = [(no, b"hash") for no, _ in pending(connection, "books", "invoices", 10)]
        return write_mapped(connection, "books", "invoices", meaning, records, meaning, 1)


@pytest.mark.parametrize("amount", [EDGE, -EDGE, 0], ids=["the most", "the least", "nothing"])
def test_the_largest_amounts_are_kept_exactly(books: Books, amount: int) -> None:
    books.land("invoices", books.page([b'{"id": "in_1"}']))
    write(books, Meaning({"money_entry": [money(1, 0, amount)]}, [(1, 0, "IDR", amount)]))
    [(held,)] = books.rows("SELECT amount FROM money_entry")
    assert (held, type(held)) == (amount, int)
    assert books.rows("SELECT amount FROM control") == [(amount,)]


def test_a_record_of_too_many_rows_is_a_dead_letter(books: Books) -> None:
    books.land("invoices", books.page([b'{"id": "in_1"}', b'{"id": "in_2"}']))
    meaning = Meaning({"money_entry": [money(1, 0, 5), money(1, 65_536, 5), money(2, 65_535, 5)]})
    assert write(books, meaning) == Written(1, 1)
    assert [row[1] for row in books.rows(MONEY)] == [2]
    assert books.rows("SELECT landing_no, reason FROM dead_letter") == [(1, "yields more than 65536 rows of one kind")]


def test_both_databases_hold_the_same_rows(
    new_store: Callable[[str], Store], books_in: Callable[[Store], Books]
) -> None:
    held = []
    for dialect in ("sqlite", "postgresql"):
        books = books_in(new_store(dialect))
        settled(books)
        books.send("invoices", books.invoice("in_1", "eve", 500, 3), books.invoice("in_2", "Ünal 🙂", EDGE // 1000))
        books.send("invoices", books.invoice("in_1", "bob", 500, date="soon"))
        tables = ("profile", "contact_point", "interaction", "money_entry", "control", "dead_letter", "profile_ledger")
        held.append([books.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables])  # noqa: S608
    assert held[0] == held[1]
