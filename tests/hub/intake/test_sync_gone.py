"""What is gone at its source is gone in the graph, and comes back when it is sent again; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub import status
from hub.erasure.erase import erase
from hub.run import Hub, Report
from hub.store.engine import Store
from hub.sync import remap, sync
from mappings.rulebook import Rulebook
from tests.hub.desk import SYSTEM, Desk, hub_of, invoice, person, rows, served, stocked
from tests.hub.test_sync import graph

DAY = 86_400 * 1_000_000
NOW = 1_780_000_000_000_000
PEOPLE = "SELECT key FROM landing WHERE stream = 'people' AND deleted_at IS NULL ORDER BY key"
CARDS = "SELECT display_name FROM customer_card ORDER BY 1"
MONEY = "SELECT COALESCE(SUM(amount), 0) FROM money_entry"
ENTRIES = "SELECT COALESCE(SUM(amount), 0) FROM entry"
ASSIGNED = "SELECT l.key, c.public_id FROM profile_ledger l JOIN customer_ledger c ON c.customer_no = l.customer_no"


@pytest.fixture
def hub(store: Store, rulebook: Rulebook, desk: Desk, tmp_path: Path) -> Hub:
    return hub_of(store, rulebook, desk, tmp_path)


def synced(hub: Hub, day: int = 0) -> Report:
    report = sync(hub, NOW + day * DAY)
    assert report.errors == {}
    return report


def balanced(hub: Hub) -> bool:
    with hub.store.read() as connection:
        return not any(row.difference for row in status.reconciliation(connection, hub.sources))


def test_who_is_missing_in_a_whole_reading_is_gone(hub: Hub, desk: Desk) -> None:
    synced(hub)
    assert ("Fay Example",) in rows(hub.store, CARDS)
    desk.drop("/people", "fay")
    assert synced(hub, 1).counts["deleted"] == 1
    assert [key for (key,) in rows(hub.store, PEOPLE)] == ["ann", "bob", "cem", "dee", "eve"]
    assert ("Fay Example",) not in rows(hub.store, CARDS)
    assert rows(hub.store, "SELECT COUNT(*) FROM profile WHERE stream = 'people'") == [(5,)]
    assert rows(hub.store, "SELECT payload FROM landing WHERE key = 'fay'") == [(b"",)]
    assert synced(hub, 2).counts["deleted"] == 0


def test_who_is_sent_again_is_there_again_under_the_same_id(hub: Hub, desk: Desk) -> None:
    synced(hub)
    before = dict(rows(hub.store, ASSIGNED))
    desk.drop("/people", "ann")
    synced(hub, 1)
    assert ("Ann Example",) not in rows(hub.store, CARDS)
    desk.holds["/people"].append(person("ann"))
    report = synced(hub, 2)
    assert (report.counts["changed"], report.counts["mapped"]) == (1, 1)
    assert ("Ann Example",) in rows(hub.store, CARDS)
    assert dict(rows(hub.store, ASSIGNED)) == before
    assert rows(hub.store, "SELECT COUNT(*) FROM interaction i JOIN profile_ledger l ON l.profile_no = i.profile_no"
                " WHERE l.key = 'ann' AND i.customer_no IS NULL") == [(0,)]  # fmt: skip


REFUSED: dict[str, tuple[int, str]] = {
    "too many are missing": (3, "desk.people: the whole reading lacks 3 of 6 records"),
    "nothing came": (6, "desk.people: the whole reading brought nothing"),
}


@pytest.mark.parametrize(("dropped", "line"), REFUSED.values(), ids=REFUSED.keys())
def test_a_source_that_suddenly_sends_little_deletes_nothing(hub: Hub, desk: Desk, dropped: int, line: str) -> None:
    synced(hub)
    before = graph(hub.store)
    del desk.holds["/people"][:dropped]
    report = sync(hub, NOW)
    assert report.status == "PARTIAL"
    assert report.errors["desk.people"].startswith(line)
    assert "at_most" in report.errors["desk.people"]
    assert len(rows(hub.store, PEOPLE)) == 6
    assert graph(hub.store) == before


def test_a_reading_that_broke_off_is_gone_on_with_and_deletes_only_what_neither_part_brought(
    hub: Hub, desk: Desk
) -> None:
    synced(hub)
    desk.drop("/people", "fay")
    desk.broken.add("/people?page=2")
    assert "desk.people" in sync(hub, NOW + DAY).errors
    assert len(rows(hub.store, PEOPLE)) == 6
    desk.broken.clear()
    desk.asked.clear()
    assert synced(hub, 2).counts["deleted"] == 1
    assert desk.requests("/people") == 1, "the first page is not read again"
    assert [key for (key,) in rows(hub.store, PEOPLE)] == ["ann", "bob", "cem", "dee", "eve"]


def test_a_reading_that_nobody_watched_from_its_first_page_deletes_nothing(
    hub: Hub, store: Store, rulebook: Rulebook, desk: Desk, tmp_path: Path
) -> None:
    careless = {**SYSTEM, "streams": {**SYSTEM["streams"]}}
    careless["streams"]["people"] = {k: v for k, v in SYSTEM["streams"]["people"].items() if k != "deleted"}
    desk.broken.add("/people?page=2")
    sync(hub_of(store, rulebook, desk, tmp_path / "careless", careless), NOW)
    desk.broken.clear()
    assert synced(hub, 1).counts["deleted"] == 0
    assert len(rows(hub.store, PEOPLE)) == 6


def test_a_record_that_another_stream_calls_gone_takes_its_money_along(hub: Hub, desk: Desk) -> None:
    synced(hub)
    assert rows(hub.store, MONEY) == rows(hub.store, ENTRIES) == [((1_000 + 1_001 + 1_002 + 1_003) * 1_000,)]
    desk.drop("/invoices", "in1")
    desk.holds["/voids"].append({"invoice": "in1"})
    assert synced(hub, 1).counts["deleted"] == 1
    assert rows(hub.store, MONEY) == rows(hub.store, ENTRIES) == [((1_000 + 1_002 + 1_003) * 1_000,)]
    assert balanced(hub)
    before = graph(hub.store)
    remap(hub, NOW + DAY)
    assert graph(hub.store) == before
    assert synced(hub, 1).counts["changed"] == 0
    assert graph(hub.store) == before


def test_what_lands_and_is_called_gone_in_one_run_is_gone(hub: Hub, desk: Desk) -> None:
    desk.holds["/invoices"].append(invoice("in9", "eve", 9))
    desk.holds["/voids"].append({"invoice": "in9"})
    synced(hub)
    assert rows(hub.store, "SELECT COUNT(*) FROM money_entry") == [(4,)]
    assert balanced(hub)


def test_an_old_notice_does_not_delete_what_came_back_after_it(hub: Hub, desk: Desk) -> None:
    synced(hub)
    taken = desk.of("/invoices", "in1")
    desk.drop("/invoices", "in1")
    desk.holds["/voids"].append({"invoice": "in1"})
    synced(hub, 1)
    desk.holds["/invoices"].append(taken)
    synced(hub, 2)
    live = graph(hub.store)
    assert rows(hub.store, "SELECT COUNT(*) FROM money_entry") == [(4,)]
    remap(hub, NOW + 2 * DAY)
    assert graph(hub.store) == live


@pytest.mark.parametrize("day", [-10, 0, 1], ids=["an earlier instant", "the same", "a later one"])
def test_a_notice_counts_for_what_came_before_it_whatever_the_clock_says(hub: Hub, desk: Desk, day: int) -> None:
    synced(hub)
    taken = desk.of("/invoices", "in1")
    desk.drop("/invoices", "in1")
    desk.holds["/voids"].append({"invoice": "in1"})
    assert synced(hub, day).counts["deleted"] == 1
    desk.holds["/invoices"].append(taken)
    synced(hub, 2 * day)
    assert rows(hub.store, "SELECT COUNT(*) FROM money_entry") == [(4,)]
    remap(hub, NOW + 2 * day * DAY)
    assert rows(hub.store, "SELECT COUNT(*) FROM money_entry") == [(4,)], "the notice is older than its return"


def test_a_record_that_says_itself_that_it_is_gone_means_nothing(
    store: Store, rulebook: Rulebook, desk: Desk, tmp_path: Path
) -> None:
    system = {**SYSTEM, "streams": {**SYSTEM["streams"]}}
    system["streams"]["invoices"] = SYSTEM["streams"]["invoices"] | {"deleted": {"when": {"void": True}}}
    hub = hub_of(store, rulebook, desk, tmp_path, system)
    synced(hub)
    desk.of("/invoices", "in1")["void"] = True
    synced(hub, 1)
    assert rows(hub.store, "SELECT COUNT(*) FROM money_entry") == [(3,)]
    assert balanced(hub)
    desk.of("/invoices", "in1")["void"] = False
    synced(hub, 2)
    assert rows(hub.store, "SELECT COUNT(*) FROM money_entry") == [(4,)]


def test_a_person_who_was_deleted_at_the_source_can_still_be_erased(hub: Hub, desk: Desk) -> None:
    synced(hub)
    [(public_id,)] = [(who,) for key, who in rows(hub.store, ASSIGNED) if key == "bob"]
    desk.drop("/invoices", "in1")
    desk.holds["/voids"].append({"invoice": "in1"})
    synced(hub, 1)
    erase(hub.store, public_id, dry_run=False, as_of=NOW + DAY)
    desk.holds["/invoices"].append(invoice("in1", "bob", 1_001))
    report = synced(hub, 2)
    assert report.counts.get("minted", 0) == 0
    assert ("Bob Example",) not in rows(hub.store, CARDS)
    assert balanced(hub)
    assert not [1 for (payload,) in rows(hub.store, "SELECT payload FROM landing") if b"bob@bob" in bytes(payload)]


def test_both_databases_lose_and_regain_the_same(
    new_store: Callable[[str], Store], rulebook: Rulebook, tmp_path: Path
) -> None:
    def played(dialect: str) -> dict[str, list[Any]]:
        with served(stocked()) as desk:
            hub = hub_of(new_store(dialect), rulebook, desk, tmp_path)
            synced(hub)
            desk.drop("/people", "fay")
            desk.drop("/people", "ann")
            desk.holds["/voids"].append({"invoice": "in2"})
            desk.drop("/invoices", "in2")
            synced(hub, 1)
            desk.holds["/people"].append(person("ann", name="Ann Other"))
            synced(hub, 2)
            names = ("cards", "landing", "left")
            asked = (
                "SELECT display_name, emails, interaction_count, revenue FROM customer_card ORDER BY 1",
                "SELECT source, stream, key, state, deleted_at, changed_at FROM landing ORDER BY 1, 2, 3",
                "SELECT source, stream, key FROM read_key ORDER BY 1, 2, 3",
            )
            return {name: rows(hub.store, sql) for name, sql in zip(names, asked, strict=True)}

    assert played("sqlite") == played("postgresql")
