"""What a remap would change is said before it does, and that is what it then changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.quality import foresee as ahead
from hub.quality.foresee import Foreseen, Foresight, RowChange, foresee
from hub.store.engine import Store
from hub.store.gone import mark_gone
from hub.store.mapped import MAPPED
from hub.sync import remap
from mappings.rulebook import Rulebook
from tests.hub.shop import Shop, buyer, many, order

EVERYTHING = (*MAPPED, "control", "customer", "dead_letter", "landing", "profile_ledger", "stream_state", "sync_run")


@pytest.fixture
def shop(store: Store, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Ten buyers with an order each; two orders cannot be mapped, of which one once could."""
    monkeypatch.setattr(ahead, "RECORDS_A_CHUNK", 4)
    shop = Shop(store, rulebook)
    shop.send("buyers", *many(buyer, range(10)))
    shop.sync("orders", *many(order, range(9), 100, 50), order(9, 70, kind="gift"))
    shop.sync("orders", order(8, 60, kind="gift"))
    return shop


def stored(shop: Shop) -> dict[str, list[tuple[Any, ...]]]:
    return {table: sorted(shop.rows(f'SELECT * FROM "{table}"'), key=repr) for table in EVERYTHING}  # noqa: S608


def money(shop: Shop) -> dict[tuple[str, str], int]:
    rows = shop.rows("SELECT kind, currency, SUM(amount) FROM money_entry GROUP BY kind, currency")
    return {(kind, currency): int(amount) for kind, currency, amount in rows}


def counted(shop: Shop, entity: str) -> int:
    return int(shop.rows(f"SELECT COUNT(*) FROM \"{entity}\" WHERE stream = 'orders'")[0][0])  # noqa: S608


def gifts_are_sales(orders: dict[str, Any]) -> None:
    orders["money_entry"]["kind"]["table"]["gift"] = "REVENUE"


def sales_are_taxes(orders: dict[str, Any]) -> None:
    orders["money_entry"]["kind"]["table"]["sale"] = "TAX"


def only_dear_ones(orders: dict[str, Any]) -> None:
    orders["money_entry"]["when"] = {"price": {"at_least": 60}}


def nothing_is_known(orders: dict[str, Any]) -> None:
    orders["money_entry"]["kind"]["table"] = {"x": "REVENUE"}


def invoices_too(orders: dict[str, Any]) -> None:
    orders["order"] = {"number": "id", "placed_at": {"path": "date", "convert": "epoch_s"}, "status": "OPEN"}


def nobody_owns_them(orders: dict[str, Any]) -> None:
    orders["belongs_to"] = {"stream": "buyers", "key": "owner"}


CHANGES = (gifts_are_sales, sales_are_taxes, only_dear_ones, nothing_is_known, invoices_too, nobody_owns_them)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_is_foreseen_is_what_a_remap_does(shop: Shop, change: Callable[[dict[str, Any]], None]) -> None:
    change(shop.streams["orders"])
    before, was = money(shop), {entity: counted(shop, entity) for entity in MAPPED}
    (one,) = foresee(shop.hub()).streams
    remap(shop.hub(), shop.as_of)
    after = money(shop)
    assert {kind: tuple(sums) for kind, sums in one.money.items()} == {
        kind: (before.get(kind, 0), after.get(kind, 0)) for kind in before.keys() | after.keys()
    }
    assert {entity: (rows.before, rows.after) for entity, rows in one.rows.items()} == {
        entity: (was[entity], counted(shop, entity)) for entity in MAPPED if was[entity] or counted(shop, entity)
    }
    assert [(one.dead_after,)] == shop.rows("SELECT COUNT(*) FROM dead_letter")
    assert foresee(shop.hub()).streams == []


def foreseen(shop: Shop) -> tuple[Foresight, Foreseen]:
    found = foresee(shop.hub())
    (one,) = found.streams
    return found, one


def test_it_says_what_heals_and_whom_it_touches(shop: Shop) -> None:
    gifts_are_sales(shop.streams["orders"])
    found, one = foreseen(shop)
    assert (one.source, one.stream, one.records, one.dead_before, one.dead_after) == ("shop", "orders", 10, 2, 0)
    assert one.rows["money_entry"] == RowChange(18, 18, added=1, removed=1, changed=1)
    assert one.rows["interaction"] == RowChange(9, 10, added=1)
    assert one.money == {("REVENUE", "EUR"): [1_350_000, 1_330_000]}
    assert (len(found.profiles), len(found.customers)) == (0, 2)
    assert found.same == ["shop.buyers"]


def test_it_says_what_would_fail_and_why(shop: Shop) -> None:
    nothing_is_known(shop.streams["orders"])
    _, one = foreseen(shop)
    assert (one.dead_before, one.dead_after) == (2, 10)
    assert one.reasons == {("$.lines[*].kind", "a word that the table lacks"): 10}
    assert one.rows["money_entry"] == RowChange(18, 18), "what fails keeps what it said before"


def test_a_remap_by_a_mapping_that_fits_nothing_takes_nothing_out_of_the_graph(shop: Shop) -> None:
    before = money(shop)
    nothing_is_known(shop.streams["orders"])
    remap(shop.hub(), shop.as_of)
    assert money(shop) == before
    assert shop.rows("SELECT DISTINCT stale FROM money_entry WHERE stream = 'orders'") == [(True,)]
    assert shop.rows("SELECT COUNT(*) FROM dead_letter") == [(10,)]


def test_it_says_whose_identity_is_looked_at_again(shop: Shop) -> None:
    shop.streams["buyers"]["profile"]["given_name"] = "name.family"
    found, one = foreseen(shop)
    assert one.rows["profile"] == RowChange(10, 10, changed=10)
    assert one.rows["contact_point"] == RowChange(10, 10)
    assert (len(found.profiles), len(found.customers)) == (10, 10)


def test_the_same_meaning_said_otherwise_changes_no_row(shop: Shop) -> None:
    shop.streams["buyers"]["profile"]["given_name"] = {"first": ["name.given"]}
    found, one = foreseen(shop)
    assert {(rows.added, rows.removed, rows.changed) for rows in one.rows.values()} == {(0, 0, 0)}
    assert (found.profiles, found.customers) == (set(), set())


def test_what_is_gone_means_nothing_before_and_after(shop: Shop) -> None:
    with shop.store.write() as connection:
        mark_gone(connection, "shop", "orders", ["o0"], shop.as_of)
    shop.follow()
    sales_are_taxes(shop.streams["orders"])
    _, one = foreseen(shop)
    assert one.rows["interaction"] == RowChange(8, 8)


def test_what_is_kept_no_longer_stays_as_it_was_mapped(shop: Shop) -> None:
    with shop.store.write() as connection:
        connection.exec_driver_sql("UPDATE landing SET payload = '' WHERE key = 'o0'")
    sales_are_taxes(shop.streams["orders"])
    _, one = foreseen(shop)
    assert (one.records, one.kept) == (9, 1)
    assert one.rows["interaction"] == RowChange(8, 8)


def test_a_stream_that_nothing_maps_now_is_said(shop: Shop) -> None:
    del shop.streams["orders"]
    assert foresee(shop.hub()).lost == ["shop.orders"]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_looking_ahead_changes_nothing(shop: Shop, change: Callable[[dict[str, Any]], None]) -> None:
    change(shop.streams["orders"])
    before = stored(shop)
    foresee(shop.hub())
    assert stored(shop) == before


def test_progress_ends_with_nothing_left(shop: Shop) -> None:
    told: list[tuple[str, str, int, int | None]] = []
    sales_are_taxes(shop.streams["orders"])
    hub = shop.hub()
    foresee(type(hub)(hub.store, hub.rulebook, hub.sources, lambda *said: told.append(said)))
    assert told == [
        ("foresee", "shop.orders", 4, 6),
        ("foresee", "shop.orders", 4, 2),
        ("foresee", "shop.orders", 2, 0),
    ]
