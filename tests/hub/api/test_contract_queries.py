"""The contract queries, word for word, on both databases: exact answers, and a constant number of statements."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.store import derived
from hub.store.mapped import MAPPED
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import Graph, at, publish_cards, put, put_customer

FOUND = {"email": " Mike@Home.example", "phone": "0151 12345678", "stripeId": "cus_A", "text": "mul mik"}
ASKED: dict[str, dict[str, Any]] = {
    "customer_360": {"id": "cus_0001"},
    "account": {"id": "cus_0003"},
    "at_risk": {},
    "customers_flat": {},
    "customers_page": {},
    "explain": {"id": "cus_old"},
    "find_customer": FOUND,
    "journey": {"id": "cus_0001"},
    "journey_map": {},
    "profitability": {},
    "erase": {"id": "cus_old", "dryRun": True},
}
# One for the root field (two with totalCount) and one for each relation.
STATEMENTS = {
    "customer_360": 9,
    "account": 7,
    "at_risk": 4,
    "customers_flat": 1,
    "customers_page": 5,
    "explain": 6,
    "find_customer": 4,
    "journey": 6,
    "journey_map": 5,
    "profitability": 2,
}


def expected(name: str) -> Any:
    path = Path(__file__).parent / "answers" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ASKED)
def test_contract_query_answers_exactly(
    told: Graph, example: Callable[[str], str], rulebook: Rulebook, name: str
) -> None:
    answer = told.ask(example(name), **ASKED[name])
    wanted = expected(name)
    if name == "customer_360":  # the rules may call a stage otherwise
        stage = rulebook.journey.stages["LIVING"]
        wanted["data"]["customer"]["stage"] |= {"name": stage.name, "owner": stage.owner}
    assert answer == wanted


def test_sources_show_freshness_dead_letters_and_the_last_sync(told: Graph, example: Callable[[str], str]) -> None:
    data = told.data(example("sources"))
    assert [source["kind"] for source in data["sources"]] == ["crm", "billing", "support", "web_analytics"]
    streams = {s["name"]: s for source in data["sources"] for s in source["streams"] if source["name"] == "stripe"}
    wanted = next(s for source in expected("sources")["data"]["sources"] for s in source["streams"] if s["recordCount"])
    assert streams["invoices"] == wanted
    assert streams["customers"] == {
        "name": "customers",
        "recordCount": 0,
        "deadLetters": {"count": 0, "latest": []},
        "lastSync": None,
        "freshUntil": None,
        "mappingVersion": None,
        "drift": [],
    }
    assert data["reconciliation"] == expected("sources")["data"]["reconciliation"]


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_do_not_grow_with_customers(graph: Graph, example: Callable[[str], str], name: str) -> None:
    variables = {**ASKED[name], "id": "cus_100000"} if "id" in ASKED[name] else ASKED[name]
    counts = []
    for start, size in ((100_000, 1), (100_001, 19), (100_020, 180)):
        _crowd(graph, start, size)
        with graph.counting() as sent:
            assert graph.data(example(name), **variables)
        counts.append(len([statement for statement in sent if not statement.startswith("BEGIN")]))
    assert counts == [STATEMENTS[name]] * 3


def test_no_customer_sees_rows_of_another(graph: Graph, example: Callable[[str], str]) -> None:
    """Twins: all that is told of one stands beside the same of the other, and each sees its own."""
    with graph.store.write() as connection:
        for number in (1, 2):
            put_customer(connection, number, f"Twin {number}", kind="ORGANIZATION")
            for rank, value in enumerate((f"won {number}", f"lost {number}")):
                said = {"field": "DISPLAY_NAME", "rank": rank, "value": value, "source": "s", "stream": "t", "key": "k"}
                put(connection, derived.provenance, customer_no=number, **said, strategy="longest")
            for person in (1, 2):
                pair = {"organization_no": number, "person_no": person, "role": f"{person} of {number}"}
                put(connection, derived.member, **pair)
                put(connection, derived.buying_group_member, **pair, interaction_count=9 - person)
            for currency in ("EUR", "USD"):
                put(connection, derived.profitability, customer_no=number, currency=currency, revenue=number * 10**5)
        publish_cards(connection)
    query = """{ customers { edges { node { provenance { value losers { value } }
      members { edges { node { role } } } buyingGroup { members { role } }
      profitability { revenue { amount } } } } } }"""
    for number, edge in enumerate(graph.data(query)["customers"]["edges"], start=1):
        roles = [{"role": f"{person} of {number}"} for person in (1, 2)]
        assert edge["node"] == {
            "provenance": [{"value": f"won {number}", "losers": [{"value": f"lost {number}"}]}],
            "members": {"edges": [{"node": role} for role in roles]},
            "buyingGroup": {"members": roles},
            "profitability": {"revenue": {"amount": f"{number}.00"}},
        }


# By the planner: one statement for lists and objects; figures are computed of several, whose number is constant.
PLANNED = dict.fromkeys(
    ["customer_360", "account", "at_risk", "customers_flat", "customers_page", "explain", "find_customer", "journey"], 1
) | {"journey_map": 5, "profitability": 2, "sources": 7}


@pytest.mark.parametrize("name", PLANNED)
def test_every_contract_query_is_planned(told: Graph, example: Callable[[str], str], name: str) -> None:
    document = told.documents.get(example(name))
    asked = told.planner(document, document.runnable(None), ASKED.get(name, {}), told.principal)
    with told.counting() as read, told.running() as run:
        planned = told.loop.run_until_complete(asked)
    assert planned is not None
    assert len(run) + len([statement for statement in read if statement != "BEGIN"]) == PLANNED[name]


def _crowd(graph: Graph, start: int, size: int) -> None:
    """Customers that have one of everything, and each other."""
    with graph.store.write() as connection:
        for number in range(start, start + size):
            risky = {"risk_band": "HIGH", "country": "DE", "last_seen": at("2026-01-01T00:00:00")}
            put_customer(connection, number, f"N {number}", public_id=f"cus_{number}", value_at_risk=number, **risky)
            flag = {"customer_no": number, "severity": "HIGH", "state": "OPEN", "contactable": True}
            put(connection, derived.risk_flag, flag_no=number, **flag, rule="r", action_channel="PHONE")
            put(connection, derived.flag_evidence, flag_no=number, ordinal=1, customer_no=number, interaction_no=number)
            touch = {"at": number, "type": "visit.made", "channel": "WEB", "lane": "CUSTOMER", "customer_no": number}
            put(connection, MAPPED["interaction"], fact_no=number, **touch)
            put(connection, derived.profitability, customer_no=number, currency="EUR", contribution=number)
            journey = {"customer_no": number, "definition": "d", "ordinal": 1, "journey_no": number}
            put(connection, derived.journey, **journey)
            step = {"step_no": number, "stage": "LIVING", "channels": "[]", "entered_at": at("2025-06-01T00:00:00")}
            put(connection, derived.journey_step, journey_no=number, customer_no=number, ordinal=1, **step)
            put(connection, derived.step_interaction, interaction_no=number, step_no=number, stage="LIVING")
            put(connection, derived.member, organization_no=100_000, person_no=number)
            member = {"organization_no": 100_000, "person_no": number}
            put(connection, derived.buying_group_member, **member)
            put(
                connection,
                derived.customer_identifier,
                type="EMAIL",
                value=f"{number}@x.example",
                customer_no=number,
                sources="[]",
            )
            put(connection, derived.customer_token, token=f"mul{number}", customer_no=number)
            put(connection, derived.customer_token, token=f"mik{number}", customer_no=number)
