"""What frontend teams read and generate from: the schema describes itself, and the guide names what is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLSchema,
    build_schema,
    is_required_argument,
    is_specified_scalar_type,
)

from hub.api.declare import DEFAULT_FIRST, LARGEST_FIRST
from hub.api.errors import CODES
from hub.api.schema import committed_sdl
from tests.frontend.conftest import GUIDE


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(committed_sdl())


def arguments(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLArgument]]:
    """Every argument of a field, as Type.field(argument:)."""
    for name, kind in schema.type_map.items():
        for field_name, field in getattr(kind, "fields", {}).items():
            for argument_name, argument in getattr(field, "args", {}).items():
                if not name.startswith("__"):
                    yield f"{name}.{field_name}({argument_name}:)", argument


def names(schema: GraphQLSchema) -> set[str]:
    """What the guide may call a node."""
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    return {kind.name for kind in schema.get_possible_types(node)}


def described(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    """All that should say what it is, by its coordinate."""
    for name, kind in schema.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(kind):
            continue
        yield name, kind
        parts = kind.values if isinstance(kind, GraphQLEnumType) else getattr(kind, "fields", {})
        yield from ((f"{name}.{part}", said) for part, said in parts.items())
    yield from arguments(schema)


def test_everything_is_described(schema: GraphQLSchema) -> None:
    silent = [coordinate for coordinate, said in described(schema) if not (said.description or "").strip()]
    assert silent == [], ", ".join(silent)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        pytest.param("first", (f"{DEFAULT_FIRST} unless said", f"{LARGEST_FIRST} at most"), id="first"),
        pytest.param("last", (f"{LARGEST_FIRST} at most",), id="last"),
    ],
)
def test_a_page_says_its_usual_and_its_largest_size(
    schema: GraphQLSchema, argument: str, words: tuple[str, ...]
) -> None:
    sizes = {name: said.description or "" for name, said in arguments(schema) if name.endswith(f"({argument}:)")}
    assert sizes
    assert [name for name, said in sizes.items() if any(word not in said for word in words)] == []


def test_an_argument_with_a_default_takes_a_variable_that_may_be_null(schema: GraphQLSchema) -> None:
    """A default beside a type that may not be null is refused by relay-compiler for an optional variable."""
    both = [
        name
        for name, argument in arguments(schema)
        if isinstance(argument.type, GraphQLNonNull) and not is_required_argument(argument)
    ]
    assert both == []


def test_the_guide_names_the_nodes_and_the_connections_of_the_schema(schema: GraphQLSchema) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    nodes = re.search(r"possibleTypes: \{ Node: \[(.*?)\]", guide)
    assert nodes
    assert set(re.findall(r'"(\w+)"', nodes[1])) == names(schema)
    assert schema.query_type
    pages = {name: set(field.args) for name, field in schema.query_type.fields.items() if "first" in field.args}
    shown = {
        name: set(re.findall(r'"(\w+)"', keys)) for name, keys in re.findall(r"(\w+): relayStyle\w+\((.*?)\)", guide)
    }
    assert {name: keys - {"first", "after", "last", "before"} for name, keys in pages.items()} == {
        name: keys for name, keys in shown.items() if name in schema.query_type.fields
    }


def test_the_guide_names_codes_that_exist() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", guide, re.MULTILINE)
    named = {code for row in rows for code in re.findall(r"[A-Z_]+", row)}
    assert {"AMBIGUOUS", "INTERNAL"} <= named <= set(CODES)
