"""In: nothing. Out: the eighteen months in which the invented company lives, and its ways to write an instant."""

from __future__ import annotations

from datetime import UTC, datetime

DAY = 86_400
HOUR = 3_600

FIRST = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
LAST_EVENT = int(datetime(2026, 6, 30, 20, 0, 0, tzinfo=UTC).timestamp())
LAST_INSTANT = datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC)  # the last second of the last day in Europe/Berlin


def seconds(at: int) -> str:
    """The instant as ISO 8601 in UTC with seconds (`2026-06-30T20:00:00Z`)."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def millis(at: int) -> str:
    """The instant as ISO 8601 in UTC with milliseconds, as a CRM writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def day(at: int) -> str:
    """The UTC day of an instant (`2026-06-30`)."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def add_months(at: int, months: int) -> int:
    """The same day and time `months` later (or earlier); the 29th and later become the 28th, as billing does."""
    then = datetime.fromtimestamp(at, UTC)
    month = then.month - 1 + months
    return int(then.replace(year=then.year + month // 12, month=month % 12 + 1, day=min(then.day, 28)).timestamp())
