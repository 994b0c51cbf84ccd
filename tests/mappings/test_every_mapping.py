"""What every shipped mapping of which there are exchanges has to hold: the inherited suite, one run a file.

A new system takes part by its exchanges: tests/mappings/exchanges/<system>/*.json and expect.json (see played.py).
"""

from __future__ import annotations

import json
import logging
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina

from connectors.errors import Unauthorized
from connectors.pull import Connection
from mappings.loader import load_system, shipped, variable
from mappings.model import ENTITIES
from mappings.paths import steps_of, walk
from mappings.rulebook import Rulebook
from tests.mappings.played import Played, Pulled, controls, expectation, money, play
from tests.mappings.replay import EXCHANGES, PASSING, exchanges, replaying, systems

HOUSE = Path(__file__).parents[2]
FILES = {path.stem: path for path in sorted(shipped().glob("sources/**/*.yml"))}
IN_THE_SANDBOX = {"hubspot", "zendesk"}  # tests/connectors/test_shipped_pulls.py
PROOF = {"documented": set(), "recorded": {"server", "recorded"}, "live": {"server", "on"}}
CREDENTIAL = re.compile(r"token|secret|password|key|credential")
BREAKS = 6  # a list of windows has many pages, of which the last hold something
NO_SECRET = re.compile(r"_id$|^key_id$|public")


@pytest.fixture(scope="module", params=systems())
def played(request: pytest.FixtureRequest, rulebook: Rulebook) -> Iterator[Played]:
    """A system whose streams were pulled and mapped once; failures that pass are not waited for."""
    with replaying(request.param) as replay, stamina.set_testing(True, attempts=10, cap=True):
        made = play(replay, request.param, rulebook)
        strays = list(map(str, replay.strays))
        assert strays == []
        yield made


@pytest.fixture(autouse=True)
def _anew(request: pytest.FixtureRequest) -> None:
    if "played" in request.fixturenames:
        request.getfixturevalue("played").replay.forget()


def pulled(played: Played) -> Iterator[tuple[str, Pulled, dict[str, Any]]]:
    """Each stream by name, what came, and what is expected of it."""
    for name, found in played.streams.items():
        yield name, found, played.expected["streams"][name]


def listed(played: Played) -> list[str]:
    """The streams that are lists of their own."""
    return [name for name, spec in played.specs.items() if spec.parent is None]


@pytest.mark.parametrize("name", FILES)
def test_every_shipped_mapping_has_exchanges_or_a_place_in_the_sandbox(name: str) -> None:
    assert name in systems() or name in IN_THE_SANDBOX


@pytest.mark.parametrize("name", FILES)
def test_a_mapping_says_what_a_reader_needs(name: str) -> None:
    system = load_system(FILES[name])
    assert system.about.endswith(".")
    assert (system.docs or "").startswith("https://")
    assert system.http.base_url == "${base_url}"
    assert all(about.about or about.default for about in system.settings.values())
    told = {n for n in system.settings if CREDENTIAL.search(n) and not NO_SECRET.search(n)}
    assert told <= {n for n, about in system.settings.items() if about.secret}


@pytest.mark.parametrize("name", FILES)
def test_the_label_of_a_mapping_is_proven(name: str) -> None:
    label = load_system(FILES[name]).verified
    proof = expectation(name).get("proof", {}) if name in systems() else {}
    assert set(proof) >= PROOF[label]
    assert bool(proof) == (label != "documented")
    assert all((EXCHANGES / name / file).is_file() for file in proof.get("recorded", []))
    assert (HOUSE / proof.get("test", ".")).exists()


@pytest.mark.parametrize("name", systems())
def test_the_exchanges_hold_what_a_system_does_on_a_bad_day(name: str) -> None:
    system, answers = load_system(FILES[name]), exchanges(name)
    assert [answer for answer in answers if answer.refusal]
    assert system.verified != "documented" or 429 in {answer.status for answer in answers}
    assert set(expectation(name)["streams"]) == set(system.streams)


@pytest.mark.parametrize("name", systems())
def test_what_pages_go_by_stands_in_the_answers(name: str) -> None:
    system = load_system(FILES[name])
    answers = [json.loads(answer.content) for answer in exchanges(name) if answer.status == 200]
    for pages in [system.http.pages, *(stream.pages for stream in system.streams.values())]:
        told = [pages.value, pages.next, pages.while_, pages.until, pages.total, pages.total_pages] if pages else []
        for path in (path for path in told if path and not path.startswith(("header.", "last."))):
            assert any(walk(answer, steps_of(path)) is not None for answer in answers), path


def test_every_stream_ends_with_the_records_it_has(played: Played) -> None:
    found = {name: len(set(came.keys)) for name, came, _ in pulled(played)}
    assert found == {name: expected["records"] for name, _, expected in pulled(played)}


def test_a_busy_system_is_asked_again(played: Played) -> None:
    passing = [exchange for exchange in played.replay.exchanges if exchange.status in PASSING]
    assert [exchange.about for exchange in passing if not exchange.used] == []


def test_every_record_has_a_key_of_its_own(played: Played) -> None:
    for name, came, expected in pulled(played):
        assert None not in came.keys, name
        twice = sum(count - 1 for count in Counter(came.keys).values())
        assert twice == expected.get("twice", 0), name


def test_a_list_of_pages_is_walked_beyond_its_first(played: Played) -> None:
    assert max(len(played.streams[name].pages) for name in listed(played)) > 1


def test_a_pull_goes_on_from_any_page_with_exactly_the_rest(played: Played) -> None:
    for name in listed(played):
        pages = played.streams[name].pages
        for number in range(1, len(pages))[-BREAKS:]:
            played.replay.forget()
            resumed = played.pages(name, _kept(pages[number - 1].cursor))
            rest = [record.key for page in resumed for record in page.records]
            assert rest == [record.key for page in pages[number:] for record in page.records], (name, number)


def test_a_second_pull_brings_changes_only(played: Played) -> None:
    for name in listed(played):
        came, expected = played.streams[name], played.expected["streams"][name]
        played.replay.forget()
        again = [record.key for page in played.pages(name, _kept(came.cursor)) for record in page.records]
        assert len(set(again)) == expected.get("again", len(set(came.keys))), name
        if played.specs[name].since is not None:
            assert len(again) < len(came.keys), name
        assert [str(stray) for stray in played.replay.strays] == [], name


def test_the_rows_are_those_expected(played: Played) -> None:
    for name, came, expected in pulled(played):
        rows = {entity: len(made) for entity, made in came.mapped.rows.items() if made}
        assert rows == expected["rows"], name


def test_no_record_is_a_dead_letter_but_those_expected(played: Played) -> None:
    for name, came, expected in pulled(played):
        bad = {number for number, _, _ in came.mapped.problems}
        assert len(bad) == expected.get("dead_letters", 0), (name, came.mapped.problems)


def test_what_is_gone_at_the_source_is_told(played: Played) -> None:
    for name, came, expected in pulled(played):
        assert len(getattr(came.mapped, "gone", [])) == expected.get("gone", 0), name


def test_every_field_that_the_mapping_names_is_filled_by_some_record(played: Played) -> None:
    for name, came, expected in pulled(played):
        empty = [field for field in _named(played, name) if not _filled(came, field)]
        assert sorted(empty) == sorted(expected.get("unfilled", [])), name


def test_money_is_what_the_documents_say(played: Played) -> None:
    for name, came, expected in pulled(played):
        assert money(came) == expected.get("money", {}), name


def test_money_equals_its_own_control(played: Played) -> None:
    for name, came, _ in pulled(played):
        told = controls(came, played.specs[name])
        entries: Counter[tuple[tuple[str, ...], str]] = Counter()
        kinds = {kind: kinds for kinds, _ in told for kind in kinds}
        for currency, by_kind in money(came).items():
            for kind, amount in by_kind.items():
                entries[kinds.get(kind, (kind,)), currency] += amount
        assert {key: value for key, value in entries.items() if value} == {k: v for k, v in told.items() if v}, name


def test_wrong_credentials_name_the_variable_to_check(played: Played, caplog: pytest.LogCaptureFixture) -> None:
    secret = [variable(played.name, name) for name, about in played.source.system.settings.items() if about.secret]
    caplog.set_level(logging.DEBUG)
    for name in listed(played):
        played.replay.forget()
        played.replay.refusing = True
        with pytest.raises(Unauthorized) as refused:
            played.pages(name)
        assert [one for one in secret if one in str(refused.value)], str(refused.value)
        assert _leaks(played, str(refused.value), caplog.text) == []


def test_no_secret_is_kept_shown_or_logged(played: Played, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert min(map(len, played.secrets)) >= 8
    again = [page for name in listed(played) for page in played.pages(name)]
    kept = [page.cursor for name in played.streams for page in played.streams[name].pages]
    shown = [repr(played.source), repr(Connection(played.source)), *(repr(page.cursor) for page in again)]
    assert _leaks(played, json.dumps(kept), caplog.text, *shown) == []


def _kept(cursor: Any) -> Any:
    """A cursor as the database gives it back."""
    return json.loads(json.dumps(cursor))


def _leaks(played: Played, *texts: str) -> list[str]:
    forms = {form for secret in played.secrets for form in (secret, b64encode(secret.encode()).decode())}
    return [text for text in texts for form in forms if form in text]


def _named(played: Played, stream: str) -> set[str]:
    """entity.field, as the stream's blocks name them."""
    spec = played.specs[stream]
    found = {
        f"{entity}.{field}"
        for entity in ENTITIES
        for block in (spec.blocks(entity) if entity != "profile" else [spec.profile] if spec.profile else [])
        for field in ENTITIES[entity].fields
        if field != "profile" and getattr(block, field, None) is not None
    }
    lists = {"emails": "EMAIL", "phones": "PHONE", "devices": "DEVICE", "address": "ADDRESS"}
    found |= {f"contact_point.{kind}" for name, kind in lists.items() if getattr(spec.profile, name, None)}
    found |= {f"identifier.{name}" for name in getattr(spec.profile, "identifiers", None) or {}}
    found |= {f"attributes.{name}" for name in getattr(spec.profile, "attributes", None) or {}}
    return found | ({"membership"} if getattr(spec.profile, "memberships", None) else set())


def _filled(came: Pulled, named: str) -> bool:
    entity, _, field = named.partition(".")
    if entity == "contact_point":
        return any(row["type"] == field for row in came.rows(entity))
    if entity == "identifier":
        return any(row["system"] == field for row in came.rows(entity))
    if entity == "attributes":
        told = [json.loads(row["attributes"] or "{}") for row in came.rows("profile")]
        return any(values.get(field) is not None for values in told)
    return any(not field or row[field] is not None for row in came.rows(entity))
