"""The views in the database: described, made once, made anew when they change, and kind to who built on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.export import views
from hub.export.column import As, Column, View
from hub.export.views import VIEWS, create_views, views_fit
from hub.store.engine import Store
from hub.store.errors import UnusableError

GUIDE = Path(__file__).parents[3] / "docs" / "bi.md"
ABOUT = """
    SELECT COALESCE(a.attname, ''), d.description FROM pg_description d
    JOIN pg_class c ON c.oid = d.objoid AND c.relkind = 'v'
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
    WHERE c.relname = :view
"""


@pytest.mark.parametrize("view", VIEWS)
def test_the_guide_describes_every_column_as_the_database_does(view: str) -> None:
    _, _, section = GUIDE.read_text(encoding="utf-8").partition(f"### {view}\n")
    listed = [line for line in section.partition("\n### ")[0].splitlines() if line.startswith("| `")]
    assert section.strip().startswith(VIEWS[view].about)
    assert listed == [f"| `{name}` | {column.as_} | {column.about} |" for name, column in VIEWS[view].columns.items()]


@pytest.mark.parametrize("view", VIEWS)
def test_postgresql_carries_the_descriptions(new_store: Callable[[str], Store], view: str) -> None:
    store = new_store("postgresql")
    with store.write() as connection:
        create_views(connection, "EUR")
    with store.read() as connection:
        said: dict[str, str] = dict(connection.execute(text(ABOUT), {"view": view}).all())
    assert said == {"": VIEWS[view].about} | {name: column.about for name, column in VIEWS[view].columns.items()}


def test_postgresql_has_instants_and_exact_numbers_of_its_own(new_store: Callable[[str], Store]) -> None:
    store = new_store("postgresql")
    with store.write() as connection:
        create_views(connection, "EUR")
    kinds = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_name LIKE 'bi_%'"
    with store.read() as connection:
        found = {(view, name): kind for view, name, kind in connection.execute(text(kinds))}
    typed = {As.INSTANT: "timestamp with time zone", As.MONEY: "numeric", As.RATIO: "numeric", As.FLAG: "boolean"}
    expected = {
        (view, name): typed[column.as_]
        for view, said in VIEWS.items()
        for name, column in said.columns.items()
        if column.as_ in typed
    }
    assert {place: found[place] for place in expected} == expected


def test_views_are_made_once(store: Store) -> None:
    with store.write() as connection:
        assert not views_fit(connection, "EUR")
        create_views(connection, "EUR")
    with store.read() as connection:  # it cannot write: nothing is made where all fits
        assert views_fit(connection, "EUR")
        create_views(connection, "EUR")


def test_another_reporting_currency_shows_at_once(company: Store) -> None:
    def revenue(connection_store: Store) -> list[tuple[str, str]]:
        with connection_store.read() as connection:
            sql = "SELECT currency, coverage FROM bi_customers WHERE customer_id = 'cus_ada'"
            return [(row.currency, str(row.coverage)) for row in connection.execute(text(sql))]

    assert revenue(company) == [("EUR", "0.857142")]
    with company.write() as connection:
        create_views(connection, "USD")
    assert revenue(company) == [("USD", "0.000001")]


def _with_column(name: str, column: Column) -> dict[str, View]:
    old = VIEWS["bi_customers"]
    return VIEWS | {"bi_customers": replace(old, columns={**old.columns, name: column})}


def test_a_further_column_leaves_grants_and_what_stands_on_the_view(
    new_store: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_store("postgresql")
    with store.write() as connection:
        create_views(connection, "EUR")
        connection.execute(text("CREATE VIEW ours AS SELECT customer_id FROM bi_customers"))
        connection.execute(text("GRANT SELECT ON bi_customers TO PUBLIC"))
    monkeypatch.setattr(views, "VIEWS", _with_column("further", Column("More.", "c.minted_at", As.INSTANT)))
    with store.write() as connection:
        create_views(connection, "EUR")
    with store.read() as connection:
        assert connection.execute(text("SELECT COUNT(further) FROM bi_customers")).scalar() == 0
        assert connection.execute(text("SELECT COUNT(*) FROM ours")).scalar() == 0
        granted = "SELECT COUNT(*) FROM information_schema.role_table_grants WHERE grantee = 'PUBLIC'"
        assert connection.execute(text(f"{granted} AND table_name = 'bi_customers'")).scalar() == 1


def test_a_column_of_another_type_makes_the_view_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.write() as connection:
        create_views(connection, "EUR")
    monkeypatch.setattr(views, "VIEWS", _with_column("kind", Column("As a number.", "c.customer_no")))
    with store.write() as connection:
        create_views(connection, "EUR")
        assert connection.execute(text("SELECT SUM(kind) FROM bi_customers")).scalar() is None


def test_a_view_that_others_stand_on_and_must_go_is_refused_in_one_line(
    new_store: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_store("postgresql")
    with store.write() as connection:
        create_views(connection, "EUR")
        connection.execute(text("CREATE VIEW ours AS SELECT kind FROM bi_customers"))
    monkeypatch.setattr(views, "VIEWS", _with_column("kind", Column("As a number.", "c.customer_no")))
    with pytest.raises(UnusableError) as told, store.write() as connection:
        create_views(connection, "EUR")
    line = str(told.value)
    assert "\n" not in line
    assert [words for words in ("bi_customers", "view ours depends", "hub migrate") if words not in line] == []
