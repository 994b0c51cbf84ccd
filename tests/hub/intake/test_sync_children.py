"""Children are asked for where their parent is new or changed, and for no other; nothing is lost by a break."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from hub import clock
from hub.run import Hub, Report
from hub.store import lease
from hub.store.engine import Store
from hub.store.gone import mark_gone
from hub.store.landing import digest
from hub.sync import remap, sync
from mappings.rulebook import Rulebook
from tests.hub.desk import SYSTEM, Desk, comment, hub_of, rows, ticket
from tests.hub.test_sync import graph

DAY = 86_400 * 1_000_000
NOW = 1_780_000_000_000_000
DUE = "SELECT l.key FROM parent_due d JOIN landing l ON l.landing_no = d.parent_no ORDER BY l.key"
COMMENTS = "SELECT COUNT(*) FROM landing WHERE stream = 'comments'"


@pytest.fixture
def hub(store: Store, rulebook: Rulebook, desk: Desk, tmp_path: Path) -> Hub:
    return hub_of(store, rulebook, desk, tmp_path)


def synced(hub: Hub, day: int = 0) -> Report:
    report = sync(hub, NOW + day * DAY)
    assert report.errors == {}
    return report


def asked(desk: Desk) -> set[str]:
    """The tickets whose comments were asked for since the last time."""
    found = {path.split("/")[2] for path in desk.asked if path.endswith("/comments?page=1")}
    desk.asked.clear()
    return found


def system_with(stream: str, **said: Any) -> dict[str, Any]:
    streams = {**SYSTEM["streams"]}
    streams[stream] = {**streams[stream], **said}
    return {**SYSTEM, "streams": streams}


def test_at_first_all_parents_are_asked_about_and_then_those_that_changed(hub: Hub, desk: Desk) -> None:
    synced(hub)
    assert asked(desk) == {"t0", "t1", "t2", "t3", "t4"}
    assert rows(hub.store, COMMENTS) == [(15,)]
    assert rows(hub.store, "SELECT COUNT(*) FROM interaction WHERE type = 'ticket.commented'") == [(15,)]
    synced(hub)
    assert asked(desk) == set()
    desk.of("/tickets", "t1")["subject"] = "Help again"
    desk.holds["/tickets/t1/comments"].append(comment("c19"))
    desk.holds["/tickets"].append(ticket("t5", "fay"))
    desk.holds["/tickets/t5/comments"] = [comment("c50")]
    report = synced(hub, 1)
    assert asked(desk) == {"t1", "t5"}
    assert report.counts["changed"] == 2 + 2
    assert rows(hub.store, COMMENTS) == [(17,)]
    assert rows(hub.store, DUE) == []


def test_a_change_that_is_none_asks_for_nothing(hub: Hub, desk: Desk) -> None:
    synced(hub)
    asked(desk)
    desk.of("/tickets", "t1")["seen"] = 7
    synced(hub, 1)
    assert asked(desk) == set()


def test_a_parent_that_fails_stays_due_and_the_others_are_done(hub: Hub, desk: Desk) -> None:
    desk.broken.add("/tickets/t2/comments?page=1")
    desk.broken.add("/tickets/t4/comments?page=2")
    report = sync(hub, NOW)
    assert list(report.errors) == ["desk.comments"]
    assert rows(hub.store, DUE) == [("t2",), ("t4",)]
    asked(desk)
    desk.broken.clear()
    synced(hub, 1)
    assert asked(desk) == {"t2", "t4"}
    assert rows(hub.store, COMMENTS) == [(15,)]


def test_children_follow_what_is_due_where_the_parents_cannot_be_pulled(hub: Hub, desk: Desk) -> None:
    desk.broken.add("/tickets?page=2")
    assert list(sync(hub, NOW).errors) == ["desk.tickets"]
    assert asked(desk) == {"t0", "t1", "t2"}
    desk.broken.clear()
    synced(hub, 1)
    assert asked(desk) == {"t3", "t4"}


def test_a_stream_of_children_that_is_new_asks_about_all_that_is_landed(
    store: Store, rulebook: Rulebook, desk: Desk, tmp_path: Path
) -> None:
    without = {**SYSTEM, "streams": {name: said for name, said in SYSTEM["streams"].items() if name != "comments"}}
    synced(hub_of(store, rulebook, desk, tmp_path / "without", without))
    assert asked(desk) == set()
    synced(hub_of(store, rulebook, desk, tmp_path / "with"), 1)
    assert asked(desk) == {"t0", "t1", "t2", "t3", "t4"}


def test_all_parents_are_asked_about_again_when_their_time_has_passed(
    store: Store, rulebook: Rulebook, desk: Desk, tmp_path: Path
) -> None:
    parent = SYSTEM["streams"]["comments"]["parent"] | {"again": "2d"}
    hub = hub_of(store, rulebook, desk, tmp_path, system_with("comments", parent=parent))
    synced(hub)
    asked(desk)
    synced(hub, 1)
    assert asked(desk) == set()
    desk.holds["/tickets/t3/comments"].append(comment("c39"))
    synced(hub, 2)
    assert asked(desk) == {"t0", "t1", "t2", "t3", "t4"}
    assert rows(hub.store, COMMENTS) == [(16,)]


def test_who_the_mapping_leaves_out_is_not_asked_about_and_not_due(
    store: Store, rulebook: Rulebook, desk: Desk, tmp_path: Path
) -> None:
    parent = SYSTEM["streams"]["comments"]["parent"] | {"when": {"id": ["t1", "t2"]}}
    hub = hub_of(store, rulebook, desk, tmp_path, system_with("comments", parent=parent))
    synced(hub)
    assert asked(desk) == {"t1", "t2"}
    assert rows(hub.store, DUE) == []


def test_a_parent_that_is_gone_is_not_asked_about(hub: Hub, desk: Desk) -> None:
    desk.broken.add("/tickets/t2/comments?page=1")
    sync(hub, NOW)
    with hub.store.write() as connection:
        assert mark_gone(connection, "desk", "tickets", ["t2", "t3", "unknown"], NOW) == 2
        assert mark_gone(connection, "desk", "tickets", ["t2"], NOW) == 0
    assert rows(hub.store, DUE) == []
    desk.drop("/tickets", "t2")
    desk.drop("/tickets", "t3")
    asked(desk)
    synced(hub, 1)
    assert asked(desk) == set()
    assert rows(hub.store, "SELECT COUNT(*) FROM interaction WHERE type = 'ticket.opened'") == [(3,)]


def test_a_parent_that_changes_while_its_children_are_read_stays_due(hub: Hub, desk: Desk) -> None:
    synced(hub)
    desk.of("/tickets", "t1")["subject"] = "Help again"

    def changes(path: str) -> None:
        if path.startswith("/tickets/t1/comments"):
            with hub.store.write() as connection:
                connection.exec_driver_sql(
                    f"UPDATE landing SET raw_hash = {_blob(hub, digest(b'later'))} WHERE key = 't1'"  # noqa: S608
                )

    desk.before = changes
    synced(hub, 1)
    assert rows(hub.store, DUE) == [("t1",)]
    desk.before = lambda path: None
    synced(hub, 2)
    assert rows(hub.store, DUE) == []


def _blob(hub: Hub, value: bytes) -> str:
    return f"x'{value.hex()}'" if hub.store.dialect == "sqlite" else rf"'\x{value.hex()}'::bytea"


def test_one_stream_alone_can_be_pulled(hub: Hub, desk: Desk) -> None:
    sync(hub, NOW, ["desk.tickets"])
    assert {path.split("?")[0] for path in desk.asked} == {"/tickets"}
    assert len(rows(hub.store, DUE)) == 5
    desk.asked.clear()
    sync(hub, NOW, ["desk.comments"])
    assert asked(desk) == {"t0", "t1", "t2", "t3", "t4"}
    assert rows(hub.store, "SELECT DISTINCT stream FROM stream_run ORDER BY 1") == [("comments",), ("tickets",)]


def test_a_remap_gives_the_same_graph(hub: Hub, desk: Desk) -> None:
    synced(hub)
    desk.of("/tickets", "t1")["subject"] = "Help again"
    desk.holds["/tickets/t1/comments"].append(comment("c19"))
    synced(hub, 1)
    before = graph(hub.store)
    remap(hub, NOW + DAY)
    assert graph(hub.store) == before


# who pulls -----------------------------------------------------------------------------------------------------------
def test_a_stream_that_another_process_pulls_is_left_alone(hub: Hub, desk: Desk) -> None:
    with hub.store.write() as connection:
        assert lease.take(connection, "desk", "tickets", "another", clock.now())
    report = synced(hub)
    assert report.status == "OK"
    assert list(report.notes) == ["desk.tickets"]
    assert "another process" in report.notes["desk.tickets"]
    assert desk.requests("/tickets") == 0
    assert desk.requests("/people") > 0
    assert rows(hub.store, "SELECT source, stream, holder FROM lease") == [("desk", "tickets", "another")]
    assert rows(hub.store, "SELECT COUNT(*) FROM stream_run WHERE stream = 'tickets'") == [(0,)]


def test_a_stream_whose_lease_another_has_taken_over_lands_nothing_more(hub: Hub, desk: Desk) -> None:
    def taken_over(path: str) -> None:
        if path == "/tickets?page=2":
            with hub.store.write() as connection:
                now = clock.now()
                assert lease.take(connection, "desk", "tickets", "another", now + 2 * lease.LEASE_US)

    desk.before = taken_over
    report = sync(hub, NOW)
    assert rows(hub.store, "SELECT COUNT(*) FROM landing WHERE stream = 'tickets'") <= [(3,)]
    assert report.errors == {}
    assert rows(hub.store, "SELECT holder FROM lease") == [("another",)]


def test_leases_are_given_back_whatever_happened(hub: Hub, desk: Desk) -> None:
    desk.broken.add("/people?page=1")
    sync(hub, NOW)
    assert rows(hub.store, "SELECT * FROM lease") == []


def test_a_run_that_is_told_to_end_lands_what_it_has_and_is_due_at_once(
    store: Store, rulebook: Rulebook, desk: Desk, tmp_path: Path
) -> None:
    told, go_on = Event(), Event()

    def tell(path: str) -> None:
        if path == "/tickets?page=2":
            told.set()
            go_on.wait(20)

    desk.before = tell
    whole = hub_of(store, rulebook, desk, tmp_path)
    report = sync(replace(whole, ending=told.is_set), NOW)
    go_on.set()
    assert report.errors == {}
    assert rows(store, "SELECT COUNT(*) FROM landing WHERE stream = 'tickets'") == [(3,)]
    [(due_at,)] = rows(store, "SELECT due_at FROM stream_state WHERE stream = 'tickets'")
    assert due_at is not None
    desk.before = lambda path: None
    desk.asked.clear()
    synced(whole, 1)
    assert "/tickets?page=1" not in desk.asked
    assert rows(store, COMMENTS) == [(15,)]
