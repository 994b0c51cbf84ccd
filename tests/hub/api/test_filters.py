"""Filters and currencies: what is said must hold, and null is unknown."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from hub.store.derived import customer_card as card
from tests.hub.api.conftest import Graph, at

CUSTOMERS = "query C($filter: CustomerFilter) { customers(filter: $filter) { edges { node { id } } } }"
FLAGS = "query F($filter: RiskFlagFilter) { riskFlags(filter: $filter) { edges { node { id } } } }"

KEPT: dict[str, tuple[Any, str]] = {
    "nothing said": (None, "123"),
    "null": ({"kind": None, "country": {"in": None}, "lastSeen": {"from": None}}, "123"),
    "kind": ({"kind": {"eq": "ORGANIZATION"}}, "3"),
    "any of": ({"country": {"in": ["DE", "GB"]}}, "12"),
    "none of none": ({"country": {"in": []}}, ""),
    "unknown": ({"country": {"eq": None}}, "3"),
    "several": ({"kind": {"eq": "PERSON"}, "marketState": {"eq": "ACTIVE"}}, "1"),
    "stage": ({"stage": {"in": ["LIVING", "CHOOSING"]}}, "13"),
    "band": ({"riskBand": {"in": ["HIGH", "CRITICAL"]}}, "1"),
    "numbers": ({"openCaseCount": {"gte": 1, "lte": 1}}, "1"),
    "and": ({"and": [{"kind": {"eq": "PERSON"}}, {"country": {"eq": "GB"}}]}, "2"),
    "or": ({"or": [{"country": {"eq": "DE"}}, {"kind": {"eq": "ORGANIZATION"}}]}, "13"),
    "one of nothing": ({"or": []}, ""),
    "all of nothing": ({"and": []}, "123"),
    "not": ({"not": {"country": {"eq": "DE"}}}, "23"),
    "not nothing": ({"not": {}}, ""),
    "not of several": ({"not": {"or": [{"country": {"eq": "DE"}}, {"country": {"eq": None}}]}}, "2"),
}


@pytest.mark.parametrize(("said", "numbers"), KEPT.values(), ids=KEPT)
def test_filter_keeps(told: Graph, said: Any, numbers: str) -> None:
    edges = told.data(CUSTOMERS, filter=said)["customers"]["edges"]
    assert [edge["node"]["id"] for edge in edges] == [f"cus_000{number}" for number in numbers]


FLAGGED: dict[str, tuple[Any, str]] = {
    "severity": ({"severity": {"in": ["HIGH"]}}, "1"),
    "cleared": ({"state": {"eq": "CLEARED"}}, ""),
    "contactable": ({"contactable": True}, "1"),
    "not contactable": ({"contactable": False}, "2"),
    "rule": ({"rule": {"eq": "silence"}}, "2"),
    "since": ({"since": {"from": "2026-06-01", "to": "2026-06-01"}}, "12"),
}


@pytest.mark.parametrize(("said", "numbers"), FLAGGED.values(), ids=FLAGGED)
def test_flag_filter_keeps(told: Graph, said: Any, numbers: str) -> None:
    edges = told.data(FLAGS, filter=said)["riskFlags"]["edges"]
    assert [edge["node"]["id"] for edge in edges] == [f"flg_50{number}" for number in numbers]


DAYS: dict[str, tuple[str, bool]] = {  # Berlin is two hours ahead of UTC in summer, one in winter
    "last instant before the day": ("2026-03-28T22:59:59", False),
    "first instant of the day": ("2026-03-28T23:00:00", True),
    "last instant of the day on which clocks change": ("2026-03-29T21:59:59", True),
    "first instant after it": ("2026-03-29T22:00:00", False),
}


@pytest.mark.parametrize(("instant", "kept"), DAYS.values(), ids=DAYS)
def test_days_begin_and_end_in_the_reporting_time_zone(told: Graph, instant: str, kept: bool) -> None:
    with told.store.write() as connection:
        connection.execute(update(card).where(card.c.customer_no == 2).values(last_seen=at(instant)))
    said = {"lastSeen": {"from": "2026-03-29", "to": "2026-03-29"}}
    assert bool(told.data(CUSTOMERS, filter=said)["customers"]["edges"]) is kept


@pytest.mark.parametrize("day", ["2026-02-30", "yesterday", "0001-01-01", "9999-12-31", 7, "20260101T"], ids=str)
def test_day_that_is_none_is_refused(told: Graph, day: Any) -> None:
    assert told.code(CUSTOMERS, filter={"lastSeen": {"from": day}}) == "BAD_USER_INPUT"


def test_too_many_values_are_refused_with_the_limit(told: Graph) -> None:
    answer = told.ask(CUSTOMERS, filter={"country": {"in": ["DE"] * 1001}})
    assert answer["errors"][0]["message"] == "country.in: 1001 values; 1000 at most"


MONEY = """query M($currency: String) { customer(by: {id: "cus_0001"}) {
  profitability(currency: $currency) { revenue { amount currency } entries(first: 1) { edges { node {
    converted { amount currency } own: converted(currency: "EUR") { amount currency } rate } } } }
  valueAtRisk(currency: $currency) { amount currency } } }"""


def test_currency_holds_for_everything_below(told: Graph) -> None:
    customer = told.data(MONEY, currency="USD")["customer"]
    assert customer["profitability"] == {
        "revenue": {"amount": "800.00", "currency": "USD"},
        "entries": {
            "edges": [
                {
                    "node": {
                        "converted": {"amount": "20.00", "currency": "USD"},
                        "own": {"amount": "10.00", "currency": "EUR"},
                        "rate": "2",
                    }
                }
            ]
        },
    }
    rates = told.context.house.rates
    converted = rates.convert(120_050_000, "EUR", "USD", at("2026-06-30T20:00:00"))
    assert converted is not None
    assert customer["valueAtRisk"] == {"amount": f"{round(converted / 1000) / 100:.2f}", "currency": "USD"}


@pytest.mark.parametrize("currency", ["JPY", "eur", "XXX", "", "'"])
def test_currency_that_is_not_configured_is_refused_with_the_allowed(told: Graph, currency: str) -> None:
    answer = told.ask(MONEY, currency=currency)
    assert answer["data"] == {"customer": None}
    assert answer["errors"][0]["extensions"]["code"] == "BAD_CURRENCY"
    assert answer["errors"][0]["message"] == "currency: not configured; choose one of EUR, GBP, USD"


def test_aliases_fragments_and_directives_are_read_as_selected(told: Graph) -> None:
    query = """query Q($no: Boolean!) {
      one: customer(by: {id: "cus_0001"}) { ...names flags: riskFlags { rule } riskFlags { id @skip(if: $no) rule } }
      two: customer(by: {id: "cus_0002"}) { ...names ... on Node { id } ... @include(if: $no) { kind } }
    }
    fragment names on Customer { name: displayName __typename stage { k: key } stage { since @include(if: $no) } }"""
    data = told.data(query, no=True)
    assert data == {
        "one": {
            "name": "Mike Müller",
            "__typename": "Customer",
            "stage": {"k": "LIVING", "since": "2026-01-15T10:00:00Z"},
            "flags": [{"rule": "failed_payment"}],
            "riskFlags": [{"rule": "failed_payment"}],
        },
        "two": {"name": "Mia Müller", "__typename": "Customer", "stage": None, "id": "cus_0002", "kind": "PERSON"},
    }


def test_organization_sees_its_members_interactions_once(told: Graph) -> None:
    query = """{ customer(by: {id: "cus_0003"}) { timeline { totalCount edges { node { id revenue { amount }
      cost { amount } stage } } } } }"""
    timeline = told.data(query)["customer"]["timeline"]
    assert timeline["totalCount"] == 3
    assert [edge["node"] for edge in timeline["edges"]] == [
        {"id": "int_101", "revenue": None, "cost": None, "stage": "RENEWAL"},
        {"id": "int_102", "revenue": None, "cost": {"amount": "10.00"}, "stage": "RENEWAL"},
        {"id": "int_105", "revenue": None, "cost": None, "stage": None},
    ]
