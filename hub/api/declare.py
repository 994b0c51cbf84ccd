"""What a field reads, said once where the field is declared. In: columns and relations. Out: field metadata.

The reader (read.py) and the planner (plan/) go by these declarations and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, FromClause, Table
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from hub.api.asked.given import Given
from hub.api.render import AS_IS, LIST_CAP, Rendering
from hub.api.scope import Scope

READS = "reads"  # the key of a declaration in a field's metadata
DEFAULT_FIRST = 20
LARGEST_FIRST = 1_000

Columns = Sequence[ColumnElement[Any]]


@dataclass(frozen=True)
class Rows:
    """Where the rows of a type stand: a table or a select, the columns that tell rows apart, and the prefix of ids.

    `owner` is the column with the customer that a row belongs to: a role that sees some customers sees their rows only.
    `besides` are columns with other customers whom a row tells about; they must be seen too.
    """

    table: FromClause
    key: tuple[ColumnElement[Any], ...]
    prefix: str | None = None
    owner: ColumnElement[Any] | None = None
    besides: tuple[ColumnElement[Any], ...] = ()

    @property
    def owners(self) -> Columns:
        """The columns of all customers whom a row tells about; none where it tells about nobody."""
        return () if self.owner is None else (self.owner, *self.besides)

    def __post_init__(self) -> None:
        """Raises TypeError where the key would not tell a table's rows apart: those of others would come along."""
        if isinstance(self.table, Table) and not {c.name for c in self.table.primary_key} <= {c.key for c in self.key}:
            raise TypeError(f"{self.table.name}: the key lacks a column of the primary key")


@dataclass(frozen=True)
class Column:
    """A value made of columns of the type's own row. `columns` may depend on the scope (its currency)."""

    columns: Columns | Callable[[Scope], Columns]
    rendering: Rendering

    def read(self, scope: Scope) -> Columns:
        """The SQL columns to select in this scope."""
        return self.columns(scope) if callable(self.columns) else self.columns


@dataclass(frozen=True)
class SameRow:
    """An object whose fields read the parent's own row; null where `only` does not hold.

    `reads` declares the fields where the type itself does not, because it stands in several places of a row or in the
    rows of another type.
    """

    only: ColumnElement[bool] | None = None
    reads: Mapping[str, Column | SameRow] | None = None


@dataclass(frozen=True)
class Order:
    """One sort key: nulls stand last unless said, text is compared byte by byte."""

    name: str
    column: ColumnElement[Any]
    descending: bool = False
    nulls_first: bool = False
    key: bool = False
    """Whether it is what tells rows apart."""

    @property
    def reversed(self) -> Order:
        """The same rows, the last one first."""
        return replace(self, descending=not self.descending, nulls_first=not self.nulls_first)


@dataclass(frozen=True)
class Kept:
    """The first rows of a relation, as the parent's own row keeps them: a list of lists of these columns, in order.

    `most` are kept, and the list is null where it was not kept. `count` is how many there are in all.
    """

    column: ColumnElement[Any]
    columns: tuple[ColumnElement[Any], ...]
    most: int
    count: ColumnElement[Any]


@dataclass(frozen=True)
class Beside:
    """The one row of a relation, as the parent's own row has it in the reporting currency: column for column.

    `there` is whether there is such a row.
    """

    there: ColumnElement[Any]
    columns: Mapping[ColumnElement[Any], ColumnElement[Any]]


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
    where: Callable[[Scope, Mapping[str, Given]], Sequence[ColumnElement[bool]]] = field(default=lambda s, a: ())
    gates: tuple[ColumnElement[bool] | None, ...] = ()
    """What must hold of the parent's row for there to be any rows by each way; a plan need not look then."""
    kept: Kept | Beside | None = None


@dataclass(frozen=True)
class Folded:
    """A filter on a column of folded text: what it is compared with is folded too."""

    column: ColumnElement[Any]


@dataclass(frozen=True)
class Worded:
    """A filter on the words by which a customer is found."""

    customer_no: ColumnElement[Any]


@dataclass(frozen=True)
class Listed:
    """A field of Query that lists rows: the relation to nothing that finds them."""

    relation: Callable[[Any], Relation]


@dataclass(frozen=True)
class Sought:
    """What a lookup leads to: rows of a type for which conditions hold; several are refused unless that cannot be."""

    type_name: str
    where: Sequence[ColumnElement[bool]]
    by: str = ""


@dataclass(frozen=True)
class One:
    """A field of Query that answers with one row: what its arguments lead to, None where they cannot lead anywhere."""

    seek: Callable[[Any, Any], Sought | None]


@dataclass(frozen=True)
class Computed:
    """A field of Query whose figures want more than SQL: a function from the reader and the field to the answer."""

    answer: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Floor:
    """A field of the contract that nothing computes yet: it answers null, and docs/floor.md lists it."""

    issue: str


def argument(name: str, annotation: Any, about: str, default: Any = strawberry.UNSET) -> StrawberryArgument:
    """An argument of a declared field."""
    return StrawberryArgument(name, None, StrawberryAnnotation(annotation), description=about, default=default)


def paging() -> list[StrawberryArgument]:
    """`first`, `after`, `last` and `before` of a connection."""
    return [
        argument("first", int | None, f"How many, {DEFAULT_FIRST} unless said, {LARGEST_FIRST} at most."),
        argument("after", str | None, "A cursor: what comes behind it."),
        argument("last", int | None, f"How many from the end, {LARGEST_FIRST} at most; not together with first."),
        argument("before", str | None, "A cursor: what comes before it."),
    ]


def in_currency() -> StrawberryArgument:
    """`currency` of a field that shows money, and of all below it."""
    return argument("currency", str | None, "A configured currency; the reporting currency unless said.")


def declared(reads: Any, about: str, arguments: Sequence[StrawberryArgument] = ()) -> Any:
    """A field with its declaration, description and arguments."""
    made: Any = strawberry.field(description=about, metadata={READS: reads})
    made.arguments = list(arguments)
    return made


def column(read: ColumnElement[Any], about: str, rendering: Rendering = AS_IS) -> Any:
    """A field that reads one column; null stays null."""
    return declared(Column((read,), rendering), about)


def expression(
    reads: Columns | Callable[[Scope], Columns], rendering: Rendering, about: str, money: bool = False
) -> Any:
    """A field made of several columns or scalar selects."""
    return declared(Column(reads, rendering), about, [in_currency()] if money else [])


def same_row(
    about: str, only: ColumnElement[bool] | None = None, reads: Mapping[str, Column | SameRow] | None = None
) -> Any:
    """A field whose object reads the same row as its parent, where a condition holds."""
    return declared(SameRow(only, reads), about)


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
