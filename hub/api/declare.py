"""What a field reads, said once where the field is declared. In: columns and relations. Out: field metadata.

The reader (read.py) goes by these declarations and by nothing else, so that a planner can go by them too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, FromClause, Table
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from hub.api.scope import Scope

READS = "reads"  # the key of a declaration in a field's metadata
LIST_CAP = 100
DEFAULT_FIRST = 20
LARGEST_FIRST = 1_000

Columns = Sequence[ColumnElement[Any]]


@dataclass(frozen=True)
class Rows:
    """Where the rows of a type stand: a table or a select, the columns that tell rows apart, and the prefix of ids."""

    table: FromClause
    key: tuple[ColumnElement[Any], ...]
    prefix: str | None = None

    def __post_init__(self) -> None:
        """Raises TypeError where the key would not tell a table's rows apart: those of others would come along."""
        if isinstance(self.table, Table) and not {c.name for c in self.table.primary_key} <= {c.key for c in self.key}:
            raise TypeError(f"{self.table.name}: the key lacks a column of the primary key")


@dataclass(frozen=True)
class Column:
    """A value made of columns of the type's own row. `columns` may depend on the scope (its currency)."""

    columns: Columns | Callable[[Scope], Columns]
    render: Callable[..., Any]

    def read(self, scope: Scope) -> Columns:
        """The SQL columns to select in this scope."""
        return self.columns(scope) if callable(self.columns) else self.columns


@dataclass(frozen=True)
class SameRow:
    """An object whose fields read the parent's own row; null where a column does not hold the value of `only`."""

    only: tuple[ColumnElement[Any], Any] | None = None


@dataclass(frozen=True)
class Order:
    """One sort key: nulls stand last, text is compared byte by byte."""

    name: str
    column: ColumnElement[Any]
    descending: bool = False


@dataclass(frozen=True)
class Relation:
    """Rows of another type that belong to the parent: one statement for all parents of a level.

    `parent` are columns of the parent's row and `child` those of the target that equal them, pair by pair. Where the
    target belongs by one of several columns, `child` has an alternative for each. `through` is a table between.
    """

    parent: tuple[ColumnElement[Any], ...]
    child: tuple[tuple[ColumnElement[Any], ...], ...]
    order: tuple[Order, ...] = ()
    shape: str = "list"  # one, list, connection or values
    through: tuple[FromClause, ColumnElement[bool]] | None = None
    where: Callable[[Scope, Mapping[str, Any]], Sequence[ColumnElement[bool]]] = field(default=lambda s, a: ())


@dataclass(frozen=True)
class Root:
    """A field of Query: a function from the reader and the selected field to the answer."""

    answer: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Floor:
    """A field of the contract that nothing computes yet: it answers null, and docs/floor.md lists it."""

    issue: str


def argument(name: str, annotation: Any, about: str, default: Any = strawberry.UNSET) -> StrawberryArgument:
    """An argument of a declared field."""
    return StrawberryArgument(name, None, StrawberryAnnotation(annotation), description=about, default=default)


def paging() -> list[StrawberryArgument]:
    """`first` and `after` of a connection."""
    about = f"How many, {DEFAULT_FIRST} unless said, {LARGEST_FIRST} at most."
    return [
        argument("first", int | None, about, DEFAULT_FIRST),
        argument("after", str | None, "A cursor: what comes behind it."),
    ]


def in_currency() -> StrawberryArgument:
    """`currency` of a field that shows money, and of all below it."""
    return argument("currency", str | None, "A configured currency; the reporting currency unless said.")


def declared(reads: Any, about: str, arguments: Sequence[StrawberryArgument] = ()) -> Any:
    """A field with its declaration, description and arguments."""
    made: Any = strawberry.field(description=about, metadata={READS: reads})
    made.arguments = list(arguments)
    return made


def column(read: ColumnElement[Any], about: str, render: Callable[[Any], Any] | None = None) -> Any:
    """A field that reads one column; null stays null."""
    return declared(Column((read,), _plain(render)), about)


def expression(
    reads: Columns | Callable[[Scope], Columns], render: Callable[..., Any], about: str, money: bool = False
) -> Any:
    """A field made by `render(scope, *values)` of several columns or scalar selects."""
    return declared(Column(reads, render), about, [in_currency()] if money else [])


def same_row(about: str, only: tuple[ColumnElement[Any], Any] | None = None) -> Any:
    """A field whose object reads the same row as its parent, where a column holds the value of `only`."""
    return declared(SameRow(only), about)


def related(
    shape: str,
    parent: ColumnElement[Any] | tuple[ColumnElement[Any], ...],
    *child: ColumnElement[Any] | tuple[ColumnElement[Any], ...],
    about: str,
    order: tuple[Order, ...] = (),
    arguments: Sequence[StrawberryArgument] = (),
    **more: Any,
) -> Any:
    """A field that reads rows of another type; see Relation. A list is capped and says so."""
    sides = tuple(_several(side) for side in child)
    capped = f"{about} {LIST_CAP} at most." if shape in ("list", "values") else about
    pages = paging() if shape == "connection" else []
    return declared(Relation(_several(parent), sides, order, shape, **more), capped, [*pages, *arguments])


def floor(issue: str, about: str, arguments: Sequence[StrawberryArgument] = ()) -> Any:
    """A field that nothing computes yet, and the issue that fills it."""
    return declared(Floor(issue), about, arguments)


def _several(columns: Any) -> tuple[ColumnElement[Any], ...]:
    return columns if isinstance(columns, tuple) else (columns,)


def _plain(render: Callable[[Any], Any] | None) -> Callable[..., Any]:
    if render is None:
        return lambda _scope, value: value
    return lambda _scope, value: None if value is None else render(value)
