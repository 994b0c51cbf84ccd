"""Keyset pages. In: orders and a cursor. Out: ORDER BY, the condition for what comes behind, and cursors.

A cursor is the sort values of a row and what tells it apart, so that pages hold every row once, ties and nulls too.
Nulls stand last unless asked otherwise; text is compared byte by byte on both databases.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Boolean, ColumnElement, Integer, String, and_, false, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from hub.api.asked.given import ABSENT, Given
from hub.api.declare import DEFAULT_FIRST, LARGEST_FIRST, Order
from hub.api.errors import ApiError

_BIGGEST = 2**63
_NUMBER = re.compile("-?[0-9]{1,19}")


class binary_text(GenericFunction[str]):  # noqa: N801
    """A text that compares byte by byte, whatever the database's collation is."""

    type = String()
    inherit_cache = True


@compiles(binary_text)
def _as_it_is(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses.clauses[0], **options))


@compiles(binary_text, "postgresql")
def _in_c(element: Any, compiler: Any, **options: Any) -> str:
    return f'({compiler.process(element.clauses.clauses[0], **options)}) COLLATE "C"'


def comparable(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as it is sorted and compared."""
    return binary_text(column) if isinstance(column.type, String) else column


def keyed(orders: Sequence[Order], key: Sequence[ColumnElement[Any]]) -> tuple[Order, ...]:
    """The orders, with what tells rows apart behind them; that follows the direction of the last order."""
    descending = orders[-1].descending if orders else False
    return (*orders, *(Order(column.name, column, descending, key=True) for column in key))


def order_by(orders: Sequence[Order]) -> list[ColumnElement[Any]]:
    """ORDER BY of the orders."""
    return [_sorted(order) for order in orders]


def _sorted(order: Order) -> ColumnElement[Any]:
    column = comparable(order.column)
    placed = column.desc() if order.descending else column.asc()
    if not _may_be_null(order.column):  # a database would not see that an index has this order already
        return placed
    return placed.nulls_first() if order.nulls_first else placed.nulls_last()


def _may_be_null(column: ColumnElement[Any]) -> bool:
    return bool(getattr(column, "nullable", True))


@dataclass(frozen=True)
class Page:
    """Which rows of a list are asked for: how many, between which cursors, counted from its beginning or its end."""

    size: int
    after: Given | None
    before: Given | None
    backward: bool

    @property
    def from_the_start(self) -> bool:
        """Whether it is the first page, counted from the beginning."""
        return not self.backward and self.after is None and self.before is None

    def within(self, orders: Sequence[Order]) -> list[ColumnElement[bool]]:
        """The conditions of its cursors over the orders' columns. Raises ApiError BAD_USER_INPUT."""
        reverse = [order.reversed for order in orders]
        ends = [(self.after, orders, "after"), (self.before, reverse, "before")]
        return [_behind(along, _values(orders, end, name)) for end, along, name in ends if end is not None]


def page_of(given: Mapping[str, Given]) -> Page:
    """The page that `first`, `after`, `last` and `before` ask for. Raises ApiError BAD_USER_INPUT beyond the limit."""
    first, last = (given.get(name, ABSENT).settled() for name in ("first", "last"))
    after, before = (_cursor(given.get(name, ABSENT)) for name in ("after", "before"))
    if first is not None and last is not None:
        raise ApiError("BAD_USER_INPUT", "first, last: say one of them")
    name, size = ("first", first) if last is None else ("last", last)
    size = DEFAULT_FIRST if size is None else size
    if not 0 <= size <= LARGEST_FIRST:
        raise ApiError("BAD_USER_INPUT", f"{name}: {size} is out of range; ask for 0 to {LARGEST_FIRST}")
    return Page(size, after, before, last is not None)


def _cursor(given: Given) -> Given | None:
    return None if given.is_null else given


def _values(orders: Sequence[Order], cursor: Given, name: str) -> list[ColumnElement[Any] | None]:
    """The sort values of a cursor, null where they are unknown."""
    read = cursor.then(lambda text: read_cursor(orders, text, name)).items()
    return [None if v.is_null else v.bind(o.column.type) for o, v in zip(orders, read, strict=True)]


def _behind(orders: Sequence[Order], values: Sequence[ColumnElement[Any] | None]) -> ColumnElement[bool]:
    """What comes behind the row with these sort values."""
    steps = []
    for place, (order, value) in enumerate(zip(orders, values, strict=True)):
        ties = [_same(o.column, v) for o, v in zip(orders[:place], values[:place], strict=True)]
        steps.append(and_(true(), *ties, _further(order, value)))
    return or_(false(), *steps)


def _same(column: ColumnElement[Any], value: ColumnElement[Any] | None) -> ColumnElement[bool]:
    return column.is_(None) if value is None else comparable(column) == value


def _further(order: Order, value: ColumnElement[Any] | None) -> ColumnElement[bool]:
    column, unknown = comparable(order.column), order.column.is_(None)
    if value is None:
        return ~unknown if order.nulls_first else false()
    beyond = column < value if order.descending else column > value
    return beyond if order.nulls_first or not _may_be_null(order.column) else or_(beyond, unknown)


def write_cursor(orders: Sequence[Order], values: Sequence[Any]) -> str:
    """The cursor of a row: a mark of the orders that it is valid for, and its sort values."""
    if numeric(orders):
        return "~".join([mark(orders), *("" if value is None else str(value) for value in values)])
    return msgspec.json.encode([mark(orders), *values]).hex()


def read_cursor(orders: Sequence[Order], cursor: str, name: str) -> list[Any]:
    """The sort values of a cursor. Raises ApiError BAD_USER_INPUT where it is none, or one of another order."""
    try:
        marked, *values = _numbers(cursor) if "~" in cursor else msgspec.json.decode(bytes.fromhex(cursor))
    except (msgspec.DecodeError, ValueError, TypeError):
        raise ApiError("BAD_USER_INPUT", f"{name}: is no cursor; use one that an edge or pageInfo gave") from None
    fits = len(values) == len(orders) and all(map(_comparable_with, orders, values))
    if marked != mark(orders) or not fits:
        raise ApiError("BAD_USER_INPUT", f"{name}: is a cursor of another list or order; begin without it")
    return list(values)


def _numbers(cursor: str) -> list[Any]:
    marked, *values = cursor.split("~")
    if not all(value == "" or _NUMBER.fullmatch(value) for value in values):
        raise ValueError("no numbers")
    return [marked, *(int(value) if value else None for value in values)]


def numeric(orders: Sequence[Order]) -> bool:
    """Whether every sort value is a number: then a cursor costs the database less."""
    return all(isinstance(order.column.type, Integer) for order in orders)


def mark(orders: Sequence[Order]) -> str:
    """What tells the cursors of one order from those of another."""
    said = ",".join(f"{'-' if o.descending else '+'}{int(o.nulls_first)}{o.name}" for o in orders)
    return blake2b(said.encode(), digest_size=3).hexdigest()


def _comparable_with(order: Order, value: Any) -> bool:
    if value is None:
        return not order.key
    if isinstance(order.column.type, String):
        return isinstance(value, str) and "\0" not in value
    if isinstance(order.column.type, Boolean):
        return isinstance(value, bool)
    return isinstance(value, int) and not isinstance(value, bool) and -_BIGGEST <= value < _BIGGEST
