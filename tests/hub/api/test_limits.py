"""Limits: each refusal has a code, the limit and the value, and nothing runs."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from graphql import get_introspection_query

from hub.api.asked.documents import Documents
from hub.api.asked.limits import HEAVY
from hub.api.schema import Schema
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import Graph, put_customer

FRAGMENT_BOMB = (
    '{ customer(by: {id: "cus_0001"}) { ...f0 } } '
    + " ".join(f"fragment f{n} on Customer {{ a{n}: id ...f{n + 1} b{n}: id ...f{n + 1} }}" for n in range(40))
    + " fragment f40 on Customer { id }"
)
REFUSED = {
    "deep": (
        '{ customer(by: {id: "1"}) { ' + "members { edges { node { person { " * 3 + "id" + " } } } }" * 3 + " } }",
        "TOO_DEEP",
        "the operation is 14 deep; 12 at most",
    ),
    "deep in fragments": (
        '{ customer(by: {id: "1"}) { ...a } } '
        "fragment a on Customer { members { edges { node { person { ...b } } } } } "
        "fragment b on Customer { members { edges { node { person { ...c } } } } } "
        "fragment c on Customer { members { edges { node { person { id } } } } }",
        "TOO_DEEP",
        "the operation is 14 deep; 12 at most",
    ),
    "aliases": (
        "{ " + " ".join(f"a{n}: sources {{ name }}" for n in range(31)) + " }",
        "TOO_MANY_ALIASES",
        "the operation has 31 aliases; 30 at most",
    ),
    "aliases in fragments": (
        FRAGMENT_BOMB,
        "TOO_MANY_ALIASES",
        f"the operation has {2 * (2**40 - 1)} aliases; 30 at most",
    ),
    "tokens": ("{ sources { " + "name " * 2000 + "} }", "TOO_MANY_TOKENS", "the document has more than 2000 tokens"),
    "comments": ("{ sources { name } }" + "\n#" * 2001, "TOO_MANY_TOKENS", "the document has more than 2000 tokens"),
    "braces": ("{ sources " + "{ sources " * 500, "TOO_DEEP", "the document is nested too deep; 12 at most"),
    "lists": (
        "{ customers(filter: {country: {in: " + "[" * 900,
        "TOO_DEEP",
        "the document is nested too deep; 12 at most",
    ),
    "circular fragments": (
        '{ customer(by: {id: "1"}) { ...a } } fragment a on Customer { ...b } fragment b on Customer { ...a }',
        "BAD_QUERY",
        "Cannot spread fragment 'a' within itself via 'b'.",
    ),
    "unknown field": ('{ customer(by: {id: "1"}) { nothing } }', "BAD_QUERY", None),
    "directives": (
        "{ sources { name " + "@include(if: true) " * 21 + "} }",
        "TOO_MANY_DIRECTIVES",
        "the operation has 21 directives; 20 at most",
    ),
    "directives in fragments": (
        "{ sources { " + "...a @skip(if: false) " * 7 + "} } "
        "fragment a on Source @include(if: true) { name @include(if: true) }",
        "TOO_MANY_DIRECTIVES",
        "the operation has 21 directives; 20 at most",
    ),
    "cost": (
        "{ customers(first: 1000) { edges { node { timeline(first: 20) { edges { node { id } } } } } } }",
        "TOO_COSTLY",
        "the operation costs 22001; 20000 at most; ask for fewer: first, last",
    ),
    "two operations": (
        "query A { sources { name } } query B { sources { name } }",
        "BAD_QUERY",
        "operationName: say which of the 2 operations is meant",
    ),
    "introspection in circles": (
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
        "BAD_QUERY",
        None,
    ),
}

NODE = "edges { node { id } }"
COSTS: dict[str, tuple[str, dict[str, object], int]] = {
    "scalars of one": ('{ customer(by: {id: "1"}) { id kind country } }', {}, 1),
    "objects of one": (
        '{ customer(by: {id: "1"}) { stage { key } riskScore { reasons { text } } } }',
        {},
        1 + 1 + 1 + 5 * 1,
    ),
    "a page unless said": (f"{{ customers {{ {NODE} pageInfo {{ endCursor }} }} }}", {}, 1 + 20),
    "a page": (f"{{ customers(first: 7) {{ {NODE} }} }}", {}, 1 + 7),
    "a page backwards": (f"{{ customers(last: 9) {{ {NODE} }} }}", {}, 1 + 9),
    "a page by variable": (f"query Q($n: Int) {{ customers(first: $n) {{ {NODE} }} }}", {"n": 3}, 1 + 3),
    "a variable with a default": (f"query Q($n: Int = 4) {{ customers(first: $n) {{ {NODE} }} }}", {}, 1 + 4),
    "a variable that is null": (f"query Q($n: Int) {{ customers(first: $n) {{ {NODE} }} }}", {"n": None}, 1 + 20),
    "a variable that is no number": (f"query Q($n: Int) {{ customers(first: $n) {{ {NODE} }} }}", {"n": "x"}, 1 + 20),
    "beyond the largest page": (f"{{ customers(first: 2000000000) {{ {NODE} }} }}", {}, 1 + 1_000),
    "a negative page": (f"{{ customers(first: -5) {{ {NODE} }} }}", {}, 1),
    "pages in pages": (
        f"{{ customers(first: 10) {{ edges {{ node {{ timeline(first: 5) {{ {NODE} }} }} }} }} }}",
        {},
        1 + 10 * (1 + 1 + 5),
    ),
    "wrappers in fragments": (
        f"{{ customers(first: 10) {{ ...p }} }} fragment p on CustomerConnection {{ {NODE} pageInfo {{ endCursor }} }}",
        {},
        1 + 10,
    ),
    "a fragment spread twice in a row": (
        "{ customers(first: 10) { edges { node { ...c ...c } } } } fragment c on Customer { stage { key } }",
        {},
        1 + 10 * (1 + 1),
    ),
    "left out": (
        "query Q($n: Boolean!) { customers(first: 10) { edges { node { stage @include(if: $n) { key } } } } }",
        {"n": False},
        1 + 10,
    ),
    "skipped": ("{ customer(by: {id: 1}) { id stage @skip(if: true) { key } } }", {}, 1),
    "read of everybody": ("{ journeyMap { journeyCount } a: journeyMap { journeyCount } }", {}, 2_000),
    "told by the schema itself": ("{ __schema { types { fields { name } } } }", {}, 0),
    "changed": ('mutation { eraseCustomer(id: "1", dryRun: true) { rows { table } } }', {}, 1 + 5),
}


@pytest.fixture(scope="module")
def documents(schema: Schema, rulebook: Rulebook) -> Documents:
    return Documents(schema._schema, rulebook.access)


@pytest.mark.parametrize(("query", "variables", "cost"), COSTS.values(), ids=COSTS)
def test_cost_is_the_objects_that_an_answer_may_hold(
    documents: Documents, query: str, variables: dict[str, object], cost: int
) -> None:
    document = documents.get(query)
    assert document.problems == ()
    assert document.runnable(None).cost(variables) == cost


def test_cost_of_nested_fragments_is_found_at_once(documents: Documents) -> None:
    """Each is counted once, however many ways lead to it."""
    inner = "members(first: $n) { edges { node { person { %s } } } }"
    levels = " ".join(f"fragment f{n} on Customer {{ {inner % f'...f{n + 1} ...f{n + 1}'} }}" for n in range(2))
    text = f'query Q($n: Int) {{ customer(by: {{id: "1"}}) {{ ...f0 }} }} {levels} fragment f2 on Customer {{ id }}'
    document = documents.get(text)
    assert document.problems == ()
    assert document.runnable(None).cost({"n": 1_000}) == 1 + 1 + 1_000 * (1 + 1 + 1 + 1_000 * (1 + 1))


def test_what_reads_everybody_is_in_the_schema(schema: Schema) -> None:
    for coordinate in HEAVY:
        kind, _, name = coordinate.partition(".")
        assert name in schema._schema.type_map[kind].fields  # type: ignore[attr-defined]


def test_every_contract_query_costs_an_eighth_of_the_limit_at_most(documents: Documents, rulebook: Rulebook) -> None:
    for path in sorted(Path(str(files("hub.api").joinpath("examples"))).glob("*.graphql")):
        for runnable in documents.get(path.read_text(encoding="utf-8")).operations.values():
            assert runnable.cost({}) <= rulebook.access.max_cost / 8, path.name


@pytest.mark.parametrize(("query", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_with_code_and_limit(told: Graph, query: str, code: str, message: str | None) -> None:
    with told.counting() as sent:
        answer = told.ask(query)
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == code
    assert message is None or answer["errors"][0]["message"] == message
    assert sent == []


def test_introspection_of_tools_is_within_the_limits(told: Graph) -> None:
    query = get_introspection_query(specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True)
    assert told.data(query)["__schema"]["queryType"] == {"name": "Query", "kind": "OBJECT"}


def test_deepest_allowed_query_runs(told: Graph) -> None:
    inner = "members { edges { node { person { id } } } }"
    query = '{ customer(by: {id: "cus_0003"}) { members { edges { node { person { ' + inner + " } } } } } }"
    assert told.data(query)["customer"]["members"]["edges"]


def test_long_variable_is_bounded_by_what_it_says(told: Graph) -> None:
    deep: dict[str, object] = {}
    for _ in range(500):
        deep = {"not": deep}
    answer = told.ask("query Q($f: CustomerFilter) { customers(filter: $f) { totalCount } }", f=deep)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_QUERY"


def test_answer_that_does_not_fit_the_schema_is_masked(graph: Graph) -> None:
    """By graphql-core, which looks; a plan trusts the words that the mappings let in."""
    graph.plans = False
    with graph.store.write() as connection:
        put_customer(connection, 1, "A", market_state="A secret that is no market state")
    answer = graph.ask('{ customer(by: {id: "cus_0001"}) { id marketState } }')
    assert answer["data"] == {"customer": None}
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["message"] == f"Internal error; the log has it under {error['extensions']['id']}"
    assert "secret" not in str(answer)


def test_database_that_fails_is_masked(graph: Graph) -> None:
    with graph.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE customer_card RENAME TO gone")
    try:
        answer = graph.ask("{ customers { totalCount } }")
    finally:
        with graph.store.write() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO customer_card")
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "customer_card" not in str(answer)
