"""One way through a stream's pages. In: a stream's line and the cursor of an earlier page. Out: page after page.

A cursor is a JSON object. Between runs: `since`, the mark to ask from, or `at`, the position that is kept. Within one:
`at` (position in a list that is not at its end), `since` (the mark that this walk asked with), `seen` (the newest mark
met on it, which becomes `since` only at the end: lists may be newest first), `began` (when the walk did, by the
system's clock: what changed since may be on a page already read, so no mark passes it), `window` and `until` (what is
asked for now, where that is more than the mark), `walked` (records that this search gave, where a system bounds them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.answers.answer import Record, Slice
from connectors.asking.incremental import Span
from connectors.asking.paginate import Move, Position, Repeats, Stuck, Watch
from connectors.errors import BadAnswer, ConnectorError
from connectors.exchange import Exchange, Line
from connectors.http import Sending

Cursor = dict[str, Any]
STALE = frozenset({400, 404, 410, 422})  # what a system answers to a position that it has forgotten


@dataclass(frozen=True, slots=True)
class Page:
    """Records in the order sent, and the cursor to go on from after them: to the next page, or to the next run.

    `parent` is the number of the parent whose records these are; `last` then says that this parent is done.
    """

    records: list[Record]
    cursor: Cursor
    last: bool
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """What a parent record gives to the requests for its children, and puts into each of them."""

    values: Mapping[str, Any] = field(default_factory=dict)
    put: bytes = b""


class Walk:
    """Holds the position, so pages are taken one after the other."""

    def __init__(self, exchange: Exchange, line: Line, cursor: Cursor, now: datetime, family: Family) -> None:
        self._exchange, self._line, self._family, self._now = exchange, line, family, now
        self._at: Position | None = line.way.position(cursor.get("at"))
        self._mark: str | None = cursor.get("since")
        self._seen: str | None = cursor.get("seen") or self._mark
        self._began = datetime.fromisoformat(cursor["began"]) if "began" in cursor else None
        self._walked = int(cursor.get("walked") or 0)
        self._span = self._spanned(cursor)
        self._opening = self._mark is None and "window" not in cursor
        self._resumed, self._pages, self._short = self._at is not None, 0, 0
        self._ended: bytes | None = None
        self._watch()

    async def page(self) -> Page:
        """The next page; moves on behind it. Raises ConnectorError; the position then stays."""
        got, date, url = await self._answered()
        move = self._moved(got)
        changes, before = self._line.changes, self._at
        last = move.last
        if changes is not None:
            last = last or changes.is_known(got.marks, self._mark)
            self._began = self._began or date or self._now
            self._seen = changes.newest(got.marks, self._seen, self._began)
        keeps = changes is not None and changes.keeps_cursor
        self._at = self._kept(move.at, url) if keeps or not last else None
        if not last:
            self._hold_to_moving(got)
        self._count(got, began=before is None, last=last)
        last = not self._goes_on(got, last, date)
        return Page(got.records, self._cursor(last), last)

    async def _answered(self) -> tuple[Slice, datetime | None, str]:
        sending = self._sending()
        try:
            return *await self._exchange.ask(self._line, sending, self._family.put), sending.url
        except ConnectorError as error:
            if self._line.way.is_past(self._at, error.status):
                return Slice([], [], ended=True), None, sending.url
            if not self._resumed or not _is_stale(error):
                raise
            self._exchange.note(
                self._line.name, f"the system refused the kept position ({error.status}): its list was read again"
            )
        finally:
            self._resumed = False
        self._restart()
        sending = self._sending()
        return *await self._exchange.ask(self._line, sending, self._family.put), sending.url

    def _sending(self) -> Sending:
        request, changes = self._line.request, self._line.changes
        at = None if self._at is None else {name: request.show(value) for name, value in self._at.items()}
        ask = self._line.way.ask(at)
        values: dict[str, Any] = dict(self._family.values)
        further: list[Mapping[str, Any]] = [ask.put]
        if changes is not None:
            words = changes.words(self._span)
            values |= words
            further = [changes.places(words), request.first if at is None and self._opening else {}, ask.put]
        if ask.last is not None:
            values |= {f"last.{path}": value for path, value in ask.last.items()}
            further.append(request.then)
        return request.sending(values, further, ask.url)

    def _moved(self, got: Slice) -> Move:
        if got.ended:
            return Move(self._at, last=True)
        try:
            return self._line.way.move(self._at, got)
        except Stuck as error:
            raise self._bad(str(error)) from None

    def _hold_to_moving(self, got: Slice) -> None:
        if not self._circle.moved(self._line.way.sign(self._at, got)) or not self._repeats.new(got):
            what = f"the list does not move on: after {len(got.records)} records the same page comes again"
            raise self._bad(what)

    def _goes_on(self, got: Slice, last: bool, date: datetime | None) -> bool:
        """Whether more is to come: of this search, of the next one or of the next window, which then begins."""
        changes = self._line.changes
        if changes is None:
            return not last
        if changes.is_spent(self._walked, len(got.records), last):
            span = changes.anew(self._span, got.marks)
            if span is None:
                what = f"the search limit of {changes.at_most:,} is reached, and the newest `field` leads no further"
                raise self._bad(what, "let the list be sorted by `field`, oldest first, or ask for less with `step`")
            self._exchange.note(
                self._line.name, f"search limit of {changes.at_most:,} reached: searched anew behind it"
            )
        elif last:
            span = changes.following(self._span, self._now)
            if span is None:
                return False
            self._seen = changes.passed(span, self._seen, date and self._began)
        else:
            return True
        self._span, self._opening = span, False
        self._restart()
        return True

    def _restart(self) -> None:
        self._at, self._walked = None, 0
        self._watch()

    def _watch(self) -> None:
        self._circle, self._repeats = Watch(self._line.way.sign(self._at, None)), Repeats()

    def _count(self, got: Slice, *, began: bool, last: bool) -> None:
        self._walked += len(got.records)
        self._pages += 1
        size, found = self._line.size or 0, len(got.records)
        # A list that is asked for from the last record on brings that one again: it says nothing of page sizes.
        if self._short and any(record.payload != self._ended for record in got.records):
            self._exchange.note(self._line.name, f"page size capped: asked {size}, got {self._short}")
        self._short = found if began and self._pages == 1 and not last and found < size else 0
        self._ended = got.records[-1].payload if self._short else None

    def _kept(self, at: Position | None, url: str) -> Position | None:
        if at is None or at is self._at:
            return at
        if "next" in at:
            at = {"next": self._exchange.own(self._line, at["next"], url)}
        return {name: self._line.request.hide(value) for name, value in at.items()}

    def _spanned(self, cursor: Cursor) -> Span:
        changes = self._line.changes
        if changes is None:
            return Span()
        begin = changes.begin(self._mark, self._now)
        said = [datetime.fromisoformat(text) if (text := cursor.get(n)) else None for n in ("window", "until")]
        return Span(said[0] or begin.low, said[1] or begin.high)

    def _cursor(self, last: bool) -> Cursor:
        said: Cursor = {"at": self._at, "since": self._seen if last else self._mark}
        if not last:
            said["seen"] = self._seen
            said["began"] = self._began.isoformat() if self._began else None
            if self._line.changes is not None:
                said |= self._line.changes.kept(self._span, self._walked)
        return {name: value for name, value in said.items() if value is not None}

    def _bad(self, what: str, remedy: str = "check `pages` in the mapping") -> BadAnswer:
        return BadAnswer(self._line.request.place, what, remedy)


def _is_stale(error: ConnectorError) -> bool:
    # An error in an answer's body says no status that would tell a forgotten position from another mistake.
    return error.status in STALE or (isinstance(error, BadAnswer) and error.status is not None)
