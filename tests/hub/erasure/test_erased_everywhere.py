"""Erasure reaches what the mapping made nothing of: deleted, let go, waiting, failing and unmapped records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub import status
from hub.erasure.erase import erase
from hub.run import Hub
from hub.store.engine import Store
from hub.store.gone import note_read
from hub.store.kept import metadata
from hub.sync import pull, remap, sync
from mappings.rulebook import Rulebook
from tests.hub.desk import SYSTEM, Desk, hub_of, person, rows, served, stocked, ticket
from tests.hub.test_sync import graph

DAY = 86_400 * 1_000_000
NOW = 1_780_000_000_000_000
BOB = "bob@bob.example"
LIST = {"records": "data", "key": "id", "pages": {"page": "page", "while": "more"}}
SAID = {"at": "at", "channel": "WEB", "lane": "CUSTOMER"}
WANTED = {"wanted": True}
MORE: dict[str, Any] = {
    "leads": {"get": "/leads", **LIST, "deleted": {"when": {"void": True}}, "profile": {"kind": "PERSON"}},
    "forms": {
        "get": "/forms",
        **LIST,
        "interaction": {
            "profile": {"stream": "people", "key": "who"},
            "when": {"wanted": True},
            "type": "form",
            **SAID,
        },
    },
}


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Bob stands in records of every fate: his own, a lead that is void, a form that nobody wants, another's ticket."""
    with served(stocked()) as desk:
        desk.holds["/leads"] = [{"id": "l1", "email": BOB, "void": True}, {"id": "l2", "email": "x@x.example"}]
        desk.holds["/forms"] = [{"id": BOB, "wanted": False, "at": "2026-05-01"}, {"id": "f2", "at": "2026-05-01"}]
        desk.of("/tickets", "t0")["copy_to"] = [{"email": BOB}, {"email": "cem@cem.example"}]
        desk.holds["/tickets"].append(ticket("t8", "bob", at="soon", reply_to=BOB))
        yield desk


@pytest.fixture
def hub(store: Store, rulebook: Rulebook, desk: Desk, tmp_path: Path) -> Hub:
    system = SYSTEM | {"streams": SYSTEM["streams"] | MORE}
    return hub_of(store, rulebook, desk, tmp_path, system, retention="400d")


def _readable(value: object) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)


def everything(store: Store) -> str:
    """All that any table holds."""
    said = []
    with store.read() as connection:
        for name in metadata.tables:
            for row in connection.execute(text(f'SELECT * FROM "{name}"')):  # noqa: S608
                spoken = (value for value in row if not isinstance(value, bytes | memoryview) or len(value) != 16)
                said += [_readable(value) for value in spoken]
    return "\n".join(said).lower()


@pytest.mark.parametrize("day", [1, 401], ids=["what was sent is kept", "its retention is over"])
def test_nothing_of_them_is_left_in_any_table(hub: Hub, desk: Desk, day: int) -> None:
    assert sync(hub, NOW).errors == {}
    desk.drop("/invoices", "in1")
    desk.holds["/voids"].append({"invoice": "in1"})
    sync(hub, NOW + day * DAY)
    desk.holds["/tickets"].append(ticket("t9", "bob", reply_to=BOB))
    desk.of("/people", "bob")["name"] = "Bob Example-Byron"
    pull(hub, NOW + day * DAY, ["desk.tickets", "desk.people"], NOW)
    with hub.store.write() as connection:
        note_read(connection, "desk", "people", ["bob"])
    assert rows(hub.store, "SELECT COUNT(*) FROM dead_letter") == [(1,)]
    [(public_id,)] = rows(
        hub.store,
        "SELECT c.public_id FROM profile_ledger l JOIN customer_ledger c ON c.customer_no = l.customer_no"
        " WHERE l.stream = 'people' AND l.key = 'bob'",
    )
    erase(hub.store, public_id, dry_run=False, as_of=NOW + day * DAY)
    left = everything(hub.store)
    assert BOB not in left
    assert "byron" not in left
    assert rows(hub.store, "SELECT key FROM landing WHERE stream = 'forms'") == [("f2",)]
    assert rows(hub.store, "SELECT key FROM read_key") == []
    nobodys = "SELECT 1 FROM parent_due WHERE parent_no NOT IN (SELECT landing_no FROM landing)"
    assert rows(hub.store, nobodys) == []
    if day == 1:
        assert rows(hub.store, "SELECT key FROM landing WHERE stream = 'leads'") == [("l2",)]
        [(payload,)] = rows(hub.store, "SELECT payload FROM landing WHERE key = 't0'")
        assert json.loads(payload)["copy_to"] == [{"email": None}, {"email": "cem@cem.example"}]
    assert sync(hub, NOW + day * DAY).status == "OK"
    assert "Bob Example" not in str(rows(hub.store, "SELECT display_name FROM customer_card"))
    before = graph(hub.store)
    remap(hub, NOW + day * DAY)
    assert graph(hub.store) == before


def test_counts_of_records_follow_what_goes_and_comes(hub: Hub, desk: Desk) -> None:
    def counted() -> list[int]:
        told = rows(hub.store, "SELECT source, stream, record_count FROM stream_state ORDER BY 1, 2")
        with hub.store.read() as connection:
            shown = sorted((row.source, row.stream, row.records) for row in status.streams(connection))
        assert told == shown
        return [count for _, stream, count in told if stream == "people"]

    sync(hub, NOW)
    assert counted() == [6]
    desk.drop("/people", "fay")
    sync(hub, NOW + DAY)
    assert counted() == [5]
    desk.holds["/people"].append(person("fay"))
    sync(hub, NOW + 2 * DAY)
    assert counted() == [6]
    [(public_id,)] = rows(hub.store, "SELECT public_id FROM customer_card WHERE display_name = 'Fay Example'")
    erase(hub.store, public_id, dry_run=False, as_of=NOW + 2 * DAY)
    assert counted() == [5]
    sync(hub, NOW + 3 * DAY)
    assert counted() == [5]
