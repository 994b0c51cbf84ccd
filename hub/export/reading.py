"""One reading of a view. In: what a reader asks and what its role sees. Out: SQL in order, and the next watermark.

A reading without a watermark gives every row, in the order of their numbers; one with it gives each customer that
changed since, whole. Both see the store at one moment, and say from where to read on before the first row is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from hub.access.sight import Sight
from hub.clock import parse
from hub.export.column import Column, View
from hub.export.refusals import ForbiddenColumn, UnknownExport
from hub.export.rows import every_cell
from hub.export.statement import CHANGE, Part, every_row, nobodys_marker, nobodys_rows, rows_of
from hub.export.views import VIEWS
from hub.export.watermark import Watermark, changed_since, decode, encode, mark_now

CUSTOMERS_A_STATEMENT = 500
MOST_ROWS = 2**53  # any number is fine that both databases take for a limit

HIDDEN = Column("", "NULL")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asks for: a view, columns (all that its role sees where none is named), what is new, how many rows.

    `since` is a watermark, `updated_since` an instant in µs. Changes end with a customer: they may be a few rows more
    than `limit`.
    """

    view: str
    columns: tuple[str, ...] = ()
    since: str | None = None
    updated_since: int | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading that can begin: columns, the SQL of its rows part by part, the watermark to read on from.

    `complete` is false where the limit ended it: the watermark then leads to the rest.
    """

    view: str
    columns: Mapping[str, Column]
    parts: Iterator[Part]
    watermark: str
    complete: bool


@dataclass(frozen=True, slots=True)
class _Scope:
    """The view, the columns chosen of it with what the role does not see made null, and whose rows it sees."""

    view: View
    columns: Mapping[str, Column]
    dialect: str
    where: tuple[str, ...]

    @property
    def nobodys(self) -> bool:
        """Whether rows without a customer are in it: only for who sees every customer."""
        return self.view.nobodys and not self.where


def checked(asked: Asked, sight: Sight) -> None:
    """Raises UnknownExport or ForbiddenColumn where no reading can come of it, without asking the database."""
    if asked.view not in VIEWS:
        raise UnknownExport(f"no view {asked.view!r}; choose one of {', '.join(VIEWS)}")
    if asked.since is not None and asked.updated_since is not None:
        raise UnknownExport("since and updatedSince exclude each other; send the watermark alone")
    if asked.limit is not None and not 0 < asked.limit <= MOST_ROWS:
        raise UnknownExport(f"limit: {asked.limit} is not between 1 and {MOST_ROWS}")
    chosen_columns(asked.view, asked.columns, sight)
    if asked.since is not None:
        decode(asked.since, asked.view, sight.role)


def chosen_columns(view: str, asked: tuple[str, ...], sight: Sight) -> dict[str, Column]:
    """The columns asked for, in that order, or all that the role may ask for; those it does not see are null.

    Raises UnknownExport for a name that is none or stands twice, ForbiddenColumn for one that the role refuses.
    """
    known = VIEWS[view].columns
    allowed = {name: column for name, column in known.items() if f"{view}.{name}" not in sight.refused}
    for name in asked:
        if name not in known:
            raise UnknownExport(f"{view} has no column {name!r}; choose of {', '.join(allowed)}")
        if name not in allowed:
            raise ForbiddenColumn(f"{view}.{name} is not for the role {sight.role}; choose of {', '.join(allowed)}")
        if asked.count(name) > 1:
            raise UnknownExport(f"columns: {name!r} stands there twice")
    return {
        name: replace(allowed[name], sql=HIDDEN.sql) if f"{view}.{name}" in sight.masked else allowed[name]
        for name in asked or allowed
    }


def visible_to(sight: Sight, dialect: str) -> tuple[str, ...]:
    """The condition, if any, that leaves the rows of the customers whom the role sees."""
    customers = sight.customers_sql(dialect)
    if customers is None:
        return ()
    unescaped = customers.replace("\\:", ":")
    return (f"COALESCE(c.merged_into, c.customer_no) IN ({unescaped})",)


def begin(connection: Connection, asked: Asked, sight: Sight) -> Reading:
    """The reading, as of the connection's moment. Raises UnknownExport, ForbiddenColumn, BadWatermark."""
    checked(asked, sight)
    dialect, view = connection.dialect.name, VIEWS[asked.view]
    where = visible_to(sight, dialect)
    mark = mark_now(connection, nobodys=view.nobodys and not where)
    begun = Watermark(asked.view, sight.role, mark, updated_since=asked.updated_since)
    if asked.since is not None:
        held = decode(asked.since, asked.view, sight.role)
        begun = held if held.after is not None else replace(begun, base=held.mark)
    names = asked.columns
    if begun.changes and names and "customer_id" not in names:
        names = ("customer_id", *names)
    scope = _Scope(view, chosen_columns(asked.view, names, sight), dialect, where)
    if begun.changes:
        return _changes(connection, scope, begun, asked.limit)
    return _everything(connection, scope, begun, asked.limit)


def _everything(connection: Connection, scope: _Scope, begun: Watermark, limit: int | None) -> Reading:
    view, where = scope.view, list(scope.where)
    if begun.after is not None:
        where.append(f"{view.order} > {begun.after}")
    last = None if limit is None else _last_row(connection, view, where, limit)
    if last is not None:
        where.append(f"{view.order} <= {last}")
    part = every_row(view, scope.columns, scope.dialect, where)
    return _reading(scope.columns, iter((part,)), begun, last)


def _last_row(connection: Connection, view: View, where: list[str], limit: int) -> int | None:
    """The number of the last of so many rows; None where there are fewer."""
    numbers = every_row(view, {}, connection.dialect.name, where).sql
    page = f"SELECT row_no FROM ({numbers}) AS part ORDER BY row_no LIMIT {limit}"  # noqa: S608
    ((count, last),) = every_cell(connection, f"SELECT COUNT(*), MAX(row_no) FROM ({page}) AS page")  # noqa: S608
    return int(last) if count == limit else None


def _changes(connection: Connection, scope: _Scope, begun: Watermark, limit: int | None) -> Reading:
    if scope.columns.get("customer_id", HIDDEN).sql == HIDDEN.sql:
        raise ForbiddenColumn(f"changes are told by {begun.view}.customer_id, which the role {begun.role} does not see")
    customers = [no for no in changed_since(connection, begun) if begun.after is None or no > begun.after]
    last = None if limit is None else _last_customer(connection, scope, customers, limit)
    if last is not None:
        customers = [no for no in customers if no <= last]
    of_nobody = scope.nobodys and (begun.base is None or begun.base.nobodys != begun.mark.nobodys)
    parts = _changed_parts(scope, customers, of_nobody and last is None)
    return _reading({"change": CHANGE, **scope.columns}, parts, begun, last)


def _last_customer(connection: Connection, scope: _Scope, customers: list[int], limit: int) -> int | None:
    """The customer with whom so many rows are reached; None where they are not."""
    rows = 0
    for part in _customer_parts(replace(scope, columns={}), customers):
        counted = f"SELECT owner_no, COUNT(*) FROM ({part.sql}) AS part GROUP BY owner_no ORDER BY owner_no"  # noqa: S608
        for customer_no, count in every_cell(connection, counted):
            rows += count
            if rows >= limit:
                return int(customer_no)
    return None


def _changed_parts(scope: _Scope, customers: list[int], of_nobody: bool) -> Iterator[Part]:
    yield from _customer_parts(scope, customers)
    if of_nobody:
        yield nobodys_marker(scope.columns)
        yield nobodys_rows(scope.view, scope.columns, scope.dialect)


def _customer_parts(scope: _Scope, customers: list[int]) -> Iterator[Part]:
    for start in range(0, len(customers), CUSTOMERS_A_STATEMENT):
        some = customers[start : start + CUSTOMERS_A_STATEMENT]
        yield rows_of(scope.view, scope.columns, scope.dialect, some, scope.where)


def _reading(columns: Mapping[str, Column], parts: Iterator[Part], begun: Watermark, last: int | None) -> Reading:
    """A reading that goes on keeps what it began with; one at its end leads to the changes since it began."""
    ended = Watermark(begun.view, begun.role, begun.mark)
    watermark = ended if last is None else replace(begun, after=last)
    return Reading(begun.view, columns, parts, encode(watermark), last is None)


def begin_of(words: str, zone: str) -> int:
    """The instant (µs) that a reader asks from: in ISO 8601, or a day, from its first moment. Raises InstantError."""
    return parse(f"{words}T00:00:00" if len(words) == len("2026-06-30") else words, zone)
