"""The rows of a connection's page. In: a select that finds them, and perhaps one more. Out: rows, and the page's ends.

PostgreSQL reads the rows once and looks at them again for the ends; numbering them would cost more. SQLite cannot look
again where the rows belong to a parent, so there they are numbered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import CTE, FromClause, Integer, Select, case, cast, func, select

from hub.api.declare import Order
from hub.api.plan.postgresql import PostgresqlWriter
from hub.api.plan.write import Sql, Writer, number
from hub.api.read.pages import Page, mark, order_by

Name = Callable[[str], str]
_CURSORS = ("startCursor", "endCursor")


def shown(
    writer: Writer, found: Select[Any], orders: tuple[Order, ...], page: Page, ends: set[str], name: Name
) -> Shown:
    """The page of found rows, of which `ends` are asked for: fields of PageInfo."""
    if not ends and not page.backward:
        return Shown(writer, found.subquery(name("n")), orders, page)
    if isinstance(writer, PostgresqlWriter):
        return _read(writer, found, orders, page, one_more(page, ends), name)
    return _numbered(writer, found, orders, page, name)


def one_more(page: Page, ends: set[str]) -> bool:
    """Whether one more row than the page has tells what is asked for."""
    return _beyond(page) in ends


@dataclass(frozen=True)
class Shown:
    """The rows of a page."""

    writer: Writer
    rows: FromClause
    orders: tuple[Order, ...]
    page: Page

    @property
    def read_first(self) -> CTE | None:
        """What the select over `rows` must read before it."""
        return None

    def listed(self, item: Sql) -> Sql:
        """The list of the page's items: an aggregate over `rows`."""
        return self.writer.listed(item)

    def aggregates(self, name: str) -> bool:
        """Whether a field of PageInfo is an aggregate over `rows`."""
        return bool(self.page.size) and name in _CURSORS

    def cursor(self) -> Sql:
        """The cursor of a row."""
        return self._cursor(self.rows)

    def end(self, name: str) -> Sql:
        """A field of PageInfo."""
        if name in _CURSORS:
            if not self.page.size:
                return self.writer.constant("null")
            return self.writer.filled(self._end(name == "startCursor"), "null")
        if name == _beyond(self.page):
            return self.writer.flag(self._size() > number(self.page.size))
        told = self.page.before if self.page.backward else self.page.after  # as far as cursors go, they tell
        return self.writer.constant("false" if told is None else "true")

    def _cursor(self, rows: FromClause) -> Sql:
        return self.writer.cursor(mark(self.orders), [rows.c[f"o{i}"] for i in range(len(self.orders))])

    def _size(self) -> Sql:
        raise NotImplementedError

    def _end(self, first: bool) -> Sql:
        raise NotImplementedError


@dataclass(frozen=True)
class _Page(Shown):
    """The rows of the page and no others, in the order of the list."""

    def _end(self, first: bool) -> Sql:
        writer: Any = self.writer
        place = number(1) if first else cast(func.count(), Integer)
        keys = [writer.nth(self.rows.c[f"o{i}"], place) for i in range(len(self.orders))]
        return case((func.count() > number(0), self.writer.cursor(mark(self.orders), keys)))


@dataclass(frozen=True)
class _ReadAgain(_Page):
    read: CTE
    """All rows, as they were read: from the end, the last one first."""

    @property
    def read_first(self) -> CTE:
        """What the select over `rows` must read before it."""
        return self.read

    def _size(self) -> Sql:
        return select(func.count()).select_from(self.read).scalar_subquery()


def _read(writer: Writer, found: Select[Any], orders: tuple[Order, ...], page: Page, more: bool, name: Name) -> Shown:
    read = found.cte(name("p")) if more else None
    kept = found if read is None else select(read).limit(page.size)
    if page.backward:
        back = kept.subquery(name("b"))
        kept = select(back).order_by(*order_by(sort_values(orders, back)))
    rows = kept.subquery(name("n"))
    return _Page(writer, rows, orders, page) if read is None else _ReadAgain(writer, rows, orders, page, read)


@dataclass(frozen=True)
class _Numbered(Shown):
    def aggregates(self, name: str) -> bool:
        """Whether a field of PageInfo is an aggregate over `rows`."""
        return name == _beyond(self.page) or super().aggregates(name)

    def listed(self, item: Sql) -> Sql:
        """The list of the page's items: an aggregate over `rows`."""
        surplus = self.rows.c.size.op("-")(number(self.page.size))
        within = self.rows.c.place > surplus if self.page.backward else self.rows.c.place <= number(self.page.size)
        return self.writer.listed(item, within)

    def _size(self) -> Sql:
        return func.count()

    def _end(self, first: bool) -> Sql:
        size = self.rows.c.size
        surplus = size.op("-")(number(self.page.size))
        begin: Sql = case((surplus > number(0), surplus.op("+")(number(1))), else_=number(1))
        if self.page.backward:
            place: Sql = begin if first else size
        else:
            place = number(1) if first else _at_most(size, self.page.size)
        return func.max(self.cursor()).filter(self.rows.c.place == place)


def _numbered(writer: Writer, found: Select[Any], orders: tuple[Order, ...], page: Page, name: Name) -> _Numbered:
    rows = found.subquery(name("n"))
    place = func.row_number().over(order_by=order_by(sort_values(orders, rows))).label("place")
    size = func.count().over().label("size")
    return _Numbered(writer, select(rows, place, size).order_by(place).subquery(name("n")), orders, page)


def sort_values(orders: Sequence[Order], rows: FromClause) -> list[Order]:
    """The orders over the sort values that rows carry along."""
    return [replace(order, column=rows.c[f"o{i}"]) for i, order in enumerate(orders)]


def _beyond(page: Page) -> str:
    return "hasPreviousPage" if page.backward else "hasNextPage"


def _at_most(size: Sql, most: int) -> Sql:
    return case((size > number(most), number(most)), else_=size)
