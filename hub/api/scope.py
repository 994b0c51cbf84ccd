"""The scope of a selected field: in which currency money is shown, and what the company decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from hub.access.sight import EVERYTHING, Sight
from hub.api.errors import ApiError
from hub.insight.money import Rates
from mappings.loader import Source
from mappings.rulebook import Company, Rulebook

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class House:
    """What does not change between requests: the rules, the rates, the sources, the database's dialect."""

    rulebook: Rulebook
    sources: Mapping[str, Source]
    dialect: str

    @property
    def company(self) -> Company:
        """What the company reports in, and where its days begin."""
        return self.rulebook.company

    @cached_property
    def rates(self) -> Rates:
        """The company's dated exchange rates."""
        return Rates(self.company)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The reporting time zone."""
        return ZoneInfo(self.company.time_zone)


@dataclass(frozen=True)
class Scope:
    """A field's surroundings: a `currency` argument holds for everything below it."""

    house: House
    currency: str
    sight: Sight = EVERYTHING

    def inside(self, currency: str | None) -> Scope:
        """The scope below a field with this `currency` argument. Raises BAD_CURRENCY where it is not configured."""
        if currency is None or currency == self.currency:
            return self
        allowed = sorted({self.house.company.reporting_currency, *self.house.company.currencies})
        if currency not in allowed:
            raise ApiError("BAD_CURRENCY", f"currency: not configured; choose one of {', '.join(allowed)}")
        return replace(self, currency=currency)

    def day_begins(self, day: date) -> int:
        """The first instant of a day in the reporting time zone, µs since 1970."""
        midnight = datetime.combine(day, time(), self.house.zone)
        return (midnight.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)

    def day_ends(self, day: date) -> int:
        """The first instant after a day in the reporting time zone, µs since 1970."""
        if day == date.max:
            return 2**63 - 1
        return self.day_begins(day + timedelta(days=1))


def outermost(house: House, sight: Sight = EVERYTHING) -> Scope:
    """The scope of an operation: the reporting currency, and what the asker's role sees."""
    return Scope(house, house.company.reporting_currency, sight)
