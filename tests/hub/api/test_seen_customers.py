"""Customers of a role: lists, look-ups, figures, entities and events are of those whom it sees."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, insert

from hub.access.principal import LOCAL, Principal
from hub.api.asked.documents import Documents
from hub.api.engine import Engine
from hub.api.federation import build_subgraph
from hub.store import derived, kept
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import Graph
from tests.hub.api.crowd import SEEN, crowded, sights

See = Callable[[str], Graph]


@pytest.fixture
def seen_by(told: Graph, rulebook: Rulebook) -> See:
    """The crowded graph as a role sees it; as `admin`, all of it."""
    crowd, known = crowded(told), sights(rulebook)
    return lambda role: replace(crowd, principal=Principal(f"key:{role}", known[role]))


@pytest.mark.parametrize(("role", "numbers"), SEEN.items(), ids=SEEN)
def test_a_role_sees_its_customers(seen_by: See, role: str, numbers: set[int]) -> None:
    found = seen_by(role).data("{ customers { totalCount edges { node { id } } } riskFlags { totalCount } }")
    assert [edge["node"]["id"] for edge in found["customers"]["edges"]] == [f"cus_{n:04}" for n in sorted(numbers)]
    assert found["customers"]["totalCount"] == found["riskFlags"]["totalCount"] == len(numbers)


NODES = {
    "british": ("cus_0002", "int_121", "jrn_321", "flg_502"),
    "payers": ("cus_0001", "cus_old", "int_101", "jrn_301", "flg_501", "lnk_11-12"),
    "companies": ("cus_0003", "int_105", "jrn_331", "flg_503"),
}
NODES["families"] = (*NODES["british"], *NODES["payers"], "lnk_11-13", "jdg_7")
EVERY = sorted({*NODES["families"], *NODES["companies"]})


@pytest.mark.parametrize("role", NODES)
def test_an_id_leads_to_what_the_role_sees_and_nowhere_else(seen_by: See, role: str) -> None:
    graph = seen_by(role)
    found = {n for n in EVERY if graph.data("query ($id: ID!) { node(id: $id) { id } }", id=n)["node"] is not None}
    assert found == set(NODES[role])


LOOKED_UP: dict[str, tuple[str, dict[str, Any], Any]] = {
    "the one that is seen": ("british", {"email": "family@home.example"}, "cus_0002"),
    "another one of several": ("companies", {"email": "family@home.example"}, "cus_0003"),
    "several that are seen": ("families", {"email": "family@home.example"}, ["cus_0001", "cus_0002"]),
    "several, for all": ("agent", {"email": "family@home.example"}, ["cus_0001", "cus_0002", "cus_0003"]),
    "a key of one stream": ("families", {"externalId": {"source": "hubspot", "value": "101"}}, "cus_0001"),
    "an id of nobody seen": ("british", {"id": "cus_0001"}, None),
    "a merged id of nobody seen": ("british", {"id": "cus_old"}, None),
}


@pytest.mark.parametrize(("role", "by", "wanted"), LOOKED_UP.values(), ids=LOOKED_UP)
def test_a_look_up_finds_among_the_customers_that_are_seen(
    seen_by: See, role: str, by: dict[str, Any], wanted: Any
) -> None:
    answer = seen_by(role).ask("query ($by: CustomerBy!) { customer(by: $by) { id } }", None, by=by)
    if isinstance(wanted, list):
        assert answer["errors"][0]["extensions"] == {"code": "AMBIGUOUS", "customerIds": wanted}
    else:
        assert answer["data"] == {"customer": wanted and {"id": wanted}}


def test_an_organization_is_shown_without_the_people_who_are_not_seen(seen_by: See) -> None:
    (edge,) = seen_by("companies").data(
        """{ customers { edges { node {
            latest: timeline(first: 1) { edges { node { id summary } } }
            timeline { totalCount edges { node { id } } }
            members { totalCount edges { node { role person { id } } } }
            buyingGroup { members { interactionCount person { id } } }
            journeys { steps { interactions { totalCount edges { node { id } } } } }
            riskFlags { id evidence { id } }
        } } } }"""
    )["customers"]["edges"]
    nothing = {"totalCount": 0, "edges": []}
    assert edge["node"] == {
        "latest": {"edges": [{"node": {"id": "int_105", "summary": "Deal of Acme"}}]},
        "timeline": {"totalCount": 1, "edges": [{"node": {"id": "int_105"}}]},
        "members": nothing,
        "buyingGroup": {"members": []},
        "journeys": [{"steps": [{"interactions": nothing}, {"interactions": nothing}]}],
        "riskFlags": [{"id": "flg_503", "evidence": [{"id": "int_105"}]}],
    }


FIGURES = """query ($currency: String) {
  journeyMap(currency: $currency) {
    journeyCount
    stops { key customerCount entryCount exitCount medianDays sentiment revenue { amount } contribution { amount } }
    transitions { from to count customerCount medianDays }
  }
  all: profitability(groupBy: [], currency: $currency) { customerCount revenue { amount } coverage margin }
  by: profitability(groupBy: [MONTH, COUNTRY, SOURCE], currency: $currency) {
    group { dimension value } customerCount contribution { amount }
  }
  whaleCurve(currency: $currency, buckets: 3) {
    bucket customerCount cumulativeShare cumulativeContribution { amount currency }
  }
}"""
_FIGURED = (derived.journey, derived.journey_step, derived.step_value, derived.entry, derived.entry_value)


@pytest.mark.parametrize("currency", ["EUR", "USD"])
@pytest.mark.parametrize("role", ["marketing", "british", "payers", "families", "companies"])
def test_figures_are_those_of_the_customers_that_are_seen(seen_by: See, role: str, currency: str) -> None:
    graph = seen_by(role)
    shown = graph.data(FIGURES, currency=currency)
    with graph.store.write() as connection:
        for table in (*_FIGURED, derived.profitability):
            connection.execute(delete(table).where(table.c.customer_no.not_in(SEEN[role])))
    assert replace(graph, principal=LOCAL).data(FIGURES, currency=currency) == shown


def test_a_gateway_gets_the_entities_that_are_seen(seen_by: See, rulebook: Rulebook) -> None:
    graph, schema = seen_by("marketing"), build_subgraph()
    context = replace(graph.context, declarations=schema.declarations)
    documents = Documents(schema._schema, rulebook.access)
    graph = replace(graph, engine=Engine(schema, context), documents=documents, plans=False)
    known = [{"__typename": "Customer", "id": each} for each in ("cus_0001", "cus_0002", "cus_old", "cus_0003")]
    query = "query ($of: [_Any!]!) { _entities(representations: $of) { ... on Customer { id birthDate } } }"
    assert graph.data(query, of=known) == {"_entities": [None, {"id": "cus_0002", "birthDate": None}, None, None]}


def test_a_subscriber_hears_of_the_customers_that_are_seen(seen_by: See) -> None:
    graph = seen_by("british")
    document = graph.documents.get("subscription { riskFlagRaised { id customer { id valueAtRisk { amount } } } }")

    async def heard() -> bytes:
        stream = graph.engine.stream(document, None, None, graph.principal)
        first = asyncio.ensure_future(anext(stream))
        while not graph.context.outbox._subscribers:
            await asyncio.wait({first}, timeout=0.01)
        with graph.store.write() as connection:
            for number in (501, 503, 502):
                raised = json.dumps({"flag": number, "severity": "HIGH"})
                connection.execute(insert(kept.outbox).values(at=0, topic="flag.raised", payload=raised))
        answer = await asyncio.wait_for(first, 10)
        await stream.aclose()
        return answer.body

    told = json.loads(graph.loop.run_until_complete(heard()))
    assert told["data"]["riskFlagRaised"]["customer"]["id"] == "cus_0002"
