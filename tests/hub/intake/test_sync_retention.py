"""What was sent is kept for as long as the company says; what it means stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import status
from hub.erasure.erase import erase
from hub.run import Hub, Report
from hub.store.engine import Store
from hub.sync import remap, sync
from mappings.rulebook import Rulebook
from tests.hub.desk import SYSTEM, Desk, comment, hub_of, invoice, rows
from tests.hub.test_sync import graph

DAY = 86_400 * 1_000_000
NOW = 1_780_000_000_000_000
BARE = "SELECT stream, key FROM landing WHERE length(payload) = 0 ORDER BY 1, 2"
FULL = "SELECT stream, key FROM landing WHERE length(payload) > 0 ORDER BY 1, 2"


@pytest.fixture
def hub(store: Store, rulebook: Rulebook, desk: Desk, tmp_path: Path) -> Hub:
    return hub_of(store, rulebook, desk, tmp_path, retention="400d")


def synced(hub: Hub, day: int = 0) -> Report:
    report = sync(hub, NOW + day * DAY)
    assert report.errors == {}
    return report


def test_payloads_go_when_their_time_is_over_and_what_they_mean_stays(hub: Hub, desk: Desk) -> None:
    synced(hub)
    synced(hub, 300)
    assert rows(hub.store, BARE) == []
    desk.of("/invoices", "in1")["total"] = 5
    synced(hub, 350)
    live = graph(hub.store)
    assert synced(hub, 401).counts["payloads_emptied"] == 6 + 5 + 15 + 3
    assert rows(hub.store, FULL) == [("invoices", "in1")]
    assert synced(hub, 401).counts.get("payloads_emptied", 0) == 0
    held = ("entries", "members", "links", "assignment", "ids")
    assert {name: graph(hub.store)[name] for name in held} == {name: live[name] for name in held}


def test_what_is_sent_again_the_same_is_no_change_and_what_is_not_lands_whole(hub: Hub, desk: Desk) -> None:
    synced(hub)
    synced(hub, 401)
    before = rows(hub.store, "SELECT * FROM landing ORDER BY 1")
    assert synced(hub, 402).counts["changed"] == 0
    assert rows(hub.store, "SELECT * FROM landing ORDER BY 1") == before
    desk.of("/tickets", "t1")["seen"] = 9
    assert synced(hub, 403).counts["changed"] == 0
    assert ("tickets", "t1") in rows(hub.store, BARE), "what says the same as before is not kept anew"
    desk.of("/tickets", "t1")["text"] = "Something else"
    report = synced(hub, 404)
    assert (report.counts["changed"], report.counts["mapped"]) == (1, 1)
    assert ("tickets", "t1") in rows(hub.store, FULL)


def test_a_remap_gives_the_same_graph(hub: Hub, desk: Desk) -> None:
    synced(hub)
    desk.of("/invoices", "in1")["total"] = 5
    desk.drop("/invoices", "in2")
    desk.holds["/voids"].append({"invoice": "in2"})
    desk.holds["/tickets/t1/comments"].append(comment("c19"))
    desk.of("/tickets", "t1")["subject"] = "Help again"
    synced(hub, 100)
    desk.holds["/people"][0]["name"] = "Ann Other"
    synced(hub, 401)
    assert len(rows(hub.store, BARE)) > len(rows(hub.store, FULL)) > 0
    before, money = graph(hub.store), rows(hub.store, "SELECT * FROM control ORDER BY 1, 2")
    remap(hub, NOW + 401 * DAY)
    assert graph(hub.store) == before
    assert rows(hub.store, "SELECT * FROM control ORDER BY 1, 2") == money
    with hub.store.read() as connection:
        assert not any(row.difference for row in status.reconciliation(connection, hub.sources))


def test_a_changed_mapping_leaves_them_as_they_were_and_says_how_many(
    store: Store, rulebook: Rulebook, desk: Desk, tmp_path: Path
) -> None:
    synced(hub_of(store, rulebook, desk, tmp_path / "one", retention="400d"))
    desk.holds["/invoices"].append(invoice("in8", "fay", 8))
    synced(hub_of(store, rulebook, desk, tmp_path / "one", retention="400d"), 401)
    streams = {**SYSTEM["streams"]}
    money = streams["invoices"]["money_entry"] | {"kind": "FEE"}
    streams["invoices"] = {**streams["invoices"], "money_entry": money}
    hub = hub_of(store, rulebook, desk, tmp_path / "two", {**SYSTEM, "streams": streams}, retention="400d")
    report = synced(hub, 401)
    kinds = "SELECT kind, COUNT(*) FROM money_entry GROUP BY kind ORDER BY kind"
    assert rows(store, kinds) == [("FEE", 1), ("REVENUE", 4)]
    assert report.notes["desk.invoices"].startswith("4 records stay as they were mapped before")


def test_dead_letters_and_parents_that_are_due_keep_their_payload(hub: Hub, desk: Desk) -> None:
    desk.of("/invoices", "in1")["at"] = "soon"
    desk.broken.add("/tickets/t2/comments?page=1")
    sync(hub, NOW)
    sync(hub, NOW + 401 * DAY)
    assert rows(hub.store, FULL) == [("invoices", "in1"), ("tickets", "t2")]
    desk.broken.clear()
    synced(hub, 402)
    assert rows(hub.store, "SELECT COUNT(*) FROM landing WHERE stream = 'comments'") == [(15,)]
    synced(hub, 403)
    assert ("tickets", "t2") not in rows(hub.store, FULL)


def test_the_company_may_say_it_for_all_and_a_source_for_itself(
    store: Store, rulebook: Rulebook, desk: Desk, tmp_path: Path
) -> None:
    hub = hub_of(store, rulebook, desk, tmp_path)
    synced(hub)
    synced(hub, 401)
    assert rows(store, BARE) == []
    company = rulebook.company.model_copy(update={"retention": "400d"})
    everywhere = rulebook.model_copy(update={"company": company})
    synced(hub_of(store, everywhere, desk, tmp_path, retention="500d"), 401)
    assert rows(store, BARE) == []
    synced(hub_of(store, everywhere, desk, tmp_path), 401)
    assert rows(store, FULL) == []


def test_erasure_reaches_what_is_kept_of_them(hub: Hub, desk: Desk) -> None:
    synced(hub)
    synced(hub, 401)
    [(public_id,)] = rows(
        hub.store,
        "SELECT c.public_id FROM profile_ledger l JOIN customer_ledger c ON c.customer_no = l.customer_no"
        " WHERE l.key = 'bob'",
    )
    erase(hub.store, public_id, dry_run=False, as_of=NOW + 401 * DAY)
    tables = ("profile", "contact_point", "interaction", "money_entry")
    left = " UNION ALL ".join(
        f"SELECT t.landing_no FROM {name} t JOIN landing l ON l.landing_no = t.landing_no"  # noqa: S608
        " WHERE l.key IN ('bob', 't1', 'in1')"
        for name in tables
    )
    assert rows(hub.store, left) == []
    synced(hub, 402)
    assert rows(hub.store, "SELECT COUNT(*) FROM customer_card WHERE display_name = 'Bob Example'") == [(0,)]
    with hub.store.read() as connection:
        assert not any(row.difference for row in status.reconciliation(connection, hub.sources))
