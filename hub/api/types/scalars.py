"""Scalars: instants and days. In: microseconds UTC. Out: ISO 8601 text, the same on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, NewType

import strawberry
from graphql import GraphQLError

DateTime = NewType("DateTime", str)
Date = NewType("Date", date)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = range(1900, 3000)


def instant(micros: int) -> str:
    """An instant as `2026-06-30T20:00:00Z`; fractions of a second are cut off."""
    return (_EPOCH + timedelta(seconds=micros // 1_000_000)).strftime("%Y-%m-%dT%H:%M:%SZ")


def millionths(value: int) -> float:
    """A ratio as the decimal that it is."""
    return value / 1_000_000


def _day(value: Any) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError("a Date is YYYY-MM-DD", extensions={"code": "BAD_USER_INPUT"}) from None
    if day.year not in _YEARS:
        raise GraphQLError("a Date lies between 1900 and 2999", extensions={"code": "BAD_USER_INPUT"})
    return day


SCALARS: dict[Any, Any] = {
    DateTime: strawberry.scalar(name="DateTime", description="An instant: ISO 8601 in UTC with seconds."),
    Date: strawberry.scalar(
        name="Date", description="A day in the reporting time zone: YYYY-MM-DD.", serialize=str, parse_value=_day
    ),
}
