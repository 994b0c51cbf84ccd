"""Every system of which there are exchanges in one hub, over real HTTP: landed, mapped, a person one customer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import stamina
from sqlalchemy import text

from hub.export.views import create_views
from hub.run import Hub, Report
from hub.store.engine import open_store
from hub.sync import remap, sync
from mappings.rulebook import Instance, Rulebook
from tests.mappings.played import expectation, source_of
from tests.mappings.replay import Replay, replaying, systems

AS_OF = 1_772_323_200_000_000  # 1 March 2026
ADA = "ada.brandt@alpine.example"
GRAPH = {
    "cards": "SELECT customer_no, kind, display_name, emails, phones, stage, interaction_count, revenue, flags"
    " FROM customer_card ORDER BY customer_no",
    "assignment": "SELECT source, stream, key, customer_no FROM profile_ledger ORDER BY profile_no",
    "entries": "SELECT customer_no, at, kind, amount, currency FROM entry ORDER BY entry_no",
}


@dataclass(frozen=True, slots=True)
class Together:
    """The hub, its running systems, and what its first run said."""

    hub: Hub
    replays: dict[str, Replay]
    first: Report

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.hub.store.read() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    def graph(self) -> dict[str, list[tuple[Any, ...]]]:
        return {name: self.rows(sql) for name, sql in GRAPH.items()}


@pytest.fixture(scope="module")
def together(rulebook: Rulebook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    with ExitStack() as running, stamina.set_testing(True, attempts=10, cap=True):
        replays = {name: running.enter_context(replaying(name)) for name in systems()}
        settings = {name: expectation(name)["settings"] for name in replays}
        sources = {name: source_of(name, replay.base_url, settings[name]) for name, replay in replays.items()}
        named = {name: Instance(system=name) for name in sources}
        company = rulebook.company.model_copy(update={"sources": named})
        store = open_store(f"sqlite:///{tmp_path_factory.mktemp('together')}/hub.db")
        running.callback(store.close)
        with store.write() as connection:
            create_views(connection, company.reporting_currency)
        hub = Hub(store, rulebook.model_copy(update={"company": company}), sources)
        yield Together(hub, replays, sync(hub, AS_OF))


def test_every_stream_of_every_system_lands(together: Together) -> None:
    assert together.first.errors == {}
    landed = {(source, stream): count for source, stream, count in together.rows(
        "SELECT source, stream, count(*) FROM landing GROUP BY source, stream"
    )}  # fmt: skip
    expected = {
        (name, stream): told["records"]
        for name in together.replays
        for stream, told in expectation(name)["streams"].items()
        if told["records"]
    }
    assert landed == expected


def test_only_the_dead_letters_that_are_expected_are_there(together: Together) -> None:
    dead = together.rows("SELECT source, stream, count(*) FROM dead_letter GROUP BY source, stream")
    expected = [
        (name, stream, told["dead_letters"])
        for name in together.replays
        for stream, told in expectation(name)["streams"].items()
        if told.get("dead_letters")
    ]
    assert sorted(dead) == sorted(expected)


def test_a_person_whom_many_systems_know_is_one_customer(together: Together) -> None:
    known = together.rows(f"SELECT DISTINCT source FROM contact_point WHERE value = '{ADA}'")  # noqa: S608
    cards = together.rows(f"SELECT customer_no FROM customer_card WHERE emails LIKE '%{ADA}%'")  # noqa: S608
    assert len(known) >= 6
    assert len(cards) == 1


def test_an_id_that_two_systems_share_joins_without_an_address(together: Together) -> None:
    known = together.rows(
        "SELECT DISTINCT identifier.source, customer_no FROM identifier JOIN profile_ledger USING (profile_no)"
        " WHERE system = 'app' AND value = 'u-2' ORDER BY 1"
    )
    assert [source for source, _ in known] == ["intercom", "umami"]
    assert len({customer for _, customer in known}) == 1


def test_a_second_run_changes_nothing(together: Together) -> None:
    before = together.graph()
    for replay in together.replays.values():
        replay.forget()
    again = sync(together.hub, AS_OF)
    assert again.errors == {}
    assert (again.counts["changed"], again.counts["mapped"]) == (0, 0)
    assert together.graph() == before


def test_a_remap_without_network_gives_the_same(together: Together) -> None:
    before = together.graph()
    asked = sum(len(replay.told) for replay in together.replays.values())
    assert remap(together.hub, AS_OF).errors == {}
    assert together.graph() == before
    assert sum(len(replay.told) for replay in together.replays.values()) == asked


def test_no_secret_of_any_system_is_in_the_database(together: Together) -> None:
    told: set[str] = set()
    for source in together.hub.sources.values():
        told |= {source.settings.get(name, "") for name, about in source.system.settings.items() if about.secret}
    told |= {token for name in together.replays for token in expectation(name).get("private", [])}
    kept = json.dumps(together.rows("SELECT cursor FROM stream_state") + together.rows("SELECT error FROM stream_run"))
    assert [secret for secret in told if secret and secret in kept] == []
