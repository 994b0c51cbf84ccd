"""A mapping that changes while something runs: the newer one stays, and nothing is mapped by turns."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from hub.run import Hub
from hub.store.engine import Store
from hub.sync import follow, remap
from mappings.rulebook import Rulebook
from tests.hub.shop import Shop, buyer, many, order


@pytest.fixture
def shop(store: Store, rulebook: Rulebook) -> Shop:
    shop = Shop(store, rulebook)
    shop.send("buyers", *many(buyer, range(3)))
    shop.sync("orders", *many(order, range(3), 100))
    return shop


def kinds(shop: Shop) -> list[str]:
    return [kind for (kind,) in shop.rows("SELECT DISTINCT kind FROM money_entry ORDER BY 1")]


def say_taxes(shop: Shop) -> None:
    shop.streams["orders"]["money_entry"]["kind"] = "TAX"


def test_a_process_with_the_former_mapping_leaves_the_stream_to_the_newer_one(shop: Shop) -> None:
    former = shop.hub()
    follow(former, shop.as_of)
    say_taxes(shop)
    newer = shop.hub()
    remap(newer, shop.as_of)
    shop.send("orders", order(7, 100))
    with capture_logs() as logs:
        for _ in range(2):
            follow(former, shop.as_of)
    assert kinds(shop) == ["TAX"]
    assert [(log["stream"], log["event"]) for log in logs] == [
        ("orders", "its mapping was changed since this process began: restart it")
    ]
    assert shop.rows("SELECT state FROM landing WHERE key = 'o7'") == [(0,)]
    assert follow(newer, shop.as_of).counts["mapped"] == 1
    assert kinds(shop) == ["TAX"]


def test_a_mapping_that_changes_between_two_chunks_maps_them_all(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.intake.mapping.RECORDS_A_CHUNK", 1)
    shop.send("orders", *many(order, range(10, 16), 100))
    former, done = shop.hub(), 0

    def progress(phase: str, what: str, count: int, left: int | None) -> None:
        nonlocal done
        done += phase == "map" and what == "shop.orders"
        if done == 2:
            done += 1
            say_taxes(shop)
            follow(shop.hub(), shop.as_of)

    follow(replace(former, progress=progress), shop.as_of)
    assert kinds(shop) == ["TAX"]
    assert shop.rows("SELECT COUNT(*) FROM landing WHERE state = 0") == [(0,)]


LEFT = {
    "a stream was renamed": (True, "landed, but no stream of shop's mapping"),
    "the source is gone": (False, "landed, but no source in rules/company.yml"),
}


@pytest.mark.parametrize(("source_stays", "said"), LEFT.values(), ids=LEFT)
def test_what_nobody_names_any_more_is_told_goes_with_a_remap_and_comes_back(
    shop: Shop, source_stays: bool, said: str
) -> None:
    before = shop.rows("SELECT * FROM money_entry ORDER BY 1")
    whole = shop.hub()
    less = Hub(shop.store, shop.rulebook, {})
    if source_stays:
        orders = shop.streams.pop("orders")
        less = shop.hub()
        shop.streams["orders"] = orders
    with capture_logs() as logs:
        follow(less, shop.as_of)
    assert {log["stream"] for log in logs if log["event"].startswith(said)} >= {"orders"}
    assert shop.rows("SELECT * FROM money_entry ORDER BY 1") == before
    remap(less, shop.as_of)
    assert kinds(shop) == []
    follow(whole, shop.as_of)
    assert shop.rows("SELECT * FROM money_entry ORDER BY 1") == before
