"""Unmerging in GraphQL, over the whole write path: interactions, money, flags and ids go back, and come again.

Ann buys twice, under two addresses; once the shop knows that they are one address, she is one customer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.api.engine import Engine
from hub.server import writes
from hub.store.engine import Store
from hub.sync import remap
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import Graph
from tests.hub.shop import NOW, Shop, buyer, order

ANN = {"given": "Ann", "family": "Shopper"}
PAYMENTS: dict[str, Any] = {
    "get": "/payments",
    "key": "id",
    "belongs_to": {"stream": "buyers", "key": "buyer"},
    "interaction": {
        "type": {"path": "state", "table": {"refused": "payment.failed", "paid": "payment.succeeded"}},
        "at": {"path": "date", "convert": "epoch_s"},
        "channel": "BILLING",
        "lane": "CUSTOMER",
    },
}
WHO = """query W($key: String!) { customer(by: {externalId: {source: "shop", value: $key}}) {
  id profiles { key } identity { mergedIds profileCount history { event customerIds reason } }
  timeline(first: 50) { totalCount edges { node { id type } } }
  profitability { revenue { amount } contribution { amount }
    entries(first: 50) { edges { node { id kind key amount { amount currency } } } } }
  riskFlags { rule since points evidence { id } } riskScore { points band } } }"""


def payment(number: int, state: str, days_ago: int) -> dict[str, Any]:
    return {"id": f"p{number}", "buyer": f"b{number}", "state": state, "date": NOW // 1_000_000 - days_ago * 86_400}


@pytest.fixture
def shop(store: Store, rulebook: Rulebook) -> Shop:
    """Two customers with an order and a payment each."""
    shop = Shop(store, rulebook)
    shop.streams["payments"] = PAYMENTS
    shop.send("buyers", buyer(1, name=ANN), buyer(2, name=ANN))
    shop.send("orders", order(1, 12_000), order(2, 3_000))
    shop.sync("payments", payment(1, "refused", 10), payment(2, "paid", 90))
    return shop


@pytest.fixture
def asked(graph: Graph, shop: Shop) -> Graph:
    """The shop's graph; what stewards decide is followed through."""
    context = replace(graph.context, writer=writes(shop.hub()))
    return replace(graph, context=context, engine=Engine(graph.schema, context))


def who(graph: Graph, key: str, *left_out: str) -> Any:
    """The customer of a buyer, as everybody sees it."""
    found = graph.data(WHO, key=key)["customer"]
    return {name: value for name, value in found.items() if name not in left_out}


def both(graph: Graph) -> Any:
    """What both buyers' customers are worth and what happened to them; not the history of their ids."""
    return [who(graph, key, "identity") for key in ("b1", "b2")]


def merge(shop: Shop) -> None:
    """The second buyer says the first one's address."""
    shop.sync("buyers", buyer(2, name=ANN, mail="ann1@mail.example"))


def histories(graph: Graph) -> Any:
    return [who(graph, key)["identity"]["history"] for key in ("b1", "b2")]


def leads_to(graph: Graph, public_id: str) -> Any:
    """Who an id stands for now."""
    return graph.data("query L($id: ID!) { customer(by: {id: $id}) { id } }", id=public_id)["customer"]["id"]


def place(key: str) -> dict[str, str]:
    return {"source": "shop", "stream": "buyers", "key": key}


def decide(graph: Graph, example: Callable[[str], str], how: str, **said: Any) -> Any:
    [payload] = graph.data(example("steward"), how, **said).values()
    return payload


def test_separating_a_merged_customer_gives_back_money_interactions_flags_and_ids(
    asked: Graph, shop: Shop, example: Callable[[str], str]
) -> None:
    apart = both(asked)
    assert [c["profitability"]["revenue"]["amount"] for c in apart] == ["120.00", "30.00"]
    assert [[f["rule"] for f in c["riskFlags"]] for c in apart] == [["failed_payment"], ["silence_after_order"]]
    merge(shop)
    first, second = both(asked)
    assert first == second
    assert first["profitability"]["revenue"] == {"amount": "150.00"}
    assert first["timeline"]["totalCount"] == 4
    assert [f["rule"] for f in first["riskFlags"]] == ["failed_payment"]
    identity = who(asked, "b1")["identity"]
    [gone] = identity["mergedIds"]
    assert (identity["profileCount"], leads_to(asked, gone)) == (2, first["id"])

    payload = decide(asked, example, "Separate", left=place("b1"), right=place("b2"))
    assert {c["id"] for c in payload["customers"]} == {c["id"] for c in apart}
    assert both(asked) == apart, "each has its own again: entries, interactions, flags, and its id"
    assert leads_to(asked, gone) == gone

    decide(asked, example, "Withdraw", judgement=payload["judgement"]["id"])
    assert both(asked) == [first, second]


def test_a_separation_is_told_and_holds_on_a_full_rebuild_and_when_the_source_changes(
    asked: Graph, shop: Shop, example: Callable[[str], str]
) -> None:
    ids = sorted(c["id"] for c in both(asked))
    merge(shop)
    kept = who(asked, "b1")["id"]
    name = decide(asked, example, "Separate", left=place("b1"), right=place("b2"))["judgement"]["id"]
    apart, told = both(asked), histories(asked)
    for customer, history in zip(apart, told, strict=True):
        decided = ["OVERRIDDEN"] if customer["id"] == kept else []
        assert [event["event"] for event in history] == ["MINTED", "MERGED", *decided, "SPLIT", "REVIVED"]
        assert all(event["customerIds"] == ids for event in history if event["event"] in ("MERGED", "SPLIT"))
        overridden = [event["reason"] for event in history if event["event"] == "OVERRIDDEN"]
        assert overridden == [f"{name}: a steward keeps two profiles apart" for _ in decided]

    remap(shop.hub(), shop.as_of)
    assert (both(asked), histories(asked)) == (apart, told)
    shop.send("buyers", buyer(2, name=ANN, mail="ann1@mail.example", phone="later"))
    shop.sync("buyers", buyer(1, name=ANN | {"given": "Anne"}))
    assert [c["id"] for c in both(asked)] == [c["id"] for c in apart]

    decide(asked, example, "Withdraw", judgement=name)
    history = who(asked, "b1")["identity"]["history"]
    before = next(h for h in told if h == history[: len(h)])
    assert [event["event"] for event in history[len(before) :]] == ["WITHDRAWN", "MERGED"]


def test_a_join_holds_on_a_full_rebuild_and_when_the_source_changes(
    asked: Graph, shop: Shop, example: Callable[[str], str]
) -> None:
    before = both(asked)
    payload = decide(asked, example, "Join", left=place("b1"), right=place("b2"))
    [customer] = payload["customers"]
    joined = both(asked)
    assert {c["id"] for c in joined} == {customer["id"]}
    assert joined[0]["profitability"]["revenue"] == {"amount": "150.00"}
    remap(shop.hub(), shop.as_of)
    assert both(asked) == joined
    shop.sync("buyers", buyer(2, name={"given": "Zoe", "family": "Other"}))
    assert {c["id"] for c in both(asked)} == {customer["id"]}
    shop.sync("buyers", buyer(2, name=ANN))
    decide(asked, example, "Withdraw", judgement=payload["judgement"]["id"])
    assert both(asked) == before
