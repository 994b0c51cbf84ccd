"""Keyset pages. In: orders and a cursor. Out: ORDER BY, the condition for what comes behind, and cursors.

A cursor is the sort values of a row and what tells it apart, so that pages hold every row once, ties and nulls too.
Nulls stand last; text is compared byte by byte on both databases.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Boolean, ColumnElement, String, and_, false, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from hub.api.declare import DEFAULT_FIRST, LARGEST_FIRST, Order
from hub.api.errors import ApiError

_BIGGEST = 2**63


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
    return (*orders, *(Order("", column, descending) for column in key))


def order_by(orders: Sequence[Order]) -> list[ColumnElement[Any]]:
    """ORDER BY of the orders."""
    compared = [(comparable(order.column), order.descending) for order in orders]
    return [(c.desc() if descending else c.asc()).nulls_last() for c, descending in compared]


def behind(orders: Sequence[Order], values: Sequence[Any]) -> ColumnElement[bool]:
    """What comes behind the row with these sort values."""
    steps = []
    for place, (order, value) in enumerate(zip(orders, values, strict=True)):
        ties = [_same(o.column, v) for o, v in zip(orders[:place], values[:place], strict=True)]
        steps.append(and_(true(), *ties, _further(order, value)))
    return or_(false(), *steps)


def _same(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    return column.is_(None) if value is None else comparable(column) == value


def _further(order: Order, value: Any) -> ColumnElement[bool]:
    if value is None:
        return false()
    column = comparable(order.column)
    return or_(column < value if order.descending else column > value, order.column.is_(None))


def page_size(first: int | None) -> int:
    """How many rows a page has. Raises ApiError BAD_USER_INPUT beyond the limit."""
    size = DEFAULT_FIRST if first is None else first
    if not 0 <= size <= LARGEST_FIRST:
        raise ApiError("BAD_USER_INPUT", f"first: {size} is out of range; ask for 0 to {LARGEST_FIRST}")
    return size


def write_cursor(orders: Sequence[Order], values: Sequence[Any]) -> str:
    """The cursor of a row, with the orders that it is valid for."""
    return base64.urlsafe_b64encode(msgspec.json.encode([_named(orders), *values])).decode().rstrip("=")


def read_cursor(orders: Sequence[Order], cursor: str) -> list[Any]:
    """The sort values of a cursor. Raises ApiError BAD_USER_INPUT where it is none, or one of another order."""
    try:
        named, *values = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError, TypeError):
        raise ApiError("BAD_USER_INPUT", "after: is no cursor; use one that an edge or pageInfo gave") from None
    fits = len(values) == len(orders) and all(map(_comparable_with, orders, values))
    if named != _named(orders) or not fits:
        raise ApiError("BAD_USER_INPUT", "after: is a cursor of another list or order; begin without it")
    return list(values)


def _named(orders: Sequence[Order]) -> str:
    return ",".join(("-" if order.descending else "+") + (order.name or order.column.name) for order in orders)


def _comparable_with(order: Order, value: Any) -> bool:
    if value is None:
        return bool(order.name)
    if isinstance(order.column.type, String):
        return isinstance(value, str) and "\0" not in value
    if isinstance(order.column.type, Boolean):
        return isinstance(value, bool)
    return isinstance(value, int) and not isinstance(value, bool) and -_BIGGEST <= value < _BIGGEST
