"""Where golden values come from, as the graph says it: written by survivorship, read by query, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from hub.identity.survive import survive
from hub.insight.card import cards
from hub.insight.scratch import empty
from hub.store import derived, kept
from hub.store.batch import fill_batch
from hub.store.mapped import MAPPED
from mappings.rulebook import Rulebook
from mappings.survivorship import Survivorship
from tests.hub.api.conftest import Graph, at, put

TRUST = ("hubspot", "stripe", "zendesk")
SAID = (
    ("hubspot", "Ada Byron", "GB", "1815-12-10", "ada@home.example", "2026-01-01"),
    ("stripe", "Ada Lovelace", "DE", "1815-10-12", "a.lovelace@work.example", "2026-03-01"),
    ("zendesk", "ada", "DE", None, "ada@home.example", "2026-02-01"),
)
QUERY = """query Why($id: ID!, $fields: [ProvenanceField!]) { customer(by: {id: $id}) { displayName birthDate emails
  provenance(fields: $fields) { field value source stream key observedAt strategy
    losers { value source observedAt } } } }"""


@pytest.fixture
def ada(graph: Graph, rulebook: Rulebook) -> Graph:
    """A customer of three sources, of whose values four strategies chose."""
    rules = Survivorship(
        display_name=["longest"], country=["most_frequent"], birth_date=["never"], emails=["verified"],
        verified={"emails": [{"source": "zendesk"}]},
    )  # fmt: skip
    identity = rulebook.identity.model_copy(update={"survivorship": rules})
    with graph.store.write() as connection:
        put(connection, kept.customer_ledger, customer_no=1, public_id="cus_ada", kind="PERSON")
        put(connection, derived.customer, customer_no=1)
        for number, (source, name, country, birth, email, day) in enumerate(SAID, 1):
            place = {"source": source, "stream": "people"}
            put(connection, kept.profile_ledger, profile_no=number, customer_no=1, **place, key=str(number))
            fact = place | {"fact_no": number, "landing_no": number, "profile_no": number}
            who = {"kind": "PERSON", "display_name": name, "country": country, "birth_date": birth}
            put(connection, MAPPED["profile"], **fact, **who, updated_at=at(f"{day}T00:00:00"))
            put(connection, MAPPED["contact_point"], **fact, type="EMAIL", value=email)
        fill_batch(connection, [1])
        survive(connection, rulebook.model_copy(update={"identity": identity}), TRUST)
        empty(connection, "touch")
        cards(connection, rulebook, at("2026-06-30T00:00:00"))
    return graph


def test_winner_losers_and_strategy_are_in_the_graph(ada: Graph) -> None:
    customer = ada.data(QUERY, id="cus_ada", fields=["DISPLAY_NAME", "EMAILS", "COUNTRY"])["customer"]
    assert customer["displayName"] == "Ada Lovelace"
    assert customer["emails"] == ["ada@home.example", "a.lovelace@work.example"]
    country, name, emails = customer["provenance"]
    assert name == {
        "field": "DISPLAY_NAME", "value": "Ada Lovelace", "source": "stripe", "stream": "people", "key": "2",
        "observedAt": "2026-03-01T00:00:00Z", "strategy": "longest",
        "losers": [
            {"value": "Ada Byron", "source": "hubspot", "observedAt": "2026-01-01T00:00:00Z"},
            {"value": "ada", "source": "zendesk", "observedAt": "2026-02-01T00:00:00Z"},
        ],
    }  # fmt: skip
    assert said(country) == ("DE", "stripe", "most_frequent", ["GB"])
    assert said(emails) == ("ada@home.example", "zendesk", "verified", ["a.lovelace@work.example"])
    assert ada.planned


def test_what_is_never_shown_has_neither_value_nor_provenance(ada: Graph) -> None:
    customer = ada.data(QUERY, id="cus_ada")["customer"]
    assert customer["birthDate"] is None
    assert [one["field"] for one in customer["provenance"]] == ["COUNTRY", "DISPLAY_NAME", "EMAILS"]


def said(one: dict[str, Any]) -> tuple[str, str, str, list[str]]:
    return one["value"], one["source"], one["strategy"], [loser["value"] for loser in one["losers"]]
