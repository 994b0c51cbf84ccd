from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest
from sqlalchemy import select

from hub.store.bulk import among, insert_missing, insert_rows, update_rows
from hub.store.engine import Store
from hub.store.errors import StoreError
from hub.store.kept import hub_meta, landing, residual_money
from hub.store.mapped import MAPPED

NAMES = ("source", "stream", "kind", "currency", "amount", "at")


def held(store: Store, *columns: Any) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(columns[0]))]


@pytest.mark.parametrize("text", ["tab\tnew\nline", "back\\slash \\N", "ünï 🙂", "", '"quoted", {}'], ids=repr)
def test_rows_come_back_as_they_went_in(store: Store, text: str) -> None:
    with store.write() as connection:
        insert_rows(connection, residual_money, NAMES, ((text, "s", "REVENUE", "EUR", n, -n) for n in (1, 10**17)))
    c = residual_money.c
    assert held(store, c.residual_no, c.source, c.amount, c.at) == [(1, text, 1, -1), (2, text, 10**17, -(10**17))]


def test_tables_whose_name_is_a_word_of_sql_can_be_written(store: Store) -> None:
    order = MAPPED["order"]
    with store.write() as connection:
        columns = ("fact_no", "landing_no", "source", "stream", "stale", "status", "placed_at")
        insert_rows(connection, order, columns, [(1, 1, "a", "b", False, "PLACED", 1)])
        update_rows(connection, order, "fact_no", ("stale", "number"), [(1, True, "A-1")])
    assert held(store, order.c.fact_no, order.c.stale, order.c.number) == [(1, True, "A-1")]


def test_an_update_changes_the_named_rows_only(store: Store) -> None:
    columns = ("source", "stream", "key", "payload", "raw_hash", "first_seen_at", "changed_at", "state")
    rows = [("a", "b", str(n), b"x", b"h", 1, 1, 0) for n in range(4)]
    with store.write() as connection:
        insert_rows(connection, landing, columns, rows)
        update_rows(
            connection, landing, "landing_no", ("payload", "content_hash"), [(2, b"\x00y", b"c"), (4, b"z", None)]
        )
    c = landing.c
    assert held(store, c.landing_no, c.payload, c.content_hash) == [
        (1, b"x", None),
        (2, b"\x00y", b"c"),
        (3, b"x", None),
        (4, b"z", None),
    ]


def test_what_is_there_already_is_left_alone(store: Store) -> None:
    with store.write() as connection:
        insert_missing(connection, hub_meta, [{"name": "a", "value": "1"}])
        insert_missing(connection, hub_meta, [{"name": "a", "value": "2"}, {"name": "b", "value": "2"}])
    assert held(store, hub_meta.c.name, hub_meta.c.value) == [("a", "1"), ("b", "2")]


LISTS: dict[str, tuple[Collection[Any], list[str]]] = {
    "none": ([], []),
    "some": (["a", "é🙂", "x"], ["a", "é🙂"]),
    "very many": ([*map(str, range(40_000)), "b'\"\\"], ["b'\"\\"]),
    "a set": ({"a"}, ["a"]),
    "keys of a mapping": ({"a": 1, "é🙂": 2}.keys(), ["a", "é🙂"]),
}


@pytest.mark.parametrize(("values", "expected"), LISTS.values(), ids=LISTS.keys())
def test_among_finds_exactly_what_is_listed(store: Store, values: Collection[Any], expected: list[str]) -> None:
    with store.write() as connection:
        insert_missing(connection, hub_meta, [{"name": name, "value": ""} for name in ("a", "b'\"\\", "é🙂")])
        found = connection.execute(select(hub_meta.c.name).where(among(connection, hub_meta.c.name, values)))
        assert sorted(found.scalars()) == sorted(expected)


def test_rows_that_are_refused_are_never_quoted(new_store: Callable[[str], Store]) -> None:
    store = new_store("postgresql")
    refused = "table residual_money: rows were refused: null value in column"
    with pytest.raises(StoreError, match=refused) as caught, store.write() as connection:
        insert_rows(connection, residual_money, NAMES, [("secret", None, "REVENUE", "EUR", 1, 1)])
    assert "secret" not in str(caught.value)
