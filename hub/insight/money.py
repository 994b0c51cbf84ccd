"""Exact money. In: integer amounts in thousandths of the minor unit, dated rates of rules/company.yml.

Out: the same amount in another currency, and amounts divided so that the parts add up; never a float.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from mappings.converting.currencies import decimals
from mappings.rulebook import Company

SHOWN_DIGITS = 12  # of a rate that is a quotient; conversion itself uses the quotient
_SHOWN = Context(prec=SHOWN_DIGITS, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Span:
    """What holds from one instant to the next: the factor between thousandths, and the rate as text shows it."""

    numerator: int
    denominator: int
    rate: Decimal
    shown: str  # the rate as decimal text

    def convert(self, amount: int) -> int:
        """The amount times the factor, half-even."""
        return half_even(amount * self.numerator, self.denominator)


@dataclass(frozen=True, slots=True)
class _Table:
    """The spans of one pair of currencies, each from its first instant on."""

    starts: tuple[int, ...]
    spans: tuple[Span | None, ...]

    def at(self, at_us: int) -> Span | None:
        place = bisect_right(self.starts, at_us)
        return self.spans[place - 1] if place else None


class Rates:
    """Dated rates between any two currencies, crossed through the reporting currency.

    A rate holds from the beginning of its first day, in the company's time zone, until the next one's.
    """

    def __init__(self, company: Company) -> None:
        self._reporting = company.reporting_currency
        zone = ZoneInfo(company.time_zone)
        self._known = {
            code: sorted((_midnight(day, zone), Fraction(rate)) for day, rate in days.items() if rate > 0)
            for code, days in company.rates.items()
            if code != self._reporting
        }
        self._tables: dict[tuple[str, str], _Table] = {}

    def convert(self, amount: int, currency: str, to: str, at_us: int) -> int | None:
        """The amount in `to`, half-even to the thousandth of its minor unit; null where a rate is missing."""
        span = self.span(currency, to, at_us)
        return None if span is None else span.convert(amount)

    def rate(self, currency: str, to: str, at_us: int) -> Decimal | None:
        """Units of `to` for one of `currency` on the day of the instant; null where it is not known."""
        span = self.span(currency, to, at_us)
        return None if span is None else span.rate

    def span(self, currency: str, to: str, at_us: int) -> Span | None:
        """What converts `currency` into `to` at the instant (µs UTC); null where a rate is missing."""
        table = self._tables.get((currency, to))
        if table is None:
            table = self._tables[currency, to] = self._table(currency, to)
        return table.at(at_us)

    def _table(self, currency: str, to: str) -> _Table:
        if currency == to:
            return _Table((_EVER,), (Span(1, 1, Decimal(1), "1"),))
        ours, theirs = self._dated(currency), self._dated(to)
        starts = sorted({start for start, _ in (*ours, *theirs)})
        return _Table(tuple(starts), tuple(_span(_valid(ours, s), _valid(theirs, s), currency, to) for s in starts))

    def _dated(self, code: str) -> list[tuple[int, Fraction]]:
        return [(_EVER, Fraction(1))] if code == self._reporting else self._known.get(code, [])


_EVER = -(2**63)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return round(datetime.combine(day, time(), zone).timestamp()) * 1_000_000


def _valid(dated: list[tuple[int, Fraction]], at_us: int) -> Fraction | None:
    place = bisect_right(dated, at_us, key=lambda pair: pair[0])
    return dated[place - 1][1] if place else None


def _span(ours: Fraction | None, theirs: Fraction | None, currency: str, to: str) -> Span | None:
    if ours is None or theirs is None:
        return None
    rate = ours / theirs
    factor = rate * Fraction(10) ** (decimals(to) - decimals(currency))
    shown = _SHOWN.divide(Decimal(rate.numerator), Decimal(rate.denominator))
    return Span(factor.numerator, factor.denominator, shown, f"{shown:f}")


def half_even(numerator: int, denominator: int) -> int:
    """The quotient as an integer, halves to the even neighbour; the denominator is positive."""
    whole, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return whole + (twice > denominator or (twice == denominator and whole % 2 == 1))


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """The amount in parts as the weights say, adding up to the last unit (largest remainder, ties to the first).

    Weights are not negative; raises ValueError where none is above 0.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights must not be negative and at least one must be above 0")
    sign, whole = (-1 if amount < 0 else 1), abs(amount)
    shares = [divmod(whole * weight, total) for weight in weights]
    left = whole - sum(share for share, _ in shares)
    order = sorted(range(len(shares)), key=lambda place: -shares[place][1])
    extra = set(order[:left])
    return [sign * (share + (place in extra)) for place, (share, _) in enumerate(shares)]
