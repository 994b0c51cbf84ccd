from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from hub.store.engine import Store
from hub.store.errors import DiskFullError
from hub.store.plain import rows, run, run_each

_PUT = "INSERT INTO hub_meta (name, value) VALUES (?, ?)"
_AMONG = "SELECT m.name, m.value FROM LISTED CROSS JOIN hub_meta m WHERE m.name = a.value AND m.value <> ?"


def test_lists_go_where_listed_stands_and_values_where_a_mark_stands(store: Store) -> None:
    with store.write() as connection:
        changed = [run(connection, _PUT, f"plain {n}", str(n)) for n in range(4)]
        found = rows(connection, _AMONG, ["plain 0", "plain 2", "plain 3", "o'other"], "3", kind="TEXT")
    assert changed == [1, 1, 1, 1]
    assert sorted(found) == [("plain 0", "0"), ("plain 2", "2")]


def test_an_empty_list_finds_nothing(store: Store) -> None:
    with store.write() as connection:
        assert rows(connection, _AMONG, [], "", kind="TEXT") == []


def test_how_many_rows_a_statement_changed_is_told(store: Store) -> None:
    with store.write() as connection:
        for n in range(3):
            run(connection, _PUT, f"plain {n}", "")
        pending = "UPDATE profile_ledger SET pending = TRUE WHERE profile_no IN (SELECT a.value FROM LISTED)"
        assert run(connection, pending, [1, 2, 3]) == 0
        assert run(connection, "DELETE FROM hub_meta WHERE name > ? AND name < ?", "plain 0", "plain 9") == 2


def test_a_full_disk_is_one_line_without_the_values(new_store: Callable[[str], Store]) -> None:
    store = new_store("sqlite")
    with store.write() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages + 10}"))
    with pytest.raises(DiskFullError, match="the disk is full") as caught, store.write() as connection:
        run_each(connection, _PUT, [("plain", "secret" * 100_000)])
    assert "secret" not in str(caught.value)
    with store.read() as connection:
        assert rows(connection, "SELECT name FROM hub_meta WHERE name = ?", "plain") == []
