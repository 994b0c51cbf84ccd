"""Operations to ask the hand-made graph: the whole query language, with values that the graph knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
)
from hypothesis import strategies as st

DEEPEST = 9
FIRST = "5b7e72~1"  # the cursor of the first customer in the order of their numbers
TEXTS = [
    *("cus_0001", "cus_0003", "cus_old", "int_101", "jrn_301", "flg_501", "jdg_7", "lnk_11-12", "ent_203", "int_x", ""),
    *("mike@home.example", "family@home.example", "015112345678", "mul mik", "M", "DE", "GB", "EUR", "USD", "KWD"),
    *("failed_payment", "hubspot", "stripe", "101", "cus_A", FIRST, 'é\u2028"\\\n', "%_'", "\x01"),
]
DAYS = ["2025-01-01", "2026-06-01", "2026-06-28", "2999-12-31"]
NUMBERS = [0, *(1, 2, 3) * 5, 20, 55, 1000, -1, 1001]
SELDOM = {"after": 8, "before": 8, "last": 6}
LIKELY: dict[str, list[str]] = {
    "currency": [*("EUR", "USD", "GBP") * 5, "XXX"],
    "after": [FIRST, FIRST, FIRST, "zz"],
    "before": [FIRST, FIRST, FIRST, "zz"],
    "source": ["hubspot", "hubspot", "nobody"],
    "id": ["cus_0001", "cus_0001", "cus_0003", "cus_old", *TEXTS],
    "email": ["mike@home.example", "family@home.example", "nobody"],
}


@dataclass
class _Text:
    """An operation as it grows: variables with their types and values, and fragments."""

    draw: Callable[[Any], Any]
    schema: GraphQLSchema
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    keys: int = 0

    def chance(self, one_in: int) -> bool:
        return bool(self.draw(st.integers(1, one_in)) == 1)

    def one(self, options: list[Any]) -> Any:
        return self.draw(st.sampled_from(options))

    def selection(self, kind: Any, depth: int, fields: dict[str, GraphQLField] | None = None) -> str:
        """A selection set of a composite type."""
        known = fields if fields is not None else {} if is_abstract_type(kind) else dict(kind.fields)
        if is_abstract_type(kind) and hasattr(kind, "fields"):
            known = dict(kind.fields)
        names = [n for n, f in known.items() if depth < DEEPEST or is_leaf_type(get_named_type(f.type))]
        chosen = self.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4)) if names else []
        parts = [self.field(name, known[name], depth) for name in chosen]
        if not parts or self.chance(6):
            parts.append("__typename")
        if is_abstract_type(kind):
            for possible in self.draw(st.lists(st.sampled_from(self.schema.get_possible_types(kind)), max_size=2)):
                parts.append(f"... on {possible.name} {self.selection(possible, depth)}")
        elif fields is None and self.chance(5):
            parts.append(self.spread(kind, depth))
        return "{ " + " ".join(parts) + " }"

    def spread(self, kind: Any, depth: int) -> str:
        """A fragment: inline, with or without a type, or a named one."""
        inner = self.selection(kind, depth + 1)
        match self.draw(st.integers(0, 2)):
            case 0:
                return f"... on {kind.name} {inner}"
            case 1:
                return f"...{self.directive()} {inner}"
        name = f"f{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {kind.name} {inner}")
        return f"...{name}"

    def field(self, name: str, of: GraphQLField, depth: int) -> str:
        """A field with its arguments under a key of its own: equal keys with other arguments would be refused."""
        said = [(a, v) for a, arg in of.args.items() if (v := self.argument(a, arg.type)) is not None]
        arguments = f"({', '.join(f'{a}: {v}' for a, v in said)})" if said else ""
        self.keys += 1
        alias = f"k{self.keys}: " if of.args or self.chance(8) else ""
        inner = get_named_type(of.type)
        below = f" {self.selection(inner, depth + 1)}" if is_composite_type(inner) else ""
        return f"{alias}{name}{arguments}{self.directive() if alias else ''}{below}"

    def directive(self) -> str:
        if not self.chance(8):
            return ""
        which, said = self.one(["skip", "include"]), self.draw(st.booleans())
        return f" @{which}(if: {self.as_variable('Boolean!', said) if self.chance(2) else json.dumps(said)})"

    def argument(self, name: str, kind: Any) -> str | None:
        """A literal or a variable; None where the argument is left out."""
        if not isinstance(kind, GraphQLNonNull) and not self.chance(SELDOM.get(name, 3)):
            return None
        value = self.value(name, kind)
        return self.as_variable(str(kind), _plain(value)) if self.chance(2) else _literal(value)

    def as_variable(self, kind: str, value: Any) -> str:
        name = f"v{len(self.variables)}"
        self.variables[name] = (kind, value)
        return f"${name}"

    def value(self, name: str, kind: Any, depth: int = 0) -> Any:
        """A value of an input type."""
        if isinstance(kind, GraphQLNonNull):
            return self.value(name, kind.of_type, depth)
        if depth and self.chance(12):
            return None
        if isinstance(kind, GraphQLList):
            return [self.value(name, kind.of_type, depth + 1) for _ in range(self.draw(st.integers(0, 2)))]
        if isinstance(kind, GraphQLInputObjectType):
            return self.input(kind, depth)
        if isinstance(kind, GraphQLEnumType):
            return _Word(self.one(list(kind.values)))
        match kind.name:
            case "Int":
                return self.one(NUMBERS)
            case "Boolean":
                return self.draw(st.booleans())
            case "Date":
                return self.one(DAYS)
        return self.one(LIKELY.get(name, TEXTS))

    def input(self, kind: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
        if kind.is_one_of:
            name = self.one(list(kind.fields))
            return {name: self.value(name, GraphQLNonNull(kind.fields[name].type), depth)}
        wanted = {n: f for n, f in kind.fields.items() if isinstance(f.type, GraphQLNonNull) or self.chance(4)}
        nested = {n: f for n, f in wanted.items() if depth < 3 or n not in ("and", "or", "not")}
        return {n: self.value(n, f.type, depth + 1) for n, f in nested.items()}


class _Word(str):
    """The name of an enum's value."""


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _literal(value: Any) -> str:
    if isinstance(value, _Word):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return json.dumps(value)


@st.composite
def operations(draw: Callable[[Any], Any], schema: GraphQLSchema, roots: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """A query and its variables; sometimes one that may be left out is."""
    text, query = _Text(draw, schema), schema.query_type
    assert query is not None
    selected = text.selection(query, 1, {name: query.fields[name] for name in roots})
    declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in text.variables.items())
    document = f"query Q{f'({declared})' if declared else ''} {selected} {' '.join(text.fragments)}"
    said = {n: v for n, (kind, v) in text.variables.items() if kind.endswith("!") or not text.chance(8)}
    return document, said
