"""A plan answers as graphql-core does, to the last byte: on generated operations, and on what is easily got wrong.

`Graph.ask` answers every operation both ways and compares. HUB_TEST_PLANS says how many operations are generated.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from hub.api.schema import build_schema
from tests.hub.api.conftest import Graph
from tests.hub.api.operations import DAYS, operations

MANY = int(os.environ.get("HUB_TEST_PLANS", "60"))
SCHEMA = build_schema()._schema
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
PLANNED = ("customer", "customers", "searchCustomers", "riskFlags", "reviews", "node")
FIGURES = ("journeyMap", "profitability", "whaleCurve", "sources", "reconciliation")
RICH = settings(
    max_examples=MANY,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)


@pytest.fixture
def counted(told: Graph) -> Iterator[Graph]:
    """The graph; at the end, enough operations must have been planned for the comparison to mean something."""
    yield told
    assert told.planned > MANY // 10


@RICH
@given(operation=operations(SCHEMA, PLANNED))
def test_a_plan_answers_as_graphql_core_does(counted: Graph, operation: tuple[str, dict[str, Any]]) -> None:
    text, variables = operation
    counted.ask(text, None, **variables)


@RICH
@given(operation=operations(SCHEMA, FIGURES))
def test_figures_are_written_as_graphql_core_writes_them(counted: Graph, operation: tuple[str, dict[str, Any]]) -> None:
    text, variables = operation
    counted.ask(text, None, **variables)


@RICH
@given(text=queries(SCHEMA, fields=PLANNED, custom_scalars={"Date": st.sampled_from(DAYS).map(nodes.String)}))
def test_what_another_generator_asks_is_answered_alike(told: Graph, text: str) -> None:
    told.ask(text)


TYPED = {
    "an object of a stored list": "{ customers { edges { node { riskScore { reasons { rule __typename } } } } } }",
    "money": '{ customers { edges { node { valueAtRisk(currency: "USD") { __typename amount } } } } }',
    "a connection and its parts": "{ customers { __typename edges { __typename } pageInfo { __typename } } }",
    "what stands beside": "{ customers { edges { node { profitability { __typename } identity { __typename } } } } }",
    "an interface": '{ node(id: "cus_0001") { __typename id } }',
}


@pytest.mark.parametrize("text", TYPED.values(), ids=TYPED)
def test_a_plan_says_the_types_itself(told: Graph, text: str) -> None:
    told.data(text)
    assert told.planned == 1


ENDS = {
    "more": "pageInfo { hasNextPage }",
    "before": "pageInfo { hasPreviousPage }",
    "both": "pageInfo { hasNextPage hasPreviousPage }",
    "cursors": "pageInfo { startCursor endCursor }",
    "count and more": "totalCount pageInfo { hasNextPage }",
}
PAGES = ["first: 2", "first: 0", "last: 2", "last: 0", 'after: "5b7e72~2"', 'before: "5b7e72~1", last: 5']


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("ends", ENDS.values(), ids=ENDS)
def test_the_ends_of_a_page_are_answered_without_its_rows(told: Graph, ends: str, page: str) -> None:
    below = f"timeline(first: 1) {{ {ends} }} members {{ {ends} }}"
    told.data(f"{{ customers({page}) {{ {ends} }} }}")
    told.data(f"{{ customers {{ edges {{ node {{ {below} }} }} }} }}")
    told.data(f'{{ searchCustomers(text: "nobody", first: 2) {{ {ends} }} }}')
    assert told.planned == 3
