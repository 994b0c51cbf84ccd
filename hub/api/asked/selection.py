"""What an operation selects. In: a validated document and its variables. Out: trees of Selected, merged by answer key.

Fragments are spread, @skip and @include decided, arguments coerced, and the currency handed down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeNameMetaFieldDef,
    ValueNode,
    VariableNode,
    get_argument_values,
    get_directive_values,
    get_named_type,
    is_abstract_type,
    is_object_type,
)

from hub.api.asked.given import ABSENT, Given, Read, Trace, Variables
from hub.api.scope import Scope

TYPE_NAME = "__typename"


class Unplannable(Exception):
    """The operation asks for what no statement answers; graphql-core answers it."""


@dataclass(frozen=True)
class Operation:
    """What does not change within an operation: the schema, its fragments and the coerced variables."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: Any
    trace: Trace | None = None

    @classmethod
    def of(cls, schema: GraphQLSchema, document: DocumentNode, variables: Any, trace: Trace | None = None) -> Operation:
        """The operation's surroundings in a document; with a trace, what is made of it outlives its variables."""
        named = [d for d in document.definitions if isinstance(d, FragmentDefinitionNode)]
        return cls(schema, {fragment.name.value: fragment for fragment in named}, variables, trace)

    def holds(self, read: Callable[[Any], bool]) -> bool:
        """What a function of the variables says."""
        if self.trace is None:
            return read(self.variables)
        return bool(self.trace.decide(lambda variables: read(variables.coerced)))


@dataclass(frozen=True)
class Selected:
    """One answer key of a selection: the field, its arguments, the scope it is read in, and what is selected below."""

    operation: Operation
    key: str
    field: GraphQLField
    nodes: tuple[FieldNode, ...]
    outside: Scope

    @property
    def name(self) -> str:
        """The field's name in the schema."""
        return self.nodes[0].name.value

    @property
    def type_name(self) -> str:
        """The named type that the field answers with."""
        return get_named_type(self.field.type).name

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """Coerced arguments by their GraphQL names. Raises GraphQLError where a variable does not fit."""
        return get_argument_values(self.field, self.nodes[0], self.operation.variables)

    @cached_property
    def given(self) -> dict[str, Given]:
        """What each argument was given, by its GraphQL name; null where nothing was."""
        trace, values = self.operation.trace, self.arguments
        said = {argument.name.value: argument.value for argument in self.nodes[0].arguments or ()}
        return {
            name: Given(values.get(name), trace, self._reads(name) if trace and _varies(said.get(name)) else None)
            for name in self.field.args
        }

    def _reads(self, name: str) -> Read:
        field, node = self.field, self.nodes[0]

        def read(variables: Variables) -> Any:
            values = variables.memo.get(id(node))
            if values is None:
                values = variables.memo[id(node)] = get_argument_values(field, node, variables.coerced)
            return values.get(name)

        return read

    @cached_property
    def scope(self) -> Scope:
        """The scope within the field. Raises ApiError BAD_CURRENCY."""
        return self.outside.inside(self.given.get("currency", ABSENT).settled())

    def below(self, type_name: str | None = None) -> list[Selected]:
        """What is selected of the answer, whose type may be said where the field's own is an interface."""
        kind = self.operation.schema.type_map[type_name or self.type_name]
        sets = [node.selection_set for node in self.nodes if node.selection_set]
        return select_fields(self.operation, kind, sets, self.scope) if is_object_type(kind) else []

    def only(self, name: str) -> list[Selected]:
        """What is selected below by this field name, under any answer key."""
        return [child for child in self.below() if child.name == name]


def select_fields(
    operation: Operation, kind: GraphQLObjectType, sets: Iterable[SelectionSetNode], scope: Scope
) -> list[Selected]:
    """The fields of an object type that selection sets ask for, in order, one for each answer key."""
    merged: dict[str, list[FieldNode]] = {}
    for node in _spread(operation, kind, sets, set()):
        merged.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
    return [
        Selected(operation, key, field, tuple(nodes), scope)
        for key, nodes in merged.items()
        if (field := _field(operation, kind, nodes[0].name.value)) is not None
    ]


def _field(operation: Operation, kind: GraphQLObjectType, name: str) -> GraphQLField | None:
    """The field of a type. What begins with __ is the executor's, but for a type's name, which a plan says itself."""
    if name.startswith("__"):
        if operation.trace and name != TYPE_NAME:
            raise Unplannable(name)
        return TypeNameMetaFieldDef if operation.trace else None
    field: GraphQLField = kind.fields[name]
    return field


def operation_fields(operation: Operation, definition: OperationDefinitionNode, scope: Scope) -> list[Selected]:
    """The root fields of an operation."""
    root = operation.schema.get_root_type(definition.operation)
    return [] if root is None else select_fields(operation, root, [definition.selection_set], scope)


def _spread(
    operation: Operation, kind: GraphQLObjectType, sets: Iterable[SelectionSetNode], seen: set[str]
) -> Iterator[FieldNode]:
    for selection_set in sets:
        for node in selection_set.selections:
            if not _wanted(operation, node):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                if _fits(operation, kind, node.type_condition.name.value if node.type_condition else None):
                    yield from _spread(operation, kind, [node.selection_set], seen)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                fragment = operation.fragments[node.name.value]
                if _fits(operation, kind, fragment.type_condition.name.value):
                    yield from _spread(operation, kind, [fragment.selection_set], seen)


def _wanted(operation: Operation, node: Any) -> bool:
    if not node.directives:
        return True
    if any(_varies(argument.value) for directive in node.directives for argument in directive.arguments):
        return operation.holds(lambda variables: _included(node, variables))
    return _included(node, operation.variables)


def _included(node: Any, variables: Any) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, node, variables)
    if skip and skip["if"]:
        return False
    include = get_directive_values(GraphQLIncludeDirective, node, variables)
    return include is None or bool(include["if"])


def _varies(value: ValueNode | None) -> bool:
    """Whether a value in a document holds a variable."""
    match value:
        case VariableNode():
            return True
        case ListValueNode():
            return any(map(_varies, value.values))
        case ObjectValueNode():
            return any(_varies(part.value) for part in value.fields)
    return False


def _fits(operation: Operation, kind: GraphQLObjectType, condition: str | None) -> bool:
    if condition is None or condition == kind.name:
        return True
    named = operation.schema.type_map[condition]
    return is_abstract_type(named) and operation.schema.is_sub_type(named, kind)
