"""Limits of an operation, checked before anything runs. In: rules/access.yml. Out: refusals with limit and value.

Depth, aliases, directives and cost are counted with fragments spread, each fragment only once, so that counting costs
what parsing did. The cost is the number of objects that an answer may hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    value_from_ast_untyped,
)

from hub.api.declare import DEFAULT_FIRST, LARGEST_FIRST
from hub.api.errors import ApiError
from mappings.rulebook import Access

LISTED = 5
"""Objects that a list without `first` counts for: such lists are short by nature."""
HEAVY = {"Query.journeyMap": 1_000, "Query.profitability": 1_000, "Query.whaleCurve": 1_000}
"""Fields that read every customer however little they answer."""

_SIZES = frozenset({"first", "last", "representations"})
"""Arguments that say how many items a field answers with."""

Cost = Callable[[Mapping[str, Any]], int]


def beyond(document: DocumentNode, access: Access) -> list[ApiError]:
    """What of a document's operations is beyond a limit that does not depend on variables."""
    measured = _Measure(document)
    return [
        error
        for operation in document.definitions
        if isinstance(operation, OperationDefinitionNode)
        for error in _compared(measured.of_operation(operation), access)
    ]


def must_cost(cost: int, access: Access) -> None:
    """Raises ApiError TOO_COSTLY beyond the limit."""
    if cost > access.max_cost:
        said = f"the operation costs {cost}; {access.max_cost} at most; ask for fewer: first, last"
        raise ApiError("TOO_COSTLY", said)


def cost_of(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Cost:
    """The cost of an operation, as a function of its variables as sent. The document must be valid.

    Every object counts 1, and as often as the lists around it have items: `first` or `last` of a connection (20 unless
    said), 5 of a plain list. What a page is wrapped in (edges, pageInfo) counts nothing.
    """
    costs = _Costs(schema, document)
    root = schema.get_root_type(operation.operation)
    inside = costs.of_set(root, operation.selection_set) if root is not None else _nothing
    usual = {d.variable.name.value: value_from_ast_untyped(d.default_value) for d in _with_default(operation)}
    if not costs.varies:
        constant = inside(_Asked({}))
        return lambda variables: constant
    return lambda variables: inside(_Asked({**usual, **variables}))


def _with_default(operation: OperationDefinitionNode) -> list[Any]:
    return [d for d in operation.variable_definitions or () if d.default_value is not None]


class _Size(NamedTuple):
    depth: int
    aliases: int
    directives: int


def _compared(size: _Size, access: Access) -> Iterable[ApiError]:
    if size.depth > access.max_depth:
        yield ApiError("TOO_DEEP", f"the operation is {size.depth} deep; {access.max_depth} at most")
    if size.aliases > access.max_aliases:
        yield ApiError("TOO_MANY_ALIASES", f"the operation has {size.aliases} aliases; {access.max_aliases} at most")
    if size.directives > access.max_directives:
        said = f"the operation has {size.directives} directives; {access.max_directives} at most"
        yield ApiError("TOO_MANY_DIRECTIVES", said)


class _Measure:
    """Sizes of selections. A fragment that spreads itself counts as nothing: validation refuses it."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = _fragments(document)
        self._measured: dict[str, _Size] = {}

    def of_operation(self, operation: OperationDefinitionNode) -> _Size:
        """How large an operation is."""
        inside = self.of(operation.selection_set)
        own = len(operation.directives or ()) + sum(
            len(d.directives or ()) for d in operation.variable_definitions or ()
        )
        return inside._replace(directives=inside.directives + own)

    def of(self, selection_set: SelectionSetNode | None) -> _Size:
        """How large a selection is."""
        deepest, aliases, directives = 0, 0, 0
        for node in selection_set.selections if selection_set else ():
            inside = self._fragment(node.name.value) if isinstance(node, FragmentSpreadNode) else self._node(node)
            deepest, aliases = max(deepest, inside.depth), aliases + inside.aliases
            directives += inside.directives + len(node.directives or ())
        return _Size(deepest, aliases, directives)

    def _node(self, node: Any) -> _Size:
        if not isinstance(node, FieldNode):
            return self.of(node.selection_set)
        if node.name.value.startswith("__"):  # introspection has a limit of its own
            return _Size(0, node.alias is not None, 0)
        inside = self.of(node.selection_set)
        return _Size(inside.depth + 1, inside.aliases + (node.alias is not None), inside.directives)

    def _fragment(self, name: str) -> _Size:
        if name not in self._measured:
            self._measured[name] = _Size(0, 0, 0)
            fragment = self._fragments.get(name)
            if fragment is not None:
                inside = self.of(fragment.selection_set)
                self._measured[name] = inside._replace(directives=inside.directives + len(fragment.directives or ()))
        return self._measured[name]


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    named = [d for d in document.definitions if isinstance(d, FragmentDefinitionNode)]
    return {fragment.name.value: fragment for fragment in named}


@dataclass(slots=True)
class _Asked:
    """One request: its variables, and what fragments were found to cost."""

    variables: Mapping[str, Any]
    known: dict[str, int] = field(default_factory=dict)


_Amount = Callable[[_Asked], int]


def _nothing(_asked: _Asked) -> int:
    return 0


class _Costs:
    """Compiles selections to functions that add up what they cost."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema, self._fragments = schema, _fragments(document)
        self._spread: dict[str, _Amount] = {}
        self.varies = False

    def of_set(self, kind: GraphQLNamedType, selection_set: SelectionSetNode) -> _Amount:
        """What the selections of a type cost together; a fragment that is spread twice in a row counts once."""
        parts: dict[Any, _Amount] = {}
        for number, node in enumerate(selection_set.selections):
            if isinstance(node, FragmentSpreadNode) and not node.directives:
                parts[node.name.value] = self._fragment(node.name.value)
            else:
                parts[number] = self._where_wanted(node.directives, self._node(kind, node))
        amounts = tuple(part for part in parts.values() if part is not _nothing)
        return (lambda asked: sum(amount(asked) for amount in amounts)) if amounts else _nothing

    def _node(self, kind: GraphQLNamedType, node: Any) -> _Amount:
        if isinstance(node, FieldNode):
            return self._field(kind, node)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        named = node.type_condition
        return self.of_set(self._schema.type_map[named.name.value] if named else kind, node.selection_set)

    def _fragment(self, name: str) -> _Amount:
        if name not in self._spread:
            fragment = self._fragments[name]
            inside = self.of_set(self._schema.type_map[fragment.type_condition.name.value], fragment.selection_set)

            def once(asked: _Asked) -> int:
                if name not in asked.known:
                    asked.known[name] = inside(asked)
                return asked.known[name]

            self._spread[name] = once
        return self._spread[name]

    def _field(self, kind: GraphQLNamedType, node: FieldNode) -> _Amount:
        declared = self._schema.get_field(kind, node.name.value)  # type: ignore[arg-type]
        if declared is None or node.selection_set is None or node.name.value.startswith("__"):
            return _nothing
        inside = self.of_set(get_named_type(declared.type), node.selection_set)
        if "pageInfo" in kind.fields or node.name.value == "pageInfo":  # type: ignore[attr-defined]
            return inside
        own, times, each = self._items(declared, node)
        own = HEAVY.get(f"{kind.name}.{node.name.value}", own)
        return lambda asked: own + times(asked) * (each + inside(asked))

    def _items(self, declared: GraphQLField, node: FieldNode) -> tuple[int, _Amount, int]:
        """What a field costs itself, how many items it answers with at most, and what each of them costs itself."""
        sizes = [self._size(a.value) for a in node.arguments or () if a.name.value in _SIZES]
        if not _SIZES.isdisjoint(declared.args):
            return 1, (lambda asked: max((size(asked) for size in sizes), default=DEFAULT_FIRST)), 0
        if is_list_type(get_nullable_type(declared.type)):
            return 0, (lambda asked: LISTED), 1
        return 1, (lambda asked: 1), 0

    def _size(self, value: Any) -> _Amount:
        if isinstance(value, VariableNode):
            self.varies = True
            name = value.name.value
            return lambda asked: _bounded(asked.variables.get(name))
        size = _bounded(value_from_ast_untyped(value))
        return lambda asked: size

    def _where_wanted(self, directives: Iterable[DirectiveNode] | None, amount: _Amount) -> _Amount:
        for directive in directives or ():
            if directive.name.value in ("skip", "include"):
                amount = self._unless(directive, amount)
        return amount

    def _unless(self, directive: DirectiveNode, amount: _Amount) -> _Amount:
        unwanted = directive.name.value == "skip"
        (value,) = (argument.value for argument in directive.arguments or ())
        if isinstance(value, VariableNode):
            self.varies = True
            name = value.name.value
            return lambda asked: 0 if asked.variables.get(name) is unwanted else amount(asked)
        return _nothing if value.value is unwanted else amount  # type: ignore[attr-defined]


def _bounded(said: Any) -> int:
    """A page size as it counts; what is no size, or beyond the largest, is refused later with a better message."""
    size = len(said) if isinstance(said, list) else said
    if not isinstance(size, int) or isinstance(size, bool):
        size = DEFAULT_FIRST
    return min(max(size, 0), LARGEST_FIRST)
