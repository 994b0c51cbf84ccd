"""Dead letters: listed, counted by what is wrong, shown beside what they said before, and tried again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.quality.letters import NoSuchLetter, Opened, UnknownPlace, letters, opened, piles, record_lines
from hub.store.engine import Store
from hub.sync import retry
from mappings.rulebook import Rulebook
from tests.hub.shop import DAY, NOW, Shop, buyer, order


@pytest.fixture
def shop(store: Store, rulebook: Rulebook) -> Shop:
    """Three orders that cannot be mapped, one of them of a currency that there is not, beside two that can."""
    shop = Shop(store, rulebook)
    shop.send("buyers", *[buyer(number) for number in range(5)])
    gifts = [order(1, 100, kind="gift"), order(2, 100, 50, kind="gift")]
    shop.sync("orders", order(0, 100), *gifts, order(3, 100, currency="XXZ"), order(4, 100))
    return shop


def keys(shop: Shop, *words: Any) -> list[str]:
    with shop.store.read() as connection:
        return [letter.key for letter in letters(connection, *words)]


def open_letter(shop: Shop, key: str) -> Opened:
    with shop.store.read() as connection:
        return opened(connection, "shop.orders", key)


# list ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("place", "reason", "most", "found"),
    [
        pytest.param(None, None, 20, ["o3", "o2", "o1"], id="all"),
        pytest.param("shop", None, 20, ["o3", "o2", "o1"], id="of a source"),
        pytest.param("shop.orders", None, 2, ["o3", "o2"], id="the latest of a stream"),
        pytest.param("shop.buyers", None, 20, [], id="a stream without"),
        pytest.param(None, "ISO 4217", 20, ["o3"], id="by reason"),
        pytest.param(None, "LINES[1].kind", 20, [], id="by a path that there is not"),
        pytest.param(None, "LINES[0].kind", 20, ["o2", "o1"], id="by path"),
        pytest.param(None, "%", 20, [], id="a wildcard is a letter"),
    ],
)
def test_letters_are_listed(shop: Shop, place: str | None, reason: str | None, most: int, found: list[str]) -> None:
    assert keys(shop, place, reason, most) == found


def test_a_letter_says_by_which_mapping_and_since_when(shop: Shop) -> None:
    shop.sync("orders", order(1, 100, kind="present"))
    with shop.store.read() as connection:
        (letter,) = letters(connection, "shop.orders", None, 1)
    assert (letter.source, letter.stream, letter.key, letter.path) == ("shop", "orders", "o1", "$.lines[0].kind")
    assert letter.mapping_version == shop.hub().compiled("shop", "orders").version
    assert (letter.first_seen_at, letter.last_seen_at) == (NOW + 2 * DAY, NOW + 3 * DAY)


def test_the_same_fault_is_one_pile(shop: Shop) -> None:
    shop.sync("orders", order(2, 100, kind="gift", lines=[{"price": 1, "kind": "sale"}, {"price": 1, "kind": "gift"}]))
    with shop.store.read() as connection:
        found = [(pile.path, pile.count, pile.first_seen_at, pile.last_seen_at) for pile in piles(connection)]
    two, three = NOW + 2 * DAY, NOW + 3 * DAY
    assert found == [("$.lines[*].kind", 2, two, three), ("$.lines[*].price", 1, two, two)]


@pytest.mark.parametrize("place", ["nope", "shop.nope", "", "sho"])
def test_a_place_of_which_nothing_is_landed_is_said(shop: Shop, place: str) -> None:
    with pytest.raises(UnknownPlace, match=r"there are shop\.buyers, shop\.orders"):
        keys(shop, place, None, 9)


# show ----------------------------------------------------------------------------------------------------------------
def test_a_letter_is_opened_with_its_place_marked(shop: Shop) -> None:
    found = open_letter(shop, "o1")
    assert json.loads("\n".join(line for line, _ in found.record)) == order(1, 100, kind="gift")
    assert [line.strip() for line, marked in found.record if marked] == ['"kind": "gift"']
    assert found.said == []


def test_what_it_said_before_is_shown_beside_it(shop: Shop) -> None:
    shop.sync("orders", order(4, 100, 75, kind="gift"))
    said = dict(open_letter(shop, "o4").said)
    assert said.keys() == {"interaction", "money_entry"}
    assert "profile: buyers/b4" in said["money_entry"]
    assert "amount: 1.00 EUR" in said["money_entry"]
    assert "at: 2023-11-14T22:13:24Z" in said["interaction"]


@pytest.mark.parametrize("key", ["o0", "nope"], ids=["it is well", "there is none"])
def test_what_is_no_dead_letter_cannot_be_shown(shop: Shop, key: str) -> None:
    with pytest.raises(NoSuchLetter, match=r"hub dead-letters list shop\.orders --all"):
        open_letter(shop, key)


RECORD = {"id": 1, "a.b": {"c": [1, {"d": None}]}, "a": {"b": 2}, "none": []}


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("$", ["{"]),
        ("$.id", ['"id": 1,']),
        ("$.a.b", ['"a.b": {']),
        ("$.a.b.c[1].d", ['"d": null']),
        ("$.a.b.c[9].d", ['"c": [']),
        ("$.a.b.c[*]", ['"c": [']),
        ("$.missing.name", ["{"]),
        ("$.none[0]", ['"none": []']),
        ("$.id.more", ['"id": 1,']),
    ],
)
def test_a_path_leads_to_its_line_or_to_where_it_would_stand(path: str, marked: list[str]) -> None:
    lines = record_lines(json.dumps(RECORD).encode(), path)
    assert [line.strip() for line, here in lines if here] == marked
    assert json.loads("".join(line for line, _ in lines)) == RECORD


def test_a_record_that_cannot_be_held_is_shown_as_it_was_sent() -> None:
    assert record_lines(b'{"x": 1e999, \xff}', "$") == [('{"x": 1e999, \ufffd}', True)]


# retry ---------------------------------------------------------------------------------------------------------------
def test_a_retry_heals_what_another_mapping_reads(shop: Shop) -> None:
    assert retry(shop.hub(), shop.as_of) == (3, 3)
    shop.streams["orders"]["money_entry"]["kind"]["table"]["gift"] = "REVENUE"
    assert retry(shop.hub(), shop.as_of, "shop.orders") == (3, 1)
    assert keys(shop, None, None, 9) == ["o3"]
    assert shop.rows("SELECT COUNT(*) FROM money_entry WHERE stale") == [(0,)]
    assert shop.rows("SELECT SUM(amount) FROM money_entry") == [(450 * 1_000,)]


def test_a_retry_touches_the_named_stream_alone(shop: Shop) -> None:
    assert retry(shop.hub(), shop.as_of, "shop.buyers") == (0, 0)
    assert shop.rows("SELECT COUNT(*) FROM landing WHERE state = 2") == [(3,)]


def test_a_retry_of_a_place_that_there_is_not_is_no_run(shop: Shop) -> None:
    runs = shop.rows("SELECT COUNT(*) FROM sync_run")
    with pytest.raises(UnknownPlace):
        retry(shop.hub(), shop.as_of, "nope")
    assert shop.rows("SELECT COUNT(*) FROM sync_run") == runs


def test_a_retry_is_no_news_of_the_shape(shop: Shop) -> None:
    known = shop.rows("SELECT path, records FROM stream_path ORDER BY stream, path")
    retry(shop.hub(), shop.as_of)
    assert shop.rows("SELECT path, records FROM stream_path ORDER BY stream, path") == known
