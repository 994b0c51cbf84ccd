"""Scalars: instants, which render.py writes, and days of the reporting time zone, as ISO 8601."""

from __future__ import annotations

from datetime import date
from typing import Any, NewType

import strawberry
from graphql import GraphQLError

DateTime = NewType("DateTime", str)
Date = NewType("Date", date)

_YEARS = range(1900, 3000)


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
