"""The shape of answered rows. In: what is selected of a type and its declarations. Out: columns to read, rows shaped.

A Shape collects the columns that the selection needs and nothing else. The reader turns rows into answers by it, and
the planner writes the SQL by it that does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import is_list_type, is_non_null_type
from sqlalchemy import ColumnElement

from hub.api.asked.selection import Selected
from hub.api.declare import READS, Beside, Column, Floor, Kept, Relation, Rows, SameRow

MASKED = "masked"
Answer = dict[str, Any]
Follow = Callable[[Relation, Selected, Sequence[tuple[Any, ...]]], Sequence[Any]]


class Declarations:
    """What every field of every type reads, by their GraphQL names."""

    def __init__(self, fields: Mapping[str, Mapping[str, Any]], rows: Mapping[str, Rows]) -> None:
        self._fields, self._rows = fields, rows

    def of(self, type_name: str, field_name: str) -> Any:
        """The declaration of a field; None where it picks its name out of its parent's value."""
        return self._fields[type_name].get(field_name)

    def rows(self, type_name: str) -> Rows:
        """Where a type's rows stand."""
        return self._rows[type_name]

    def node_types(self) -> dict[str, str]:
        """Prefix of a node's id to its type."""
        return {rows.prefix: name for name, rows in self._rows.items() if rows.prefix}

    def on_the_floor(self) -> dict[str, str]:
        """Every field that nothing computes yet, as Type.field, with the issue that fills it."""
        found = {
            f"{type_name}.{name}": reads.issue
            for type_name, fields in self._fields.items()
            for name, reads in fields.items()
            if isinstance(reads, Floor)
        }
        return dict(sorted(found.items()))


def read_declarations(converted: Mapping[str, Any], named: Callable[[Any], str]) -> Declarations:
    """The declarations of a schema's object types: its type map, and how it names a field."""
    objects = {name: kind.definition for name, kind in converted.items() if hasattr(kind.definition, "fields")}
    fields = {
        name: {named(f): f.metadata[READS] for f in kind.fields if READS in (f.metadata or {})}
        for name, kind in objects.items()
    }
    rows = {name: kind.origin.__reads__ for name, kind in objects.items() if hasattr(kind.origin, "__reads__")}
    return Declarations(fields, rows)


class Picked:
    """The columns of a statement, each once."""

    def __init__(self) -> None:
        self.columns: list[ColumnElement[Any]] = []
        self._places: dict[ColumnElement[Any], int] = {}

    def add(self, columns: Sequence[ColumnElement[Any]]) -> tuple[int, ...]:
        """Where the columns stand in a row of the statement."""
        for column in columns:
            if column not in self._places:
                self._places[column] = len(self.columns)
                self.columns.append(column)
        return tuple(self._places[column] for column in columns)


@dataclass(frozen=True)
class Part:
    """One answer key of a row: what it reads, where that stands in the row, and the shape of an object within."""

    selected: Selected
    reads: Column | Relation | SameRow | Floor | None  # None is the type's own name
    places: tuple[int, ...] = ()
    inner: Shape | None = None
    kept: tuple[int, ...] = ()  # where the read model stands that a plan may use
    gates: tuple[int | None, ...] = ()  # where the gates of a relation's ways stand


@dataclass(frozen=True)
class Shape:
    """How a row of a type becomes an answer: its parts, in the order of the selection."""

    type_name: str
    parts: list[Part]

    def answers(self, rows: Sequence[Sequence[Any]], follow: Follow) -> list[Answer]:
        """The answers of rows; `follow` reads each relation for all of them together."""
        made: list[Answer] = [{} for _ in rows]
        for part in self.parts:
            for answer, value in zip(made, self._values(part, rows, follow), strict=True):
                answer[part.selected.key] = value
        return made

    def _values(self, part: Part, rows: Sequence[Sequence[Any]], follow: Follow) -> Sequence[Any]:
        selected, reads = part.selected, part.reads
        if isinstance(reads, Column):
            scope, render = selected.scope, reads.rendering.answer
            return [project(render(scope, *(row[place] for place in part.places)), selected) for row in rows]
        if isinstance(reads, Relation):
            return follow(reads, selected, [tuple(row[place] for place in part.places) for row in rows])
        if isinstance(reads, SameRow) and part.inner is not None:
            inner = part.inner.answers(rows, follow)
            holds = [not part.places or row[part.places[0]] for row in rows]
            return [value if said else None for value, said in zip(inner, holds, strict=True)]
        return [nothing(selected)] * len(rows)


def nothing(selected: Selected) -> list[Any] | None:
    """What a field answers that is masked or that nothing computes: null, or an empty list where it is never null."""
    return [] if is_non_null_type(selected.field.type) and is_list_type(selected.field.type.of_type) else None


def shape_of(
    declarations: Declarations,
    type_name: str,
    selection: Sequence[Selected],
    picked: Picked,
    instead: Mapping[str, Column | SameRow] | None = None,
    planned: bool = False,
) -> Shape:
    """The shape of a type's rows for a selection; adds the columns that it needs to `picked`.

    A plan also picks what the rows keep of their relations.
    """
    parts = []
    for selected in selection:
        reads = declarations.of(type_name, selected.name) if instead is None else instead.get(selected.name)
        if hidden(type_name, selected):
            reads = Floor(MASKED)
        match reads:
            case Column():
                parts.append(Part(selected, reads, picked.add(reads.read(selected.scope))))
            case Relation():
                parts.append(_related(declarations, selected, reads, picked, planned))
            case SameRow():
                inner = shape_of(declarations, selected.type_name, selected.below(), picked, reads.reads, planned)
                places = () if reads.only is None else picked.add((reads.only,))
                parts.append(Part(selected, reads, places, inner))
            case _:
                parts.append(Part(selected, reads))
    return Shape(type_name, parts)


def _related(declarations: Declarations, selected: Selected, relation: Relation, picked: Picked, planned: bool) -> Part:
    places = picked.add(relation.parent)
    gates = [None if gate is None else picked.add((gate,))[0] for gate in relation.gates] if planned else ()
    part = Part(selected, relation, places, gates=tuple(gates))
    match relation.kept if planned else None:
        case Kept() as kept if _covers(declarations, selected, relation, kept.columns):
            return replace(part, kept=picked.add((kept.column, kept.count)))
        case Beside() as beside if _covers(declarations, selected, relation, tuple(beside.columns), flat=True):
            own = _Beside(picked, beside.columns)
            inner = shape_of(declarations, selected.type_name, selected.below(), own, None, planned)
            return replace(part, inner=inner, kept=picked.add((beside.there,)))
    return part


def _covers(
    declarations: Declarations,
    selected: Selected,
    relation: Relation,
    columns: Sequence[ColumnElement[Any]],
    flat: bool = False,
) -> bool:
    """Whether the parent's own row has all that is selected of a relation."""
    scope = selected.scope
    if scope.sight.seen is not None or scope.currency != scope.house.company.reporting_currency:
        return False  # a list may hold what belongs to customers whom the role does not see
    nodes, wanted = [selected], Picked()
    if relation.shape == "connection":
        nodes = [node for edges in selected.only("edges") for node in edges.only("node")]
    for node in nodes:
        shape = shape_of(declarations, node.type_name, node.below(), wanted)
        if flat and any(isinstance(part.reads, Relation) for part in shape.parts):
            return False
    return set(wanted.columns) <= set(columns)


class _Beside(Picked):
    """Picks from the parent's row what stands in another table too."""

    def __init__(self, picked: Picked, beside: Mapping[ColumnElement[Any], ColumnElement[Any]]) -> None:
        super().__init__()
        self._picked, self._beside = picked, beside

    def add(self, columns: Sequence[ColumnElement[Any]]) -> tuple[int, ...]:
        """Where the parent's columns stand."""
        return self._picked.add([self._beside[column] for column in columns])


def project(value: Any, selected: Selected) -> Any:
    """A plain value (scalar, mapping by field name, list of these) as the selection wants it and the role sees it."""
    if isinstance(value, list):
        return [project(item, selected) for item in value]
    if isinstance(value, dict):
        return {child.key: _projected(value, selected.type_name, child) for child in selected.below()}
    return value


def _projected(value: Answer, type_name: str, child: Selected) -> Any:
    return nothing(child) if hidden(type_name, child) else project(value.get(child.name), child)


def hidden(type_name: str, selected: Selected) -> bool:
    """Whether a type's field is masked for the role that asks."""
    return f"{type_name}.{selected.name}" in selected.outside.sight.masked
