"""A sync that is killed at any moment, with children, deletions and retention about: nothing is lost, nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from hub.run import Hub
from hub.store.engine import Store
from hub.sync import remap, sync
from mappings.rulebook import Instance, Rulebook
from tests.hub.desk import Desk, comment, folder_of, hub_of, rows, served, stocked

DAY = 86_400 * 1_000_000
NOW = 1_780_000_000_000_000
HELD = {
    "landing": "SELECT stream, key, state, length(payload), CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END FROM landing"
    " ORDER BY 1, 2",
    "facts": "SELECT type, at, stream FROM interaction ORDER BY 1, 2, 3",
    "money": "SELECT kind, amount, customer_no IS NULL FROM money_entry ORDER BY 1, 2",
    "controls": "SELECT stream, amount FROM control ORDER BY 1, 2",
    "cards": "SELECT display_name, emails, interaction_count, revenue FROM customer_card ORDER BY 1, 2",
    "due": "SELECT stream, parent_no FROM parent_due",
    "read": "SELECT stream, key FROM read_key",
    "leases": "SELECT stream, holder FROM lease",
}
SYNC = """
import os, sys
from pathlib import Path
from hub.run import Hub
from hub.store.engine import open_store
from hub.sync import sync
from mappings.loader import load_rulebook, load_sources, shipped

url, folder, as_of = sys.argv[1:]
folders = [Path(folder), shipped()]
rules = load_rulebook(folders)
sync(Hub(open_store(url), rules, load_sources(rules, folders, os.environ)), int(as_of))
"""
MOMENTS = ("/people?page=2", "/tickets?page=2", "/tickets/t4/comments?page=2", "/voids?page=1")


def held(store: Store) -> dict[str, list[Any]]:
    return {name: rows(store, sql) for name, sql in HELD.items()}


def changed(desk: Desk) -> None:
    """A year later: somebody and an invoice are gone, two tickets go on."""
    desk.drop("/people", "fay")
    desk.drop("/invoices", "in2")
    desk.holds["/voids"].append({"invoice": "in2"})
    for key in ("t0", "t4"):
        desk.of("/tickets", key)["subject"] = "Help again"
        desk.holds[f"/tickets/{key}/comments"].append(comment(f"c{key}"))


def whole(desk: Desk, hub: Hub) -> None:
    assert sync(hub, NOW).errors == {}
    changed(desk)
    assert sync(hub, NOW + 401 * DAY).errors == {}


def killed_at(desk: Desk, moment: str, command: list[str]) -> None:
    """Runs the command and kills it while it waits for the answer to this request."""
    there, go_on = Event(), Event()

    def stop(asked: str) -> None:
        if asked == moment:
            there.set()
            go_on.wait(30)

    desk.before = stop
    environment = os.environ | {"DESK_BASE_URL": desk.url}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert there.wait(30), f"{moment} was never asked for"
        process.send_signal(signal.SIGKILL)
        process.wait()
    desk.before = lambda asked: None
    go_on.set()


def test_a_sync_that_is_killed_again_and_again_ends_as_one_that_never_was(
    store: Store, new_store: Callable[[str], Store], rulebook: Rulebook, tmp_path: Path
) -> None:
    with served(stocked()) as desk:
        unharmed = new_store(store.dialect)
        whole(desk, hub_of(unharmed, rulebook, desk, tmp_path / "unharmed", retention="400d"))
    with served(stocked()) as desk:
        hub = hub_of(store, rulebook, desk, tmp_path / "one", retention="400d")
        assert sync(hub, NOW).errors == {}
        changed(desk)
        folder = _folder(rulebook, tmp_path / "killed")
        command = [sys.executable, "-c", SYNC, store.url, str(folder), str(NOW + 401 * DAY)]
        for moment in MOMENTS:
            killed_at(desk, moment, command)
        assert sync(hub, NOW + 401 * DAY).errors == {}
    assert held(store) == held(unharmed)
    before = held(store)
    remap(hub, NOW + 401 * DAY)
    assert held(store) == before


def _folder(rulebook: Rulebook, path: Path) -> Path:
    """A folder of mappings and rules in which the desk is the only source."""
    sources = {"desk": Instance(system="desk", retention="400d")}
    company = rulebook.company.model_copy(update={"sources": sources})
    (folder_of(path) / "rules").mkdir()
    (path / "rules" / "company.yml").write_text(company.model_dump_json(exclude_none=True))
    return path
