"""Changes only. In: a stream's `since` and the marks its records carry. Out: the parameter that asks for the rest.

A mark is kept as ISO text with microseconds, with its zone where the source gave one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from mappings.duration import duration
from mappings.spec import Since


def instant(value: Any) -> datetime | None:
    """The instant that a changed-at means: ISO text, or an epoch in s, ms or µs told apart by size; None if neither."""
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        value = int(value)
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            # 1e11 seconds is the year 5138, 1e11 milliseconds 1973; likewise one step up.
            scale = 1 if abs(value) < 1e11 else 1_000 if abs(value) < 1e14 else 1_000_000
            return datetime.fromtimestamp(0, UTC) + timedelta(seconds=value / scale)
    except (ValueError, OverflowError):
        return None
    return None


def newest(values: Iterable[Any], so_far: str | None, now: datetime | None) -> str | None:
    """The highest mark among `so_far` and the records' values, values that are no instant left out.

    None is later than `now`, the system's own clock: a record dated in the future would hide every change until then.
    """
    best = datetime.fromisoformat(so_far) if so_far else None
    for value in values:
        seen = instant(value)
        if seen is None:
            continue
        if now is not None and _zoned(seen) > now:
            seen = now
        if best is None or _zoned(seen) > _zoned(best):
            best = seen
    return best.isoformat(timespec="microseconds") if best else None


def params(since: Since | None, mark: str | None) -> dict[str, str]:
    """The query parameter that asks for what changed since the mark; empty where there is none yet."""
    if since is None or since.param is None or mark is None:
        return {}
    return {since.param: _written(datetime.fromisoformat(mark) - duration(since.look_back or "0s"), since.as_)}


def _zoned(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _written(moment: datetime, form: str) -> str:
    # Always rounded down: asked a little early, a record comes twice; asked late, never.
    if form == "epoch_s":
        return str(int(_zoned(moment).timestamp() // 1))
    if form == "epoch_ms":
        return str((_zoned(moment) - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1))
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    if form == "date":
        return moment.date().isoformat()
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + ("Z" if moment.tzinfo else "")
