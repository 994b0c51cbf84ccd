"""Every field of the schema and of the BI views is of a class or looked at and plain; nothing leads around a mask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_list_type,
)

from hub.access.classes import CLASSES, OF_EVERYBODY, PLAIN, WITHIN, WRITES, classes_of, maskable, refusable
from hub.api.schema import build_schema
from hub.export.views import VIEWS
from mappings.rulebook import FieldClass

# Words of a page, and inputs whose fields name no field of a customer: a range, a match, a key of another system.
STRUCTURE = ("PageInfo",)
BARE_INPUTS = ("Match", "Range", "Order", "ExternalId", "ProfileInput")
MARKED = {field for words in CLASSES.values() for field in words.split()}
CLASSED = {field.rstrip("!") for field in MARKED}
NAMED_PLAIN = {f"{kind}.{field}" for kind, fields in PLAIN.items() for field in fields.split()}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema()._schema


def outputs(schema: GraphQLSchema) -> Iterator[tuple[str, str, object]]:
    """Every output field: its type's name, its own, and what it holds."""
    for kind in schema.type_map.values():
        structural = kind.name in STRUCTURE or kind.name.startswith("__") or kind.name.endswith(("Connection", "Edge"))
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not structural:
            yield from ((kind.name, name, field.type) for name, field in kind.fields.items())


def inputs(schema: GraphQLSchema) -> Iterator[str]:
    """Every field that a filter or a look-up takes, and every value that a list is sorted by."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType) and not kind.name.endswith(BARE_INPUTS):
            yield from (f"{kind.name}.{name}" for name in kind.fields)
        elif isinstance(kind, GraphQLEnumType) and kind.name.endswith("OrderField"):
            yield from (f"{kind.name}.{name}" for name in kind.values)


def columns() -> Iterator[str]:
    return (f"{view}.{column}" for view, said in VIEWS.items() for column in said.columns)


def test_whatever_is_new_is_classed_or_looked_at_and_plain(schema: GraphQLSchema) -> None:
    needed = {f"{kind}.{name}" for kind, name, _ in outputs(schema) if kind not in WITHIN}
    needed |= {*inputs(schema), *columns()}
    assert sorted(needed - CLASSED - NAMED_PLAIN) == [], "name them in hub/access/classes.py"


def test_whatever_is_named_exists_and_once(schema: GraphQLSchema) -> None:
    there = {f"{kind}.{name}" for kind, name, _ in outputs(schema)} | {*inputs(schema), *columns()}
    assert sorted((CLASSED | NAMED_PLAIN) - there) == []
    assert sorted(CLASSED & NAMED_PLAIN) == []
    assert sorted(kind for kind in WITHIN if kind not in schema.type_map) == []
    assert sorted(OF_EVERYBODY - CLASSED) == []


def test_a_mark_stands_where_unknown_cannot_be_answered(schema: GraphQLSchema) -> None:
    must = {f"{kind}.{name}" for kind, name, held in outputs(schema) if _never_unknown(held)} | {*inputs(schema)}
    marked = {field.rstrip("!") for field in MARKED if field.endswith("!")}
    bare = {field for field in MARKED if not field.endswith("!")}
    assert sorted(marked - must) == []
    assert sorted(bare & must) == []


def _never_unknown(held: object) -> bool:
    return isinstance(held, GraphQLNonNull) and not is_list_type(held.of_type)


def test_a_type_within_is_reached_only_through_fields_of_its_classes(schema: GraphQLSchema) -> None:
    leaks = [
        f"{kind}.{name} leads to {inner}, which is {', '.join(WITHIN[inner])}"
        for kind, name, held in outputs(schema)
        if (inner := _beyond_a_page(get_named_type(held).name)) in WITHIN  # type: ignore[call-overload]
        and not set(WITHIN[inner]) <= {*WITHIN.get(kind, ()), *classes_of([f"{kind}.{name}"])}
    ]
    assert leaks == []


def _beyond_a_page(name: str) -> str:
    return name.removesuffix("Connection").removesuffix("Edge")


def test_the_classes_are_those_that_a_role_may_name() -> None:
    assert set(CLASSES) == set(get_args(FieldClass))
    assert set(WRITES) <= set(CLASSES)


@pytest.mark.parametrize("of", CLASSES)
def test_a_class_is_what_is_masked_and_what_is_refused(of: str) -> None:
    assert not maskable(of) & refusable(of)
    assert all(of in classes_of([field]) for field in maskable(of) | refusable(of))


def test_fields_tell_their_classes() -> None:
    asked = ["Customer.emails", "Customer.id", "Customer.provenance", "Query.customers"]
    assert classes_of(asked) == ("BIRTH_DATE", "CONTACT", "IDENTITY", "NAME")
    assert classes_of(["Customer.id", "Query.customers"]) == ()


def test_the_operators_guide_lists_the_classes() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "operator.md").read_text(encoding="utf-8")
    table = guide.partition("| class |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE) == list(CLASSES)
