"""What of the schema an operation names. In: a document, what its variables say. Out: coordinates to look up.

A coordinate is `Type.field` of a selection, `Input.field` or `Enum.VALUE` of what is given: as roles refuse them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    EnumValueNode,
    FieldNode,
    GraphQLInputType,
    GraphQLSchema,
    Node,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_enum_type,
    is_input_object_type,
    visit,
)


def coordinates_in(kind: GraphQLInputType, said: Any) -> Iterator[str]:
    """What a variable names, before it is coerced."""
    waiting: list[tuple[Any, Any]] = [(get_named_type(kind), said)]
    while waiting:
        named, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(named, item) for item in value]
        elif is_enum_type(named) and isinstance(value, str):
            yield f"{named.name}.{value}"
        elif is_input_object_type(named) and isinstance(value, dict):
            for name in value.keys() & named.fields.keys():
                yield f"{named.name}.{name}"
                waiting.append((get_named_type(named.fields[name].type), value[name]))


def coordinates(schema: GraphQLSchema, ast: DocumentNode) -> frozenset[str]:
    """What a valid document names."""
    info = TypeInfo(schema)
    named = _Named(info)
    visit(ast, TypeInfoVisitor(info, named))
    return frozenset(named.found)


class _Named(Visitor):
    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self._note(self._info.get_parent_type(), node)

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        self._note(self._info.get_parent_input_type(), node)

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        kind = self._info.get_input_type()
        if kind is not None:
            self.found.add(f"{get_named_type(kind).name}.{node.value}")

    def _note(self, kind: Any, node: Node) -> None:
        if kind is not None:
            self.found.add(f"{get_named_type(kind).name}.{node.name.value}")  # type: ignore[attr-defined]
