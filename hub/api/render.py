"""How stored values become answers: each way said twice, in Python for the reader and in SQL for the planner.

In: values or columns of a row. Out: an answer, or the JSON of one. Both say the same to the last byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, case, func, literal

from hub.api.scope import Scope
from mappings.converting.currencies import render

LIST_CAP = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Sql = ColumnElement[Any]


@dataclass(frozen=True)
class Rendering:
    """`answer(scope, *values)` in Python; `write(writer, scope, selected, *columns)` in SQL, null where it is null."""

    answer: Callable[..., Any]
    write: Callable[..., Sql]


def instant(micros: int) -> str:
    """An instant as `2026-06-30T20:00:00Z`; fractions of a second are cut off."""
    return (_EPOCH + timedelta(seconds=micros // 1_000_000)).strftime("%Y-%m-%dT%H:%M:%SZ")


def millionths(value: int) -> float:
    """A ratio as the decimal that it is."""
    return value / 1_000_000


def texts(stored: str) -> list[Any]:
    """A stored JSON list, capped as its field says."""
    items: list[Any] = msgspec.json.decode(stored)
    return items[:LIST_CAP]


def money(amount: int | None, currency: str | None) -> dict[str, str] | None:
    """The Money of an amount in thousandths of the minor unit; null where either is unknown."""
    return None if amount is None or currency is None else {"amount": render(amount, currency), "currency": currency}


def in_scope(scope: Scope, amount: int | None) -> dict[str, str] | None:
    """The Money of an amount that already is in the scope's currency."""
    return money(amount, scope.currency)


def converted_on(scope: Scope, amount: int | None, currency: str | None, at: int | None) -> dict[str, str] | None:
    """The Money of an amount in another currency, at the rate of an instant; null where there is no rate."""
    if amount is None or currency is None or at is None:
        return None
    return money(scope.house.rates.convert(amount, currency, scope.currency, at), scope.currency)


def plain(answer: Callable[[Any], Any], write: Callable[..., Sql]) -> Rendering:
    """A rendering of one value that is null where the value is; `write(writer, column)`."""
    return Rendering(
        lambda _scope, value: None if value is None else answer(value),
        lambda writer, _scope, _selected, column: write(writer, column),
    )


def prefixed(prefix: str) -> Rendering:
    """A number as an id: `int_17`."""
    return plain(f"{prefix}_{{}}".format, lambda writer, column: writer.named(prefix, column))


def told(words: Callable[[Scope], Mapping[str, str | None]]) -> Rendering:
    """What a table of the rules says about a word."""
    return Rendering(
        lambda scope, word: words(scope).get(word),
        lambda writer, scope, _selected, column: writer.chosen(column, words(scope)),
    )


def _at_stake(writer: Any, scope: Scope, selected: Any, amount: Sql, at: Sql) -> Sql:
    known, reporting = case((at.is_not(None), amount)), scope.house.company.reporting_currency
    if scope.currency == reporting:
        return writer.money(selected, known, reporting)  # type: ignore[no-any-return]
    return writer.hole(scope, selected, known, literal(reporting), at)  # type: ignore[no-any-return]


def _converted(writer: Any, scope: Scope, selected: Any, amount: Sql, currency: Sql, at: Sql) -> Sql:
    known = case((amount.is_not(None) & currency.is_not(None) & at.is_not(None), amount))
    other = writer.hole(scope, selected, known, currency, at)
    same = writer.money(selected, known, scope.currency)
    return case((currency == scope.currency, same), else_=other)


AS_IS = Rendering(
    lambda _scope, value: value, lambda writer, _scope, selected, column: writer.as_is(selected.type_name, column)
)
INSTANT = plain(instant, lambda writer, column: writer.instant(column))
RATIO = plain(millionths, lambda writer, column: writer.ratio(column))
FLAG = plain(bool, lambda writer, column: writer.flag(column))
LIST = Rendering(
    lambda _scope, stored: None if stored is None else texts(stored),
    lambda writer, _scope, selected, column: writer.stored(selected, column),
)
MONEY = Rendering(in_scope, lambda writer, scope, selected, amount: writer.money(selected, amount, scope.currency))
OWN_MONEY = Rendering(
    lambda _scope, amount, currency: money(amount, currency),
    lambda writer, _scope, selected, amount, currency: writer.own_money(selected, amount, currency),
)
AT_STAKE = Rendering(
    lambda scope, amount, at: converted_on(scope, amount, scope.house.company.reporting_currency, at), _at_stake
)
CONVERTED = Rendering(converted_on, _converted)


def known_or(otherwise: str) -> Rendering:
    """A word, or another where it is null."""
    return Rendering(
        lambda _scope, value: otherwise if value is None else value,
        lambda writer, _scope, selected, column: writer.as_is(selected.type_name, func.coalesce(column, otherwise)),
    )


def among_words(choose: Callable[..., str], sql: Callable[..., Sql]) -> Rendering:
    """A word chosen from several values: `choose(*values)`, and the same as `sql(*columns)`."""
    return Rendering(
        lambda _scope, *values: choose(*values),
        lambda writer, _scope, selected, *columns: writer.as_is(selected.type_name, sql(*columns)),
    )
