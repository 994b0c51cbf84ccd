"""No answer holds a text that the role does not see: asked for everything there is, and for what is generated.

`Graph.ask` answers every operation by graphql-core and by a plan and compares. HUB_TEST_ROLES says how many operations
are generated for each role.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type
from hypothesis import HealthCheck, Phase, given, settings

from hub.access.principal import LOCAL, Principal
from hub.api.schema import build_schema
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import Graph
from tests.hub.api.crowd import SEEN, crowded, sights, untold
from tests.hub.api.operations import operations

MANY = int(os.environ.get("HUB_TEST_ROLES", "10"))
SCHEMA = build_schema()._schema
ROOTS = (
    *("customer", "customers", "searchCustomers", "riskFlags", "reviews", "node"),
    *("journeyMap", "profitability", "whaleCurve", "sources", "reconciliation"),
)
FEW = settings(
    max_examples=MANY,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
AMOUNT = re.compile(r'"-?\d+\.\d+"')
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
See = Callable[[str], Graph]


@pytest.fixture
def seen_by(told: Graph, rulebook: Rulebook) -> See:
    """The crowded graph as a role sees it; as `admin`, all of it."""
    crowd, known = crowded(told), sights(rulebook)
    return lambda role: replace(crowd, principal=Principal(f"key:{role}", known[role]))


def everything(kind: GraphQLObjectType, refused: frozenset[str], inside: tuple[str, ...] = ()) -> Iterator[str]:
    """Each field of a type with all that may be asked for below it; of a type around it, what leads nowhere."""
    for name, field in kind.fields.items():
        if f"{kind.name}.{name}" in refused:
            continue
        inner: Any = get_named_type(field.type)
        if is_leaf_type(inner):
            yield name
        elif kind.name not in inside:
            few = "(first: 5)" if "first" in field.args else ""
            below = list(everything(inner, refused, (*inside, kind.name)))
            if below:
                yield f"{name}{few} {{ {' '.join(below)} }}"


def questions(refused: frozenset[str]) -> Iterator[str]:
    """All that may be asked of customers and flags, field by field, in every order, and every figure."""
    for root, kind in (("customers", "Customer"), ("riskFlags", "RiskFlag")):
        orders: Any = SCHEMA.type_map[f"{kind}OrderField"]
        for order in orders.values:
            if f"{orders.name}.{order}" not in refused:
                yield f"{{ {root}(orderBy: {{field: {order}}}) {{ edges {{ cursor }} pageInfo {{ endCursor }} }} }}"
        for asked in everything(SCHEMA.type_map[kind], refused):  # type: ignore[arg-type]
            yield f"{{ {root}(first: 5) {{ totalCount edges {{ node {{ {asked} }} }} }} }}"
    for root in ("journeyMap", "profitability(groupBy: [COUNTRY])", "whaleCurve", "sources", "reconciliation"):
        if f"Query.{root.partition('(')[0]}" in refused:
            continue
        field = SCHEMA.query_type.fields[root.partition("(")[0]]  # type: ignore[union-attr]
        yield f"{{ {root} {{ {' '.join(everything(get_named_type(field.type), refused))} }} }}"


def all_of_it(graph: Graph) -> str:
    answers = [graph.ask(question) for question in questions(graph.principal.sight.refused)]
    assert [answer["errors"] for answer in answers if "errors" in answer] == []
    # Each is answered both ways, but for what is nested deeper than SQLite reads.
    assert graph.planned >= len(answers) * (0.8 if graph.store.dialect == "sqlite" else 1)
    return "\n".join(map(everything_said, answers))


@pytest.mark.parametrize("role", SEEN)
def test_who_asks_for_everything_is_told_what_the_role_sees(seen_by: See, role: str) -> None:
    graph = seen_by(role)
    said = all_of_it(graph)
    assert [secret for secret in untold(role) if secret.lower() in said] == []
    assert role != "agent" or not AMOUNT.search(said)


def test_whoever_sees_everything_is_told_all_of_it(seen_by: See) -> None:
    said = all_of_it(replace(seen_by("agent"), principal=LOCAL))
    assert {secret for role in SEEN for secret in untold(role) if secret.lower() not in said} == set()
    assert AMOUNT.search(said)


def everything_said(answer: Any) -> str:
    """The data of an answer and what its errors add, in small letters; cursors are read too."""
    said = json.dumps([answer["data"], [e.get("extensions") for e in answer.get("errors", ())]], ensure_ascii=False)
    cursors = [bytes.fromhex(each).decode() for each in re.findall(r'"((?:[0-9a-f]{2}){8,})"', said)]
    return "\n".join((said, *cursors)).lower()


@FEW
@given(operation=operations(SCHEMA, ROOTS))
@pytest.mark.parametrize("role", ["analyst", "agent", "marketing", "british", "payers", "companies"])
def test_no_answer_tells_what_the_role_does_not_see(
    seen_by: See, role: str, operation: tuple[str, dict[str, Any]]
) -> None:
    text, variables = operation
    said = everything_said(seen_by(role).ask(text, None, **variables))
    assert [secret for secret in untold(role) if secret.lower() in said] == []
    assert role != "agent" or not AMOUNT.search(said)
