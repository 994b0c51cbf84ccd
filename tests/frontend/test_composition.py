"""The subgraph composes by the rules of Apollo Federation 2, with another team's subgraph that adds to Customer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from hub.api.federation import subgraph_sdl
from hub.api.schema import committed_sdl
from hub.store.engine import Store
from tests.frontend.conftest import Ran, serving

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])\n'
SHOP = (
    LINK
    + """
type Query { basket(customer: ID!): Basket }
type Basket { customer: Customer!  lines: LineConnection! }
type LineConnection { pageInfo: PageInfo! }
type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type Customer @key(fields: "id") { id: ID!  wishes: [String!]! }
"""
)


def test_a_customer_has_the_fields_of_both_teams(workplace: Path, node: Callable[..., Ran]) -> None:
    (workplace / "hub.graphql").write_text(subgraph_sdl(committed_sdl()), encoding="utf-8")
    (workplace / "shop.graphql").write_text(SHOP, encoding="utf-8")
    composed = node("compose.mjs", "hub.graphql", "shop.graphql")
    assert composed.returncode == 0, composed.stderr
    _, _, customer = composed.stdout.partition("type Customer implements Node")
    head, _, fields = customer.partition("{")
    assert '@join__type(graph: HUB, key: "id")' in head
    assert '@join__type(graph: SHOP, key: "id")' in head
    assert "displayName: String @join__field(graph: HUB)" in fields
    assert "wishes: [String!]! @join__field(graph: SHOP)" in fields


@pytest.mark.parametrize(
    ("unmarked", "words"),
    [
        pytest.param(' @key(fields: "id")', "Customer", id="key"),
        pytest.param(" @shareable", "PageInfo", id="shared"),
    ],
)
def test_without_its_mark_a_type_does_not_compose(
    workplace: Path, node: Callable[..., Ran], unmarked: str, words: str
) -> None:
    (workplace / "hub.graphql").write_text(subgraph_sdl(committed_sdl()).replace(unmarked, ""), encoding="utf-8")
    (workplace / "shop.graphql").write_text(SHOP, encoding="utf-8")
    composed = node("compose.mjs", "hub.graphql", "shop.graphql")
    assert composed.returncode == 1
    assert words in composed.stderr


def test_a_gateway_is_answered_in_production(people: Store) -> None:
    """Nobody can register what a gateway writes."""
    with serving(people, HUB_FEDERATION="on", HUB_MODE="production") as url:
        service = ask(url, "{ _service { sdl } }", {})
        of = [{"__typename": "Customer", "id": public_id} for public_id in ("cus_0002", "cus_none")]
        wanted = (
            "query ($of: [_Any!]!) { _entities(representations: $of) { ... on Customer { __typename displayName } } }"
        )
        entities = ask(url, wanted, {"of": of})
    assert service == {"data": {"_service": {"sdl": subgraph_sdl(committed_sdl())}}}
    assert entities == {"data": {"_entities": [{"__typename": "Customer", "displayName": "Ben"}, None]}}


def ask(url: str, query: str, variables: dict[str, Any]) -> Any:
    body = json.dumps({"query": query, "variables": variables}).encode()
    with urlopen(Request(url, body, {"content-type": "application/json"})) as answer:  # noqa: S310
        return json.load(answer)
