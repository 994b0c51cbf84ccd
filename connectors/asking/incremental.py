"""Changes only. In: a stream's `since` and the marks its records carry. Out: what to ask for, and the newest mark.

A mark is kept as ISO text with microseconds, with its zone where the source gave one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mappings.duration import duration
from mappings.spec import Since

EPOCH = datetime.fromtimestamp(0, UTC)
UNITS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}  # in microseconds
SECOND = timedelta(seconds=1)


def instant(value: Any, pattern: str | None = None) -> datetime | None:
    """The instant that a changed-at means: ISO text, text in the pattern (strptime's), or an epoch in s, ms or µs told
    apart by size; None if neither."""
    try:
        if isinstance(value, str):
            return _of_text(value, pattern)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _of_epoch(value)
    except (ValueError, OverflowError):
        return None
    return None


@dataclass(frozen=True, slots=True)
class Span:
    """The changes that one search asks for: from `low` on, None for all, up to `high`, None for all there are."""

    low: datetime | None = None
    high: datetime | None = None


class Changes:
    """What one stream's `since` says: how its times are read and written, and which spans are asked one after another.

    `ends` says whether requests name the end of what is asked for.
    """

    def __init__(self, since: Since, *, ends: bool) -> None:
        self._since, self._ends = since, ends or since.step is not None or since.until is not None
        self.keeps_cursor, self.at_most = since.keep_cursor, since.at_most
        self._zone = ZoneInfo(since.zone) if since.zone else UTC
        self._pattern = since.as_ if "%" in since.as_ else None
        self._look_back = duration(since.look_back or "0s")
        self._step = duration(since.step) if since.step else None
        # What is asked anew begins a little before what was: whether systems mean > or >= is not known. Days overlap.
        self._overlap = timedelta(0) if since.as_ == "date" else _unit(since.as_)

    def newest(self, values: Sequence[Any], so_far: str | None, now: datetime | None = None) -> str | None:
        """The highest mark among `so_far` and the records' values, values that are no instant left out.

        None is later than `now`, when the walk began by the system's own clock: a record dated in the future would hide
        every change until then, and one of a later page what changed meanwhile on an earlier one.
        """
        best = datetime.fromisoformat(so_far) if so_far else None
        for value in values if self._pattern else _highest(values):
            seen = instant(value, self._pattern)
            if seen is not None:
                best = self._later(best, seen, now)
        return _kept(best)

    def passed(self, span: Span, so_far: str | None, now: datetime | None) -> str | None:
        """The mark once all before this window is read: where nothing changed for long, the next run need not ask for
        each empty window again. Only where the system's own clock says that this time has come."""
        if self._step is None or span.low is None or now is None:
            return so_far
        return _kept(self._later(datetime.fromisoformat(so_far) if so_far else None, span.low, now))

    def begin(self, mark: str | None, now: datetime) -> Span:
        """What to ask first: since the mark less `look_back`, without a mark since `from`; one window where there are
        windows."""
        if mark is not None:
            low: datetime | None = self._shifted(self._once(datetime.fromisoformat(mark)), -self._look_back)
        else:
            low = self._zoned(datetime.fromisoformat(self._since.from_)) if self._since.from_ else None
        return self._window(low, now)

    def following(self, span: Span, now: datetime) -> Span | None:
        """The window after this one; None where it reached `now`, or where there are no windows."""
        if self._step is None or span.low is None or span.high is None or self._zoned(span.high) >= now:
            return None
        return self._window(max(self._shifted(span.high, -self._overlap), self._shifted(span.low, self._least())), now)

    def anew(self, span: Span, marks: Sequence[Any]) -> Span | None:
        """The rest of a span of which the system gives no more: since the newest of the last page's marks; None where
        that does not lead on."""
        reached = self.newest(marks, None)
        if reached is None:
            return None
        low = self._shifted(datetime.fromisoformat(reached), -self._overlap)
        return None if span.low is not None and self._zoned(low) <= self._zoned(span.low) else Span(low, span.high)

    def is_known(self, marks: Sequence[Any], mark: str | None) -> bool:
        """Whether a page of a list that comes newest first ends with what was known before: changed before the mark
        less `look_back`."""
        if mark is None or not self._since.newest_first:
            return False
        read = [found for value in marks if (found := instant(value, self._pattern)) is not None]
        return (
            bool(read)
            and self._zoned(read[-1]) < self._zoned(self._once(datetime.fromisoformat(mark))) - self._look_back
        )

    def words(self, span: Span) -> dict[str, Any]:
        """The values of {since} and {until}: as the mapping says, rounded down: asked a little early, a record comes
        twice; asked late, never. Epochs are numbers, all else is text."""
        said = {"since": span.low and self._once(span.low), "until": span.high}
        return {name: self._written(moment) for name, moment in said.items() if moment is not None}

    def places(self, words: dict[str, Any]) -> dict[str, Any]:
        """Those values by the places that take them, where the mapping names such."""
        said = {"since": self._since.param, "until": self._since.until}
        return {place: words[name] for name, place in said.items() if place is not None and name in words}

    def is_spent(self, walked: int, page: int, last: bool) -> bool:
        """Whether the system gives no more of this search: so many records were read, or the next page would be too
        many."""
        if self.at_most is None:
            return False
        return walked >= self.at_most or (not last and walked + page > self.at_most)

    def kept(self, span: Span, walked: int) -> dict[str, Any]:
        """What a cursor has to hold of a search that is under way, beside the mark that it began with."""
        said: dict[str, Any] = {"walked": walked} if self.at_most is not None else {}
        if span.low is not None and (self._step is not None or self.at_most is not None):
            said["window"] = _kept(span.low)
        return said | ({"until": _kept(span.high)} if span.high is not None else {})

    def _window(self, low: datetime | None, now: datetime) -> Span:
        if not self._ends:
            return Span(low)
        if low is not None and low.tzinfo is None:
            now = now.astimezone(self._zone).replace(tzinfo=None)
        if self._step is None or low is None:
            return Span(low, now)
        end = self._shifted(low, self._step)
        return Span(low, now if low <= now < end else end)

    def _later(self, best: datetime | None, seen: datetime, now: datetime | None) -> datetime:
        if now is not None and self._zoned(seen) > now:
            seen = now if seen.tzinfo else now.astimezone(self._zone).replace(tzinfo=None)
        return seen if best is None or self._zoned(seen) > self._zoned(best) else best

    def _least(self) -> timedelta:
        return min(SECOND, self._step or SECOND)

    def _shifted(self, moment: datetime, by: timedelta) -> datetime:
        """Earlier or later by so much time, whatever clocks were changed meanwhile; without a zone only where neither
        the source nor the mapping names one."""
        shifted = self._zoned(moment).astimezone(UTC) + by
        return shifted if moment.tzinfo or self._since.zone else shifted.replace(tzinfo=None)

    def _once(self, moment: datetime) -> datetime:
        """The moment, or an earlier one where its local time comes twice, or never, on the day that clocks are turned:
        written without an offset, the second time would hide behind the first."""
        local = self._zoned(moment).astimezone(self._zone).replace(tzinfo=None)
        first, second = (local.replace(tzinfo=self._zone, fold=fold).utcoffset() for fold in (0, 1))
        if first is None or second is None or first == second:
            return moment
        return self._shifted(moment, -abs(first - second))

    def _zoned(self, moment: datetime) -> datetime:
        return moment if moment.tzinfo else moment.replace(tzinfo=self._zone)

    def _written(self, moment: datetime) -> str | int:
        form = self._since.as_
        if form in UNITS:
            return (self._zoned(moment) - EPOCH) // timedelta(microseconds=UNITS[form])
        if self._pattern is not None:
            return self._zoned(moment).astimezone(self._zone).strftime(self._pattern)
        if form == "date":
            return self._zoned(moment).astimezone(self._zone).date().isoformat()
        if moment.tzinfo is None or self._since.zone is not None:
            return self._zoned(moment).astimezone(self._zone).strftime("%Y-%m-%dT%H:%M:%S")
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _highest(values: Sequence[Any]) -> Sequence[Any]:
    """Of texts that sort as their times do only the last, else all: a page is not to be read time by time."""
    if not values or not all(value.__class__ is str and value[-1:] == "Z" for value in values):
        return values
    highest = max(values)
    alike = len(set(map(len, values))) == 1 and instant(highest) is not None
    return [highest] if alike else values


def _kept(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="microseconds") if moment else None


def _of_epoch(value: float) -> datetime:
    # 1e11 seconds is the year 5138, 1e11 milliseconds 1973; likewise one step up.
    scale = 1 if abs(value) < 1e11 else 1_000 if abs(value) < 1e14 else 1_000_000
    return EPOCH + timedelta(seconds=value / scale)


def _of_text(value: str, pattern: str | None) -> datetime:
    if pattern is not None:
        with suppress(ValueError):
            return datetime.strptime(value, pattern)
    try:
        return _of_epoch(int(value)) if value.lstrip("-").isdecimal() else datetime.fromisoformat(value)
    except ValueError:
        return datetime.fromisoformat(value.strip().replace(" UTC", "Z").replace(" GMT", "Z"))


def _unit(form: str) -> timedelta:
    return timedelta(microseconds=UNITS.get(form, UNITS["epoch_s"]))
