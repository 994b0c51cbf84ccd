"""The review queue in GraphQL: which pairs wait, what both sides say, pages, a source's own; it follows decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, update

from hub.access.principal import Principal
from hub.identity.steward import judgement
from hub.store import derived, kept
from hub.store.mapped import MAPPED
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import Graph, at, put, put_customer
from tests.hub.api.crowd import sights

PEOPLE = {5: "Anna Vogt", 6: "A. Vogt", 7: "Anna Voigt"}
# profile, source, customer: 19 is a visitor who is nobody yet
PROFILES = [(15, "hubspot", 5), (16, "stripe", 5), (17, "zendesk", 6), (18, "matomo", 7), (19, "matomo", None)]
LINKS = [
    ((15, 16), "MATCH", 990_000, False),  # one customer
    ((15, 17), "UNSURE", 700_000, True),  # less likely than 16 and 17, of the same customers
    ((16, 17), "UNSURE", 800_000, True),
    ((16, 18), "UNSURE", 650_000, True),
    ((17, 18), "UNSURE", 300_000, False),  # nobody need look
    ((17, 19), "UNSURE", 650_000, True),
    ((11, 13), "UNSURE", 900_000, True),  # judged before
    ((11, 12), "UNSURE", 900_000, True),  # one customer by now
]
QUEUE = ["lnk_16-17", "lnk_17-19", "lnk_16-18", "lnk_13-14"]  # the last one is of everybody's graph
LIST = """query Q($first: Int, $after: String, $last: Int, $before: String, $source: String) {
  reviews(first: $first, after: $after, last: $last, before: $before, source: $source) {
    totalCount edges { cursor node { judgement { id } } } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""


def tell(connection: Connection) -> None:
    for number, name in PEOPLE.items():
        put_customer(connection, number, name, country="GB" if number == 7 else "DE")
    for number, source, customer in PROFILES:
        said: dict[str, Any] = {"source": source, "stream": "contacts", "key": f"k{number}"}
        put(connection, kept.profile_ledger, profile_no=number, **said, customer_no=customer)
        shown = PEOPLE.get(customer or 0)
        for record in (0, 1):  # two records that say the same
            place: dict[str, Any] = {
                "fact_no": (number << 16) + record,
                "source": source,
                "stream": "contacts",
                "profile_no": number,
            }
            birth = "1980-02-03" if record == 0 else None
            put(connection, MAPPED["profile"], **place, kind="PERSON", display_name=shown, birth_date=birth)
            put(connection, MAPPED["contact_point"], **place, type="EMAIL", value=f"anna{customer}@mail.example")
    put(connection, MAPPED["contact_point"], fact_no=9 << 20, profile_no=17, type="EMAIL", value="a@vogt.example")
    put(connection, MAPPED["contact_point"], fact_no=10 << 20, profile_no=17, type="PHONE", value="+4930123456")
    for (left, right), verdict, score, review in LINKS:
        judged: dict[str, Any] = {
            "verdict": verdict,
            "rule": "name_and_town",
            "score": score,
            "at": at("2026-01-01T00:00:00"),
        }
        pair = {"left_profile_no": left, "right_profile_no": right}
        if (left, right) == (11, 12):
            where = (derived.link.c.left_profile_no == left, derived.link.c.right_profile_no == right)
            connection.execute(update(derived.link).where(*where).values(verdict=verdict, review=review))
        else:
            put(connection, derived.link, **pair, **judged, review=review, reasons='["names agree","not joined: no"]')


@pytest.fixture
def doubtful(told: Graph) -> Graph:
    """The graph of Mike and Mia, with Annas of whom the hub is not sure."""
    with told.store.write() as connection:
        tell(connection)
    return told


def waiting(graph: Graph, **asked: Any) -> list[str]:
    return [edge["node"]["judgement"]["id"] for edge in graph.data(LIST, **asked)["reviews"]["edges"]]


def test_a_pair_of_customers_waits_once_the_likeliest_first(doubtful: Graph) -> None:
    found = doubtful.data(LIST)["reviews"]
    assert [edge["node"]["judgement"]["id"] for edge in found["edges"]] == QUEUE
    assert found["totalCount"] == len(QUEUE)
    assert doubtful.planned == 1


def test_both_sides_say_who_they_are_and_whose_they_are(doubtful: Graph) -> None:
    query = """{ reviews(first: 1) { edges { node {
        judgement { id verdict rule score reasons decidedBy at withdrawnAt left { source stream key } right { key } }
        left { ...side } right { ...side } } } } }
      fragment side on Profile { source stream key displayName birthDate emails phones addresses
        customer { id displayName identity { profileCount } profiles { source } } }"""
    [edge] = doubtful.data(query)["reviews"]["edges"]
    assert edge["node"] == {
        "judgement": {
            "id": "lnk_16-17",
            "verdict": "UNSURE",
            "rule": "name_and_town",
            "score": 0.8,
            "reasons": ["names agree", "not joined: no"],
            "decidedBy": "hub",
            "at": "2026-01-01T00:00:00Z",
            "withdrawnAt": None,
            "left": {"source": "stripe", "stream": "contacts", "key": "k16"},
            "right": {"key": "k17"},
        },
        "left": {
            "source": "stripe",
            "stream": "contacts",
            "key": "k16",
            "displayName": "Anna Vogt",
            "birthDate": "1980-02-03",
            "emails": ["anna5@mail.example"],
            "phones": [],
            "addresses": [],
            "customer": {
                "id": "cus_0005",
                "displayName": "Anna Vogt",
                "identity": {"profileCount": 2},
                "profiles": [{"source": "hubspot"}, {"source": "stripe"}],
            },
        },
        "right": {
            "source": "zendesk",
            "stream": "contacts",
            "key": "k17",
            "displayName": "A. Vogt",
            "birthDate": "1980-02-03",
            "emails": ["a@vogt.example", "anna6@mail.example"],
            "phones": ["+4930123456"],
            "addresses": [],
            "customer": {
                "id": "cus_0006",
                "displayName": "A. Vogt",
                "identity": {"profileCount": 1},
                "profiles": [{"source": "zendesk"}],
            },
        },
    }


def test_a_visitor_who_is_nobody_yet_has_no_customer(doubtful: Graph) -> None:
    query = "{ reviews { edges { node { right { source customer { id } } } } } }"
    sides = [edge["node"]["right"] for edge in doubtful.data(query)["reviews"]["edges"]]
    assert [side["customer"] and side["customer"]["id"] for side in sides] == ["cus_0006", None, "cus_0007", "cus_0003"]


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_pages_hold_every_pair_once(doubtful: Graph, backward: bool) -> None:
    size, end = ("last", "before") if backward else ("first", "after")
    found: list[str] = []
    asked: dict[str, Any] = {size: 1, end: None}
    while page := doubtful.data(LIST, **asked)["reviews"]["edges"]:
        found.append(page[0]["node"]["judgement"]["id"])
        asked[end] = page[0]["cursor"]
    assert found == (QUEUE[::-1] if backward else QUEUE)


SOURCES = {
    "hubspot": [QUEUE[0], *QUEUE[2:]],
    "zendesk": QUEUE[:2],
    "matomo": QUEUE[1:3],
    "nobody": [],
    "x' OR 1=1 --": [],
}


@pytest.mark.parametrize(("source", "wanted"), SOURCES.items(), ids=SOURCES)
def test_a_source_has_the_pairs_of_whose_customers_it_knows(doubtful: Graph, source: str, wanted: list[str]) -> None:
    assert waiting(doubtful, source=source) == wanted
    assert doubtful.data(LIST, source=source)["reviews"]["totalCount"] == len(wanted)


@pytest.mark.parametrize("how", ["Join", "Separate"])
def test_a_decided_pair_leaves_the_queue_and_comes_back_once_it_is_withdrawn(
    doubtful: Graph, example: Callable[[str], str], how: str
) -> None:
    query = "{ reviews(first: 1) { edges { node { left { source stream key } right { source stream key } } } } }"
    pair = doubtful.data(query)["reviews"]["edges"][0]["node"]
    decided = doubtful.data(example("steward"), how, **pair)
    [payload] = decided.values()
    assert waiting(doubtful) == QUEUE[1:], "nor does the other pair of the same customers wait"
    doubtful.data(example("steward"), "Withdraw", judgement=payload["judgement"]["id"])
    assert waiting(doubtful) == QUEUE


def test_decisions_stand_in_the_history_of_both_customers(doubtful: Graph) -> None:
    with doubtful.store.write() as connection:
        number = judgement.separate(connection, 16, 17, reason="Two", decided_by="steward", as_of=at("2026-02-01"))
        judgement.withdraw(connection, number, reason="One after all", as_of=at("2026-02-02"))
    query = """{ a: customer(by: {id: "cus_0005"}) { ...told } b: customer(by: {id: "cus_0006"}) { ...told } }
      fragment told on Customer { identity { history { event customerIds reason at } } }"""
    said = {"customerIds": ["cus_0005", "cus_0006"]}
    history = [
        {"event": "OVERRIDDEN", "reason": f"jdg_{number}: a steward keeps two profiles apart", **said},
        {"event": "WITHDRAWN", "reason": f"jdg_{number}: taken back", **said},
    ]
    days = ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z")
    wanted = [event | {"at": day} for event, day in zip(history, days, strict=True)]
    assert doubtful.data(query) == {key: {"identity": {"history": wanted}} for key in "ab"}


def test_the_queue_costs_as_many_statements_however_long_it_is(doubtful: Graph) -> None:
    query = "{{ reviews(first: {}) {{ edges {{ node {{ left {{ emails customer {{ id }} }} right {{ key }} }} }} }} }}"
    counts = []
    for first in (1, 3):
        with doubtful.counting() as sent:
            doubtful.data(query.format(first))
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 6


@pytest.fixture
def seen_by(doubtful: Graph, rulebook: Rulebook) -> Callable[[str], Graph]:
    known = sights(rulebook)
    return lambda role: replace(doubtful, principal=Principal(f"key:{role}", known[role]))


def test_a_role_that_sees_one_side_does_not_see_the_pair(seen_by: Callable[[str], Graph]) -> None:
    graph = seen_by("british")
    found = graph.data("{ reviews { totalCount edges { cursor } } }")["reviews"]
    assert found == {"totalCount": 0, "edges": []}


def test_a_role_without_identity_is_refused_the_queue(seen_by: Callable[[str], Graph]) -> None:
    answer = seen_by("clerk").ask("{ reviews { totalCount } }")
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_both_customers_of_a_pair_are_noted_as_read(doubtful: Graph) -> None:
    document = doubtful.documents.get("{ reviews(first: 2) { edges { node { left { emails } } } } }")
    runnable = document.runnable(None)
    answer = doubtful.loop.run_until_complete(doubtful.engine.answer(document, None, {}, doubtful.principal))
    planned = doubtful.loop.run_until_complete(doubtful.planner(document, runnable, {}, doubtful.principal))
    assert answer.seen == {"reviews": {5, 6}}
    assert planned is not None
    assert planned.seen == answer.seen
