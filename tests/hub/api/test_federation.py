"""The graph as a subgraph: what a gateway asks for is answered as `customer` would, in one statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, parse
from graphql.utilities import find_schema_changes

from hub.access.principal import Principal
from hub.access.roles import build_sights
from hub.api.asked.documents import Documents
from hub.api.engine import Engine
from hub.api.federation import build_subgraph, subgraph_sdl
from hub.api.plan.planner import Planner
from hub.api.plan.run import open_runner
from hub.api.schema import Schema, committed_sdl, sdl
from mappings.rulebook import Role, Rulebook
from tests.hub.api.conftest import Graph, put_customer

ENTITIES = """query ($of: [_Any!]!, $currency: String) {
  _entities(representations: $of) {
    __typename
    ... on Customer {
      id name: displayName
      riskFlags { id }
      profitability(currency: $currency) { contribution { amount currency } }
      timeline(first: 1) { edges { node { id } } }
    }
  }
}"""
CUSTOMER = """query ($id: ID!, $currency: String) {
  customer(by: { id: $id }) {
    __typename
    ... on Customer {
      id name: displayName
      riskFlags { id }
      profitability(currency: $currency) { contribution { amount currency } }
      timeline(first: 1) { edges { node { id } } }
    }
  }
}"""


@pytest.fixture(scope="session")
def subgraph_schema() -> Schema:
    return build_subgraph()


@pytest.fixture
def subgraph(told: Graph, subgraph_schema: Schema, rulebook: Rulebook) -> Iterator[Graph]:
    context = replace(told.context, declarations=subgraph_schema.declarations)
    planner = Planner(subgraph_schema, context.house, open_runner(told.store, rulebook.access.timeout_s), context.query)
    engine, documents = Engine(subgraph_schema, context), Documents(subgraph_schema._schema, rulebook.access)
    yield replace(told, schema=subgraph_schema, context=context, engine=engine, documents=documents, planner=planner)
    told.loop.run_until_complete(planner.close())


def known(*ids: str) -> list[dict[str, str]]:
    return [{"__typename": "Customer", "id": public_id} for public_id in ids]


def test_entities_come_in_the_order_asked_for_as_customer_gives_them(subgraph: Graph) -> None:
    asked = ["cus_0003", "cus_none", "cus_0001", "cus_old", "cus_0003"]
    found = subgraph.data(ENTITIES, of=known(*asked), currency="USD")["_entities"]
    assert found == [subgraph.data(CUSTOMER, id=public_id, currency="USD")["customer"] for public_id in asked]
    assert [customer and customer["id"] for customer in found] == ["cus_0003", None, "cus_0001", "cus_0001", "cus_0003"]


def test_statements_do_not_grow_with_representations(subgraph: Graph) -> None:
    with subgraph.store.write() as connection:
        for number in range(100, 120):
            put_customer(connection, number, f"N {number}")
    counts = []
    for ids in (["cus_0001"], [f"cus_{number:04}" for number in range(100, 120)]):
        with subgraph.counting() as sent:
            found = subgraph.data(
                "query ($of: [_Any!]!) { _entities(representations: $of) { ... on Customer { displayName } } }",
                of=known(*ids),
            )
        assert None not in found["_entities"]
        counts.append(len([statement for statement in sent if not statement.startswith("BEGIN")]))
    assert counts == [1, 1]


def test_only_the_type_is_asked_for(subgraph: Graph) -> None:
    asked = "query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }"
    assert subgraph.data(asked, of=known("cus_0001", "cus_none")) == {"_entities": [{"__typename": "Customer"}, None]}
    assert subgraph.data(asked, of=[]) == {"_entities": []}


@pytest.mark.parametrize(
    ("representations", "words"),
    [
        pytest.param([{"__typename": "RiskFlag", "id": "flg_1"}], "only Customer is an entity", id="another-type"),
        pytest.param([{"id": "cus_0001"}], "say its __typename", id="no-type"),
        pytest.param([{"__typename": "Customer"}], "needs an id", id="no-id"),
        pytest.param([{"__typename": "Customer", "id": 7}], "a string", id="number"),
        pytest.param([{"__typename": "Customer", "id": {"a": 1}}], "a string", id="object"),
        pytest.param(["cus_0001"], "say its __typename", id="text"),
        pytest.param([[known("cus_0001")]], "say its __typename", id="list"),
        pytest.param(known("a\0b"), "no stored text has", id="null-byte"),
        pytest.param(known(*["cus_0001"] * 1_001), "1001 of them; 1000 at most", id="too-many"),
    ],
)
def test_a_representation_that_is_none_is_refused(subgraph: Graph, representations: list[Any], words: str) -> None:
    answer = subgraph.ask(ENTITIES, of=representations)
    assert answer["data"] is None
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert words in error["message"]


def test_a_representation_may_be_written_into_the_document(subgraph: Graph) -> None:
    asked = '{ _entities(representations: [{ __typename: "Customer", id: "cus_0002" }]) { ... on Customer { id } } }'
    assert subgraph.data(asked) == {"_entities": [{"id": "cus_0002"}]}


def test_a_role_sees_of_entities_what_it_sees_of_customers(subgraph: Graph, rulebook: Rulebook) -> None:
    role = Role(about="Of one country, nameless.", mask=["NAME"], refuse=["MONEY"], customers="country = 'DE'")
    access = rulebook.access.model_copy(update={"roles": {"german": role}})
    sight = build_sights(rulebook.model_copy(update={"access": access}))["german"]
    limited = replace(subgraph, principal=Principal("key:1", sight))
    asked = "query ($of: [_Any!]!) { _entities(representations: $of) { ... on Customer { id displayName %s } } }"
    seen = limited.data(asked % "country", of=known("cus_0001", "cus_0002"))
    assert seen == {"_entities": [{"id": "cus_0001", "displayName": None, "country": "DE"}, None]}
    refused = limited.ask(asked % "profitability { revenue { amount } }", of=known("cus_0001"))
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["FORBIDDEN"]


def test_the_subgraph_says_its_schema(subgraph: Graph) -> None:
    said = subgraph.data("{ _service { text: sdl } }")["_service"]["text"]
    assert said == subgraph_sdl(committed_sdl())
    assert 'type Customer implements Node @key(fields: "id") {' in said
    assert "type PageInfo @shareable {" in said
    assert "_entities" not in said


def test_the_marks_change_nothing_else() -> None:
    said = subgraph_sdl(committed_sdl()).partition("\n")[2]
    for mark in (' @key(fields: "id")', " @shareable"):
        assert said.count(mark) == 1
        said = said.replace(mark, "")
    assert parse(said, no_location=True) == parse(committed_sdl(), no_location=True)


def test_the_subgraph_adds_to_the_plain_schema_and_leaves_it_alone(schema: Schema, subgraph_schema: Schema) -> None:
    def built(one: Schema) -> GraphQLSchema:
        return build_schema(sdl(one))

    added = {change.description for change in find_schema_changes(built(schema), built(subgraph_schema))}
    assert {said for said in added if "was added" not in said} == set()
    assert {said.split()[0] for said in added} == {"_Any", "_Entity", "_Service", "Field"}, added
    assert sdl(schema) == committed_sdl()
