"""Classes of fields: what a role does not see is answered as unknown or refused, however it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.access.principal import Principal
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import Graph
from tests.hub.api.crowd import crowded, sights

See = Callable[[str], Graph]


@pytest.fixture
def seen_by(told: Graph, rulebook: Rulebook) -> See:
    """The crowded graph as a role sees it; as `admin`, all of it."""
    crowd, known = crowded(told), sights(rulebook)
    return lambda role: replace(crowd, principal=Principal(f"key:{role}", known[role]))


def card(fields: str) -> str:
    return f'{{ customer(by: {{id: "cus_0001"}}) {{ {fields} }} }}'


MASKED: dict[str, tuple[str, str, Any]] = {
    "who it is": (
        "analyst",
        card("country displayName emails phones birthDate identifiers { value } provenance { value }"),
        {"customer": {"country": "DE", "displayName": None, "birthDate": None}},
    ),
    "what was written": (
        "analyst",
        card("timeline(first: 1) { edges { node { id summary } } } identity { history { at } }"),
        {
            "customer": {
                "timeline": {"edges": [{"node": {"id": "int_101", "summary": None}}]},
                "identity": {"history": []},
            }
        },
    ),
    "why it was joined": (
        "analyst",
        '{ node(id: "lnk_11-12") { id ... on Judgement { rule reasons } } }',
        {"node": {"id": "lnk_11-12", "rule": "same e-mail", "reasons": []}},
    ),
    "what it is worth": (
        "agent",
        card("displayName valueAtRisk { amount } profitability { margin } riskFlags { id valueAtRisk { amount } }"),
        {
            "customer": {
                "displayName": "Mike Müller",
                "valueAtRisk": None,
                "profitability": None,
                "riskFlags": [{"id": "flg_501", "valueAtRisk": None}],
            }
        },
    ),
    "what stops bring": (
        "agent",
        "{ journeyMap { stops { key customerCount money: revenue { amount } cost { amount } } } }",
        {
            "journeyMap": {
                "stops": [
                    {"key": key, "customerCount": count, "money": None, "cost": None}
                    for key, count in (("CHOOSING", 1), ("LIVING", 2), ("RENEWAL", 3))
                ]
            }
        },
    ),
    "what all bring": (
        "agent",
        "{ reconciliation { source } worth: profitability(groupBy: []) { margin } whaleCurve { bucket } }",
        {"reconciliation": [], "worth": [], "whaleCurve": []},
    ),
    "figures beside a list": (
        "agent",
        "{ whaleCurve { bucket } riskFlags { totalCount } }",
        {"whaleCurve": [], "riskFlags": {"totalCount": 3}},
    ),
    "when somebody was born": (
        "marketing",
        "{ customers { edges { node { displayName birthDate } } } }",
        {"customers": {"edges": [{"node": {"displayName": "Mia Müller", "birthDate": None}}]}},
    ),
    "money of all": ("british", "{ reconciliation { source } }", {"reconciliation": []}),
    "ids that parted": (
        "british",
        '{ customer(by: {id: "cus_0002"}) { identity { judgements { id } history { customerIds reason } } } }',
        {"customer": {"identity": {"judgements": [], "history": []}}},
    ),
}
MASKED["who it is"][2]["customer"].update({key: [] for key in ("emails", "phones", "identifiers", "provenance")})


@pytest.mark.parametrize(("role", "query", "wanted"), MASKED.values(), ids=MASKED)
def test_what_is_masked_is_answered_as_unknown(seen_by: See, role: str, query: str, wanted: Any) -> None:
    assert seen_by(role).data(query) == wanted


@pytest.mark.parametrize("role", ["analyst", "british"])
def test_dead_letters_are_counted_and_not_told(seen_by: See, role: str) -> None:
    found = seen_by(role).data("{ sources { streams { deadLetters { count latest { key reason } } } } }")
    letters = [stream["deadLetters"] for source in found["sources"] for stream in source["streams"]]
    assert sum(each["count"] for each in letters) == 1
    assert all(each["latest"] == [] for each in letters)


_LIST = "customers({}) {{ totalCount }}"
REFUSED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a search": ("analyst", '{ searchCustomers(text: "mi") { totalCount } }', {}),
    "a filter within others": (
        "analyst",
        '{ customers(filter: {not: {or: [{and: [{search: "mi"}]}]}}) { totalCount } }',
        {},
    ),
    "a filter in a variable": (
        "analyst",
        "query ($f: CustomerFilter) { customers(filter: $f) { totalCount } }",
        {"f": {"or": {"displayName": {"startsWith": "m"}}}},
    ),
    "a filter in a default": (
        "analyst",
        'query ($f: CustomerFilter = {displayName: {startsWith: "m"}}) { customers(filter: $f) { totalCount } }',
        {},
    ),
    "a text in a variable": (
        "analyst",
        "query ($t: String) { journeyMap(filter: {search: $t}) { journeyCount } }",
        {"t": "mi"},
    ),
    "an order": ("analyst", "{ customers(orderBy: {field: DISPLAY_NAME}) { edges { cursor } } }", {}),
    "an order in a default": (
        "analyst",
        "query ($o: [CustomerOrder!] = {field: DISPLAY_NAME}) { customers(orderBy: $o) { edges { cursor } } }",
        {},
    ),
    "an order's field in a variable": (
        "agent",
        "query ($o: CustomerOrderField!) { customers(orderBy: [{field: $o}]) { edges { cursor } } }",
        {"o": "CONTRIBUTION"},
    ),
    "an order of several": (
        "agent",
        "query ($o: [CustomerOrder!]) { customers(orderBy: $o) { edges { cursor } } }",
        {"o": [{"field": "RISK_POINTS"}, {"field": "VALUE_AT_RISK"}]},
    ),
    "an order of flags": ("agent", "{ riskFlags(orderBy: {field: VALUE_AT_RISK}) { edges { cursor } } }", {}),
    "a look-up": (
        "analyst",
        "query ($by: CustomerBy!) { customer(by: $by) { id } }",
        {"by": {"email": "mike@home.example"}},
    ),
    "a look-up by another id": (
        "analyst",
        'query ($v: String!) { customer(by: {externalId: {source: "stripe", value: $v}}) { id } }',
        {"v": "cus_A"},
    ),
    "a figure": ("clerk", "{ worth: whaleCurve { bucket } }", {}),
    "a field in a fragment": (
        "clerk",
        "{ riskFlags { edges { node { ...f } } } } fragment f on RiskFlag { ... { at: valueAtRisk { amount } } }",
        {},
    ),
    "a side of a judgement": ("clerk", '{ node(id: "jdg_7") { ... on Judgement { left { source } } } }', {}),
    "a decision": (
        "marketing",
        'mutation { withdrawJudgement(id: "jdg_7", reason: "no") { customers { id } } }',
        {},
    ),
    "an erasure": ("british", 'mutation { eraseCustomer(id: "cus_0001", dryRun: true) { certificate } }', {}),
}


@pytest.mark.parametrize(("role", "query", "variables"), REFUSED.values(), ids=REFUSED)
def test_nobody_asks_around_a_mask(seen_by: See, role: str, query: str, variables: dict[str, Any]) -> None:
    answer = seen_by(role).ask(query, None, **variables)
    assert answer["data"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
