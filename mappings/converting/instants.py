"""In: a source's way to write a time or a day. Out: microseconds since 1970 in UTC, or an ISO date."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any

from mappings.values import UnfitError, decimal_of, kind_of, plain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})(?:[\s,T]+(.+))?", re.DOTALL)
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?\s*(?:(am|pm)|uhr|h)?", re.IGNORECASE)
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
    return _micros(moment)


def _micros(moment: datetime) -> int:
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
    """Month, day, year: 12/31/2026. Where the field is a time, one may stand behind: 12/31/2026 02:30 PM."""
    found = _day(value, (3, 1, 2), "a text that is no month/day/year")
    return None if found is None else found[0].isoformat()


def eu_date(value: Any) -> str | None:
    """Day, month, year: 31.12.2026 or 31/12/2026. Where the field is a time, one may stand behind: 31.12.2026 14:30."""
    found = _day(value, (3, 2, 1), "a text that is no day.month.year")
    return None if found is None else found[0].isoformat()


def us_time(value: Any, zone: tzinfo = UTC) -> int | None:
    """`us_date` with the time behind it, else the day's first instant, in `zone`."""
    return _moment(_day(value, (3, 1, 2), "a text that is no month/day/year"), zone)


def eu_time(value: Any, zone: tzinfo = UTC) -> int | None:
    """`eu_date` with the time behind it, else the day's first instant, in `zone`."""
    return _moment(_day(value, (3, 2, 1), "a text that is no day.month.year"), zone)


def patterned(value: Any, pattern: str, zone: tzinfo = UTC) -> int | None:
    """A time written by a pattern of `strptime`; without an offset of its own it is in `zone`."""
    moment = _by_pattern(value, pattern)
    return None if moment is None else _micros(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def patterned_date(value: Any, pattern: str) -> str | None:
    """The day in a time or day written by a pattern of `strptime`."""
    moment = _by_pattern(value, pattern)
    return None if moment is None else moment.date().isoformat()


def _by_pattern(value: Any, pattern: str) -> datetime | None:
    said = plain(value)
    if said is None:
        return None
    try:
        return datetime.strptime(said, pattern)
    except ValueError:
        raise UnfitError(f"a text that is not of the form {pattern[:60]}") from None


def pattern_fault(pattern: str) -> str | None:
    """What is wrong with a pattern, so that a day or hour could be lost; None where nothing is."""
    if "%" not in pattern:
        return "it has no %Y, %m or %d"
    if "%Z" in pattern:
        return "a zone's name says no offset: write it as it stands, and say `zone`"
    sample = datetime(2019, 10, 23, 14, 35, 56, tzinfo=timezone(timedelta(hours=2)))
    try:
        read = datetime.strptime(sample.strftime(pattern), pattern)
    except (ValueError, re.error, IndexError, KeyError):
        return "no time can be read by it"
    if read.date() != sample.date():
        return "it does not say the whole day, as %Y-%m-%d does"
    return None if read.hour in (0, sample.hour) else "%I needs %p beside it"


def _day(value: Any, order: tuple[int, int, int], reason: str) -> tuple[date, str] | None:
    said = plain(value)
    if said is None:
        return None
    found = _DAY.fullmatch(said)
    if found is None:
        raise UnfitError(reason)
    try:
        return date(*(int(found[place]) for place in order)), found[4] or ""
    except ValueError:
        raise UnfitError(reason) from None


def _moment(found: tuple[date, str] | None, zone: tzinfo) -> int | None:
    if found is None:
        return None
    day, said = found
    clock = _CLOCK.fullmatch(said or "0:00")
    half = (clock[4] or "").lower() if clock else ""
    if clock is None or (half and not 1 <= int(clock[1]) <= 12):
        raise UnfitError("a day with something behind it that is no time")
    hour = int(clock[1]) % 12 + (12 if half == "pm" else 0) if half else int(clock[1])
    try:
        return iso(datetime.combine(day, time(hour, int(clock[2]), int(clock[3] or 0))).isoformat(), zone)
    except ValueError:
        raise UnfitError("a day with something behind it that is no time") from None
