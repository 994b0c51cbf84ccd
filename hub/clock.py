"""Instants: microseconds since 1970-01-01 UTC, read from and written as ISO 8601. The only place that asks the time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class InstantError(ValueError):
    """The text is no instant; the message says what is allowed."""


def now() -> int:
    """This moment. Rules and SQL never call it: a run takes it once, as its `as_of`."""
    return to_us(datetime.now(UTC))


def to_us(moment: datetime) -> int:
    """The aware datetime in microseconds since the epoch, exactly."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def show(us: int) -> str:
    """The instant as `2026-06-30T21:59:59Z`, the one form that the API, exports and tables use."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: str, zone: str) -> int:
    """An ISO 8601 instant; without an offset it is in `zone`; a bare day means its last second. Raises InstantError."""
    try:
        if len(text) == len("2026-06-30"):
            moment = datetime.combine(date.fromisoformat(text), time(23, 59, 59))
        else:
            moment = datetime.fromisoformat(text)
    except ValueError:
        raise InstantError(
            f"{text!r} is no instant; write 2026-06-30 (its last second) or 2026-06-30T12:00:00Z"
        ) from None
    return to_us(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone)))
