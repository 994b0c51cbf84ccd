"""Limits: each refusal has a code, the limit and the value, and nothing runs."""

from __future__ import annotations

import pytest
from graphql import get_introspection_query

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
