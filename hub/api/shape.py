"""The shape of answered rows. In: what is selected of a type and its declarations. Out: columns to read, rows shaped.

A Shape collects the columns that the selection needs and nothing else, and turns rows into answers by answer key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement

from hub.api.declare import READS, Column, Floor, Relation, Rows, SameRow
from hub.api.selection import Selected

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


@dataclass
class Shape:
    """How a row becomes an answer."""

    values: list[tuple[Selected, Column, tuple[int, ...]]] = field(default_factory=list)
    relations: list[tuple[Selected, Relation, tuple[int, ...]]] = field(default_factory=list)
    same: list[tuple[Selected, SameRow, tuple[int, ...], Shape]] = field(default_factory=list)
    nothing: list[str] = field(default_factory=list)

    def answers(self, rows: Sequence[Sequence[Any]], follow: Follow) -> list[Answer]:
        """The answers of rows; `follow` reads each relation for all of them together."""
        made: list[Answer] = [dict.fromkeys(self.nothing) for _ in rows]
        for selected, column, places in self.values:
            scope, render, key = selected.scope, column.render, selected.key
            for answer, row in zip(made, rows, strict=True):
                answer[key] = project(render(scope, *(row[place] for place in places)), selected)
        for selected, relation, places in self.relations:
            keys = [tuple(row[place] for place in places) for row in rows]
            for answer, related in zip(made, follow(relation, selected, keys), strict=True):
                answer[selected.key] = related
        for selected, same, places, shape in self.same:
            inner = shape.answers(rows, follow)
            for answer, row, value in zip(made, rows, inner, strict=True):
                answer[selected.key] = value if same.only is None or row[places[0]] == same.only[1] else None
        return made


def shape_of(declarations: Declarations, type_name: str, selection: Sequence[Selected], picked: Picked) -> Shape:
    """The shape of a type's rows for a selection; adds the columns that it needs to `picked`."""
    shape = Shape()
    for selected in selection:
        reads = declarations.of(type_name, selected.name)
        if isinstance(reads, Column):
            shape.values.append((selected, reads, picked.add(reads.read(selected.scope))))
        elif isinstance(reads, Relation):
            shape.relations.append((selected, reads, picked.add(reads.parent)))
        elif isinstance(reads, SameRow):
            below = shape_of(declarations, selected.type_name, selected.below(), picked)
            places = picked.add((reads.only[0],) if reads.only else ())
            shape.same.append((selected, reads, places, below))
        elif isinstance(reads, Floor):
            shape.nothing.append(selected.key)
    return shape


def project(value: Any, selected: Selected) -> Any:
    """A plain value (scalar, mapping by field name, list of these) as the selection wants it."""
    if isinstance(value, list):
        return [project(item, selected) for item in value]
    if isinstance(value, dict):
        return {child.key: project(value.get(child.name), child) for child in selected.below()}
    return value
