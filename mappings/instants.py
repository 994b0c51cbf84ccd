"""In: a source's way to write a time or a day. Out: microseconds since 1970 in UTC, or an ISO date."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from mappings.values import UnfitError, decimal_of, kind_of, plain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # the years 1 to 9999 in microseconds


def _checked(micros: int) -> int:
    if not _FIRST <= micros <= _LAST:
        raise UnfitError("a time outside the years 1 to 9999")
    return micros


def _epoch(value: Any, unit: int) -> int | None:
    if value.__class__ is int:
        return _checked(value * unit)
    if value.__class__ is str and not value.strip():
        return None
    return _checked(int(decimal_of(value, "a time") * unit))


def epoch_s(value: Any) -> int | None:
    """Seconds since 1970."""
    return _epoch(value, 1_000_000)


def epoch_ms(value: Any) -> int | None:
    """Milliseconds since 1970."""
    return _epoch(value, 1_000)


def epoch_us(value: Any) -> int | None:
    """Microseconds since 1970."""
    return _epoch(value, 1)


def iso(value: Any, zone: tzinfo = UTC) -> int | None:
    """An ISO 8601 date or time; without a zone of its own it is in `zone`."""
    if value.__class__ is not str:
        raise UnfitError(f"{kind_of(value)} where an ISO 8601 time is expected")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        if not value.strip():
            return None
        moment = _untidy(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    passed = moment - _EPOCH
    return passed.days * 86_400_000_000 + passed.seconds * 1_000_000 + passed.microseconds


def _untidy(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value.strip().replace(" UTC", "Z").replace(" GMT", "Z"))
    except ValueError:
        raise UnfitError("a text that is no ISO 8601 time") from None


def iso_date(value: Any) -> str | None:
    """An ISO 8601 date, or the date that an ISO 8601 time names; as YYYY-MM-DD."""
    said = plain(value)
    if said is None:
        return None
    try:
        return date.fromisoformat(said[:10]).isoformat()
    except ValueError:
        raise UnfitError("a text that is no ISO 8601 date") from None


def us_date(value: Any) -> str | None:
    """Month, day, year: 12/31/2026."""
    return _day(value, (2, 0, 1), "a text that is no month/day/year")


def eu_date(value: Any) -> str | None:
    """Day, month, year: 31.12.2026 or 31/12/2026."""
    return _day(value, (2, 1, 0), "a text that is no day.month.year")


def _day(value: Any, order: tuple[int, int, int], reason: str) -> str | None:
    said = plain(value)
    if said is None:
        return None
    parts = re.split(r"[./-]", said.split()[0])
    try:
        year, month, day = (int(parts[place]) for place in order)
        return date(year if len(parts[2]) == 4 else -1, month, day).isoformat()
    except (ValueError, IndexError, OverflowError):
        raise UnfitError(reason) from None
