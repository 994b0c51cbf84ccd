"""The shape of a stream's records is watched: what is new, what vanished, what is of another kind."""

from __future__ import annotations

from typing import Any

import pytest

from hub.intake import mapping as write_path
from hub.quality.drift import NAMES, PATHS, Watch, stands
from hub.run import Report
from hub.store.engine import Store
from hub.sync import remap
from mappings.rulebook import Rulebook
from tests.hub.shop import Shop, buyer, many, order

DRIFT = "SELECT stream, path, change, was, now, mapped FROM drift ORDER BY drift_no"
KNOWN = "SELECT path, kinds, records FROM stream_path WHERE stream = 'buyers' ORDER BY path"
TEN = range(10)


@pytest.fixture
def shop(store: Store, rulebook: Rulebook) -> Shop:
    return Shop(store, rulebook)


def fine(report: Report) -> None:
    assert report.errors == {}
    assert report.status == "OK"


# what is seen --------------------------------------------------------------------------------------------------------
def test_the_first_run_learns_and_says_nothing(shop: Shop) -> None:
    fine(shop.sync("buyers", buyer(1, tags=[{"n": 1}, {"m": None}]), buyer(2)))
    assert shop.rows(DRIFT) == []
    assert shop.rows(KNOWN) == [
        (".", '["object"]', 2),
        ("id", '["text"]', 2),
        ("mail", '["text"]', 2),
        ("name", '["object"]', 2),
        ("name.family", '["text"]', 2),
        ("name.given", '["text"]', 2),
        ("tags", '["list"]', 1),
        ("tags.*", '["object"]', 1),
        ("tags.*.m", '["null"]', 1),
        ("tags.*.n", '["number"]', 1),
    ]


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        pytest.param({}, {"vip": True}, [("vip", "NEW", None, "flag", False)], id="new"),
        pytest.param(
            {}, {"vip": {"since": 1, "by": {"who": 1}}}, [("vip", "NEW", None, "object", False)], id="new tree"
        ),
        pytest.param({"age": 7}, {"age": "7"}, [("age", "RETYPED", "number", "text", False)], id="retyped"),
        pytest.param({"mail": None}, {}, [], id="null becomes a value"),
        pytest.param({"age": 7}, {"age": None}, [], id="a value becomes null"),
        pytest.param({"age": 7}, {"age": 7.5}, [], id="a whole number becomes a fraction"),
        pytest.param({"x": [1]}, {"x": []}, [], id="an empty list"),
        pytest.param({"x": [1]}, {"x": ["a"]}, [("x.*", "RETYPED", "number", "text", False)], id="items retyped"),
        pytest.param(
            {}, {"name": "Ann"}, [("name", "RETYPED", "object", "text", False)], id="an object becomes a text"
        ),
    ],
)
def test_a_change_of_shape_is_written_down_once(
    shop: Shop, before: dict[str, Any], after: dict[str, Any], seen: list[tuple[Any, ...]]
) -> None:
    shop.sync("buyers", *many(buyer, TEN, **before))
    shop.sync("buyers", buyer(20, **after))
    shop.sync("buyers", buyer(21, **after))
    assert [row[1:] for row in shop.rows(DRIFT)] == seen


def test_a_path_that_nothing_reads_vanishes_quietly_and_may_come_back(shop: Shop) -> None:
    shop.sync("buyers", *many(buyer, TEN, note={"by": "x"}))
    fine(shop.sync("buyers", *many(buyer, range(10, 20))))
    assert shop.rows(DRIFT) == [("buyers", "note", "VANISHED", "object", None, False)]
    fine(shop.sync("buyers", *many(buyer, range(20, 30))))
    fine(shop.sync("buyers", *many(buyer, range(30, 40), note={"by": "x"})))
    assert [row[1:3] for row in shop.rows(DRIFT)] == [("note", "VANISHED"), ("note", "NEW")]


@pytest.mark.parametrize(
    ("known", "lacking"),
    [pytest.param(10, 4, id="too few records"), pytest.param(3, 60, id="it stood in few records anyway")],
)
def test_what_may_be_chance_is_no_drift(shop: Shop, known: int, lacking: int) -> None:
    records = [buyer(n, note=1) if n < known else buyer(n) for n in range(10 if known == 10 else 100)]
    shop.sync("buyers", *records)
    fine(shop.sync("buyers", *many(buyer, range(200, 200 + lacking))))
    assert shop.rows(DRIFT) == []


# a mapped path that is gone ------------------------------------------------------------------------------------------
def without_mail(number: int) -> dict[str, Any]:
    record = buyer(number)
    del record["mail"]
    return record


def test_a_mapped_path_that_vanishes_from_a_whole_run_is_an_error_of_its_stream(shop: Shop) -> None:
    fine(shop.sync("buyers", *many(buyer, TEN)))
    report = shop.sync("buyers", *many(without_mail, range(10, 20)))
    assert report.status == "PARTIAL"
    (line,) = report.errors.values()
    assert line.startswith("shop.buyers: `mail`, which the mapping reads, stood in none of 10 records (last seen 2026-")
    assert "hub check --sample" in line
    assert shop.rows(DRIFT) == [("buyers", "mail", "VANISHED", "text", None, True)]
    assert shop.rows("SELECT COUNT(*) FROM landing WHERE state = 1") == [(20,)]
    last = "SELECT status, error FROM stream_run WHERE stream = 'buyers' ORDER BY run_no DESC LIMIT 1"
    assert shop.rows(last) == [("FAILED", line)]


def test_it_is_said_again_until_it_is_back(shop: Shop) -> None:
    shop.sync("buyers", *many(buyer, TEN))
    shop.sync("buyers", *many(without_mail, range(10, 20)))
    assert shop.sync("buyers", without_mail(20)).errors.keys() == {"shop.buyers"}
    fine(shop.sync("buyers", buyer(21)))
    fine(shop.sync("buyers", without_mail(22)))
    assert [row[1:3] for row in shop.rows(DRIFT)] == [("mail", "VANISHED"), ("mail", "NEW")]


def test_it_is_said_again_until_the_mapping_reads_something_else(shop: Shop) -> None:
    shop.sync("buyers", *many(buyer, TEN))
    moved = [without_mail(number) | {"email": f"ann{number}@mail.example"} for number in range(10, 20)]
    assert shop.sync("buyers", *moved).status == "PARTIAL"
    shop.streams["buyers"]["profile"]["emails"] = ["email"]
    fine(shop.follow())
    fine(shop.sync("buyers", moved[0] | {"id": "b30"}))


def test_a_mapped_path_is_looked_for_in_every_record(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.quality.drift.SAMPLE", 5)
    monkeypatch.setattr(write_path, "RECORDS_A_CHUNK", 30)
    shop.sync("buyers", *many(buyer, range(100)))
    fine(shop.sync("buyers", *many(without_mail, range(100, 199)), buyer(199)))


def test_what_is_mapped_once_more_is_no_drift(shop: Shop) -> None:
    shop.sync("buyers", *many(buyer, TEN))
    shop.sync("buyers", *many(without_mail, range(10, 20)))
    known, drift = shop.rows(KNOWN), shop.rows(DRIFT)
    fine(remap(shop.hub(), shop.as_of))
    shop.streams["buyers"]["profile"]["language"] = "mail"
    fine(shop.follow())
    assert (shop.rows(KNOWN), shop.rows(DRIFT)) == (known, drift)


def test_only_the_stream_that_drifts_is_in_error(shop: Shop) -> None:
    shop.sync("orders", *many(order, TEN, 100))
    report = shop.sync("orders", *[{k: v for k, v in order(n, 100).items() if k != "total"} for n in range(10, 20)])
    assert report.errors.keys() == {"shop.orders"}
    assert "`total`" in report.errors["shop.orders"]


# bounds --------------------------------------------------------------------------------------------------------------
def held(shop: Shop) -> set[str]:
    return {path for path, *_ in shop.rows(KNOWN)}


def test_names_that_are_data_count_as_one_path(shop: Shop) -> None:
    shop.sync("buyers", *[buyer(n, seen={f"page{n}": {"at": 1}, f"page{n + 500}": {"at": 1}}) for n in range(60)])
    shop.sync("buyers", *[buyer(n, seen={f"page{n}": {"at": 1}}) for n in range(60, 80)])
    assert {path for path in held(shop) if path.startswith("seen")} == {"seen", "seen.*", "seen.*.at"}
    assert shop.rows(DRIFT) == []


def test_names_that_come_one_by_one_count_as_one_path_in_the_end(shop: Shop) -> None:
    for start in range(0, 90, 30):
        shop.sync("buyers", *[buyer(n, seen={f"page{n}": 1}) for n in range(start, start + 30)])
    assert {path for path in held(shop) if path.startswith("seen")} == {"seen", "seen.*"}


def test_a_wide_record_is_no_map(shop: Shop) -> None:
    wide = {f"field{n}": n for n in range(3 * NAMES)}
    shop.sync("buyers", *many(buyer, TEN, properties=wide))
    fine(shop.sync("buyers", *many(buyer, range(10, 20), properties=wide | {"another": 1})))
    assert [row[1:3] for row in shop.rows(DRIFT)] == [("properties.another", "NEW")]


@pytest.mark.parametrize("name", ["ann@mail.example", "49151", "a.b", "x\u0000y", "*", ""])
def test_a_name_that_is_somebodys_data_is_not_kept(shop: Shop, name: str) -> None:
    shop.sync("buyers", buyer(1, by={name: {"at": 1}}))
    assert {path for path in held(shop) if path.startswith("by")} == {"by", "by.*", "by.*.at"}


def test_depth_is_bounded(shop: Shop) -> None:
    deep: dict[str, Any] = {}
    for _ in range(40):
        deep = {"down": deep}
    shop.sync("buyers", buyer(1, deep=deep))
    assert max(path.count(".") for path in held(shop)) == 7


def test_paths_are_bounded(shop: Shop) -> None:
    broad = {f"a{n}": {f"b{m}": {f"c{o}": 1 for o in range(10)} for m in range(20)} for n in range(20)}
    shop.sync("buyers", buyer(1, broad=broad))
    fine(shop.sync("buyers", buyer(2, broad=broad)))
    assert PATHS <= len(held(shop)) < PATHS + 10  # what the mapping reads is kept in any case
    assert "mail" in held(shop)
    assert shop.rows(DRIFT) == []


def test_what_the_mapping_reads_is_never_counted_with_others(shop: Shop) -> None:
    shop.streams["buyers"]["profile"]["attributes"] = {"first": "seen.page0"}
    shop.sync("buyers", *[buyer(n, seen={"page0": 1, f"page{n}": 1}) for n in range(80)])
    assert {path for path in held(shop) if path.startswith("seen")} == {"seen", "seen.*", "seen.page0"}
    report = shop.sync("buyers", *[buyer(n, seen={f"page{n}": 1}) for n in range(80, 100)])
    assert "`seen.page0`" in report.errors["shop.buyers"]


@pytest.mark.parametrize("record", [7, "x", [], [1, [2]], {}, {"mail": {"a": [None]}}], ids=str)
def test_no_shape_of_a_record_is_too_odd(record: Any) -> None:
    watch = Watch({}, ["mail", "lines.*.price"])
    watch.look([record])
    assert not stands(record, ("lines", "*", "price"))
