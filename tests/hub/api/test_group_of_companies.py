"""A group of companies in GraphQL: a part stays a customer of its own, is shown with the whole, and its money counts
once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.api.engine import Engine
from hub.server import writes
from hub.store.engine import Store
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import Graph
from tests.hub.shop import Shop, order

FIRMS: dict[str, Any] = {
    "get": "/buyers",
    "key": "id",
    "profile": {
        "kind": {"path": "kind", "table": {"firm": "ORGANIZATION"}, "default": "PERSON"},
        "display_name": "name",
        "emails": ["mail"],
        "identifiers": {"website": "site"},
        "memberships": [
            {"organization": {"stream": "buyers", "key": "part_of"}, "role": "role"},
        ],
    },
}
GROUP = """query G($key: String!) { customer(by: {externalId: {source: "shop", value: $key}}) {
  id kind displayName profitability { revenue { amount } }
  members { edges { node { role person { id kind displayName profitability { revenue { amount } } } } } } } }"""


def firm(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"b{number}", "kind": "firm", "name": "Acme GmbH", "site": "https://www.acme.example/"} | more


@pytest.fixture
def shop(store: Store, rulebook: Rulebook) -> Shop:
    """A firm, a part of it under the same name and site, and a person who works for the part; each bought something."""
    shop = Shop(store, rulebook)
    shop.streams["buyers"] = FIRMS
    shop.send(
        "buyers",
        firm(1),
        firm(2, part_of="b1", role="subsidiary"),
        {"id": "b3", "name": "Ann Shopper", "mail": "ann@mail.example", "part_of": "b2", "role": "buyer"},
    )
    shop.sync("orders", order(1, 10_000), order(2, 2_000), order(3, 300))
    return shop


@pytest.fixture
def asked(graph: Graph, shop: Shop) -> Graph:
    """The shop's graph."""
    context = replace(graph.context, writer=writes(shop.hub()))
    return replace(graph, context=context, engine=Engine(graph.schema, context))


def customer(graph: Graph, key: str) -> Any:
    return graph.data(GROUP, key=key)["customer"]


def revenue(customer: Any) -> str:
    amount: str = customer["profitability"]["revenue"]["amount"]
    return amount


def test_a_part_is_a_customer_of_its_own_and_is_listed_with_the_whole(asked: Graph) -> None:
    whole, part = customer(asked, "b1"), customer(asked, "b2")
    assert whole["id"] != part["id"]
    [edge] = whole["members"]["edges"]
    assert (edge["node"]["role"], edge["node"]["person"]["id"]) == ("subsidiary", part["id"])
    assert edge["node"]["person"]["kind"] == "ORGANIZATION"
    [edge] = part["members"]["edges"]
    assert (edge["node"]["role"], edge["node"]["person"]["kind"]) == ("buyer", "PERSON")


def test_money_of_a_part_counts_for_the_part_alone(asked: Graph, shop: Shop) -> None:
    assert [revenue(customer(asked, key)) for key in ("b1", "b2", "b3")] == ["100.00", "20.00", "3.00"]
    assert shop.rows("SELECT SUM(amount) FROM entry WHERE kind = 'REVENUE'") == [(12_300 * 1_000,)]
    owners = shop.rows(
        "SELECT e.customer_no = e.organization_no, SUM(e.amount) FROM entry e WHERE e.kind = 'REVENUE'"
        " GROUP BY e.customer_no = e.organization_no ORDER BY SUM(e.amount)"
    )
    assert [amount for _, amount in owners] == [300_000, 12_000_000], "the person's counts for the part, too, and once"
