"""Keyset pages: every row exactly once, whatever ties and nulls there are, forward from any cursor."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest

from hub.store.mapped import MAPPED
from tests.hub.api.conftest import Graph, at, put, put_customer

CUSTOMERS = """
query Page($after: String, $orderBy: [CustomerOrder!], $first: Int) {
  customers(first: $first, after: $after, orderBy: $orderBy) {
    totalCount
    edges { cursor node { id displayName } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
ORDERS: dict[str, list[tuple[str, str]]] = {
    "by id": [],
    "value falling": [("VALUE_AT_RISK", "DESC")],
    "value rising": [("VALUE_AT_RISK", "ASC")],
    "name": [("DISPLAY_NAME", "ASC")],
    "several": [("RISK_POINTS", "DESC"), ("LAST_SEEN", "ASC"), ("DISPLAY_NAME", "DESC")],
}


@pytest.fixture
def crowd(graph: Graph) -> Graph:
    """Thirty customers with many ties and nulls, and names that collations sort otherwise."""
    dice = random.Random(7)
    names = ["ab", "a b", "äb", "AB", "a-b", "zz", "Z"]
    with graph.store.write() as connection:
        for number in range(1, 31):
            name = dice.choice(names)
            put_customer(
                connection,
                number,
                name,
                display_name_key=name,
                value_at_risk=dice.choice([None, 5, 5, 7, -1]),
                risk_points=dice.choice([10, 20]),
                last_seen=dice.choice([None, 1_000_000, 2_000_000]),
            )
    return graph


def walk(graph: Graph, first: int, order: list[tuple[str, str]]) -> list[str]:
    ids: list[str] = []
    after: str | None = None
    keys = [{"field": name, "direction": direction} for name, direction in order]
    while True:
        page = graph.data(CUSTOMERS, first=first, after=after, orderBy=keys or None)["customers"]
        assert page["totalCount"] == 30
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        assert page["pageInfo"]["startCursor"] == page["edges"][0]["cursor"]
        ids += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return ids


def sorted_slowly(graph: Graph, order: list[tuple[str, str]]) -> list[str]:
    """The same order by a second way: Python's stable sort over code points, nulls last."""
    with graph.store.read() as connection:
        rows = [dict(row) for row in connection.exec_driver_sql("SELECT * FROM customer_card").mappings()]
    names = {"VALUE_AT_RISK": "value_at_risk", "DISPLAY_NAME": "display_name_key"}
    names |= {"RISK_POINTS": "risk_points", "LAST_SEEN": "last_seen"}
    rows.sort(key=lambda row: row["customer_no"], reverse=bool(order) and order[-1][1] == "DESC")
    for field, direction in reversed(order):
        column = names[field]
        known = [row for row in rows if row[column] is not None]
        known.sort(key=lambda row: _bytes(row[column]), reverse=direction == "DESC")
        rows = known + [row for row in rows if row[column] is None]
    return [row["public_id"] for row in rows]


def _bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_pages_hold_every_row_once_in_order(crowd: Graph, order: list[tuple[str, str]]) -> None:
    wanted = sorted_slowly(crowd, order)
    assert walk(crowd, 1000, order) == wanted
    assert walk(crowd, 7, order) == wanted
    assert walk(crowd, 1, order) == wanted


def test_nested_pages_go_on_where_they_ended(graph: Graph) -> None:
    with graph.store.write() as connection:
        put_customer(connection, 1, "A")
        for number in range(1, 8):
            touch = {"type": "visit.made", "channel": "WEB", "lane": "CUSTOMER", "customer_no": 1}
            put(connection, MAPPED["interaction"], fact_no=number, at=at("2026-01-01T00:00:00"), **touch)
    query = """query T($after: String) { customer(by: {id: "cus_0001"}) {
      timeline(first: 3, after: $after) { totalCount edges { node { id } } pageInfo { hasNextPage endCursor } } } }"""
    seen, after = [], None
    for more in (True, True, False):
        page = graph.data(query, after=after)["customer"]["timeline"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        assert page["pageInfo"]["hasNextPage"] is more
        assert page["totalCount"] == 7
        after = page["pageInfo"]["endCursor"]
    assert seen == [f"int_{number}" for number in range(7, 0, -1)]


def test_pages_of_many_parents_are_cut_for_each(graph: Graph) -> None:
    with graph.store.write() as connection:
        for customer in (1, 2):
            put_customer(connection, customer, "A")
            for number in range(customer * 10, customer * 10 + 4):
                touch = {"type": "visit.made", "channel": "WEB", "lane": "CUSTOMER", "customer_no": customer}
                put(connection, MAPPED["interaction"], fact_no=number, at=number, **touch)
    edges = graph.data("{ customers { edges { node { timeline(first: 2) { edges { node { id } } } } } } }")
    pages = [edge["node"]["timeline"]["edges"] for edge in edges["customers"]["edges"]]
    assert [[edge["node"]["id"] for edge in page] for page in pages] == [["int_13", "int_12"], ["int_23", "int_22"]]


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


BAD_CURSORS = {
    "no base64": "%%%",
    "no JSON": "aGVsbG8",
    "empty": "",
    "an object": base64.urlsafe_b64encode(b"{}").decode(),
    "another order": cursor("-VALUE_AT_RISK,-customer_no", 5, 1),
    "text for a number": cursor("+customer_no", "1 OR 1=1"),
    "no row": cursor("+customer_no"),
    "too big": cursor("+customer_no", 2**64),
    "null key": cursor("+customer_no", None),
    "a boolean": cursor("+customer_no", True),
    "nested": cursor("+customer_no", [1]),
}


@pytest.mark.parametrize("text", BAD_CURSORS.values(), ids=BAD_CURSORS)
def test_foreign_cursor_is_refused(told: Graph, text: str) -> None:
    assert told.code(CUSTOMERS, after=text) == "BAD_USER_INPUT"


@pytest.mark.parametrize("first", [-1, 1001, 2**31 - 1])
def test_page_size_out_of_range_is_refused_with_the_limit(told: Graph, first: int) -> None:
    answer = told.ask(CUSTOMERS, first=first)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "1000" in answer["errors"][0]["message"]
    assert str(first) in answer["errors"][0]["message"]


def test_page_size_zero_and_null(told: Graph) -> None:
    none = told.data(CUSTOMERS, first=0)["customers"]
    assert none["edges"] == []
    assert none["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }
    assert len(told.data(CUSTOMERS, first=None)["customers"]["edges"]) == 3
