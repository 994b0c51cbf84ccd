"""A stream of which more cannot be mapped than its `max_bad` bears: its mapping stops, the rest waits."""

from __future__ import annotations

from typing import Any

import pytest

from hub.intake import mapping as write_path
from hub.store.engine import Store
from hub.sync import remap
from mappings.rulebook import Rulebook
from tests.hub.shop import Shop, buyer, many, order

STATES = "SELECT state, COUNT(*) FROM landing WHERE stream = 'orders' GROUP BY state ORDER BY state"


@pytest.fixture
def shop(store: Store, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(write_path, "RECORDS_A_CHUNK", 60)
    shop = Shop(store, rulebook)
    shop.streams["orders"]["max_bad"] = 0.25
    return shop


def orders(good: int, bad: int, start: int = 0) -> list[dict[str, Any]]:
    """So many good and bad ones, well mixed."""
    made = many(order, range(start, start + good), 100)
    made += many(order, range(start + good, start + good + bad), 100, 50, kind="gift")
    return sorted(made, key=lambda record: hash(record["date"]) % 7)


def test_a_stream_with_too_many_bad_records_stops(shop: Shop) -> None:
    shop.send("buyers", *many(buyer, range(5)))
    report = shop.sync("orders", *orders(100, 100))
    assert report.status == "PARTIAL"
    line = report.errors["shop.orders"]
    assert "of 60 records cannot be mapped (max_bad is 0.25)" in line
    assert "at `$.lines[*].kind`: a word that the table lacks; 140 wait" in line
    assert "`hub dead-letters list shop.orders`" in line
    assert "`hub remap --dry-run`" in line
    assert dict(shop.rows(STATES))[0] == 140
    assert shop.rows("SELECT COUNT(*) FROM profile") == [(5,)]
    assert shop.rows("SELECT status FROM stream_run WHERE stream = 'orders'") == [("FAILED",)]


def test_a_later_sync_tries_again_from_there(shop: Shop) -> None:
    shop.sync("orders", *orders(100, 100))
    report = shop.follow()
    assert "80 wait" in report.errors["shop.orders"]
    assert dict(shop.rows(STATES))[0] == 80


def test_a_mended_mapping_heals_all(shop: Shop) -> None:
    shop.sync("orders", *orders(100, 100))
    shop.streams["orders"]["money_entry"]["kind"]["table"]["gift"] = "REVENUE"
    assert shop.follow().status == "OK"
    assert shop.rows(STATES) == [(1, 200)]
    assert shop.rows("SELECT COUNT(*) FROM dead_letter") == [(0,)]
    assert shop.rows("SELECT SUM(amount) FROM money_entry") == [((100 * 100 + 100 * 150) * 1_000,)]


@pytest.mark.parametrize(
    ("good", "bad", "max_bad"),
    [
        pytest.param(0, 49, 0.25, id="too few to say"),
        pytest.param(150, 50, 0.25, id="as many as are borne"),
        pytest.param(10, 100, None, id="nothing said"),
        pytest.param(0, 100, 1, id="all may be bad"),
    ],
)
def test_what_is_borne_is_mapped_to_the_end(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, good: int, bad: int, max_bad: float | None
) -> None:
    monkeypatch.setattr(write_path, "RECORDS_A_CHUNK", 2_000)
    shop.streams["orders"]["max_bad"] = max_bad
    report = shop.sync("orders", *orders(good, bad))
    assert report.errors == {}
    assert shop.rows(STATES) == [(state, count) for state, count in ((1, good), (2, bad)) if count]


def test_a_remap_maps_everything_whatever_is_borne(shop: Shop) -> None:
    shop.sync("orders", *orders(100, 100))
    assert remap(shop.hub(), shop.as_of).status == "OK"
    assert shop.rows(STATES) == [(1, 100), (2, 100)]


def test_both_errors_of_a_stream_are_said(shop: Shop) -> None:
    shop.sync("orders", *orders(20, 0))
    bad = [{k: v for k, v in record.items() if k != "date"} for record in orders(60, 0, start=100)]
    line = shop.sync("orders", *bad).errors["shop.orders"]
    assert "`date`, which the mapping reads, stood in none of 60 records" in line
    assert "mapping stopped, as 60 of 60 records cannot be mapped" in line
