"""How pages follow each other. In: where we are and what came. Out: what to ask next, or the end.

A position is a small JSON object, None before the first page. It is kept in cursors, so its words stay:
{"page": 3, "full": 100}, {"offset": 200, "full": 100}, {"after": "id", "full": 100}, {"cursor": …, "empty": 1},
{"next": "/path"}, {"last": {"path": value}, "full": 100}.
`full` is what the first page held: systems cap page sizes silently, so a page is short only against that. `empty`
counts pages without a record: systems that filter what they have paged already send such in the middle of a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from connectors.answers.answer import Slice
from connectors.answers.shape import Shape
from connectors.asking.links import target
from mappings.spec import Pages

Position = dict[str, Any]
NOTHING = (None, "", False)
PATIENCE = 10  # empty pages one after the other whose cursors still lead on, before that is taken for the end


class Stuck(Exception):
    """The answer does not lead on, in words that end an error message."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a page needs beside the stream's own words: places to values, a URL in their place, or the last record's
    values."""

    put: dict[str, Any] = field(default_factory=dict)
    url: str | None = None
    last: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """The position after a page, and whether that page was the last (then the position serves `keep_cursor` only)."""

    at: Position | None
    last: bool


@dataclass(frozen=True, slots=True)
class Way:
    """One way of paging: the word of its position, what to ask there, how to move on, what statuses mean the end."""

    word: str
    ask: Callable[[Position | None], Ask]
    move: Callable[[Position | None, Slice], Move]
    counted: bool = False
    ends_with: frozenset[int] = frozenset()

    def position(self, kept: Any) -> Position | None:
        """A kept position, None where it belongs to another way of paging (the mapping has changed since)."""
        return kept if isinstance(kept, dict) and self.word in kept else None

    def sign(self, position: Position | None, got: Slice | None) -> Any:
        """What must differ from page to page: the records where a position only counts, else the position itself."""
        if self.counted and got is not None and got.records:
            return _ends(got)
        return {name: value for name, value in (position or {}).items() if name == self.word}

    def is_past(self, at: Position | None, status: int | None) -> bool:
        """Whether this status is the end: some systems answer so past the last page, never on the first."""
        return at is not None and status in self.ends_with


def way(pages: Pages | None) -> Way:
    """The way of paging that a mapping describes; one page where it describes none."""
    if pages is None:
        return Way("", lambda at: Ask(), lambda at, got: Move(None, last=True))
    counted = pages.page is not None or pages.offset is not None
    ends_with = frozenset(({404} if counted else ()) if pages.ends_with is None else pages.ends_with)
    word, ask, move = _way(pages)
    return Way(word, ask, move, counted, ends_with)


class Watch:
    """Notices a list that goes in circles, in constant memory (Brent 1980: anchors at powers of two)."""

    def __init__(self, start: Any) -> None:
        self._anchor, self._steps, self._power = start, 0, 1

    def moved(self, sign: Any) -> bool:
        """False where this sign was seen before in a circle; called once a page."""
        if sign == self._anchor:
            return False
        self._steps += 1
        if self._steps == self._power:
            self._anchor, self._steps, self._power = sign, 0, self._power * 2
        return True


class Repeats:
    """Notices a list whose cursors differ and whose pages do not: the same records, or none at all, again and again."""

    SAME, EMPTY = 3, 1_000

    def __init__(self) -> None:
        self._ends: Any = None
        self._times = 0

    def new(self, got: Slice) -> bool:
        """False where this page came too often without another between; called once a page."""
        ends = _ends(got)
        self._times = self._times + 1 if ends == self._ends else 1
        self._ends = ends
        return self._times < (self.SAME if got.records else self.EMPTY)


_Said = tuple[str, Callable[[Position | None], Ask], Callable[[Position | None, Slice], Move]]


def _way(pages: Pages) -> _Said:
    if pages.page is not None:
        return _numbered(pages.page, 1 if pages.start is None else pages.start, pages.total_pages is not None)
    if pages.offset is not None:
        return _offset(pages.offset, pages.start or 0)
    if pages.cursor is not None:
        return _cursor(pages.cursor)
    if pages.after is not None:
        return _after(pages.after)
    if pages.keyset is not None:
        return _keyset(pages.keyset)
    relation = pages.link
    return "next", lambda at: Ask(url=at["next"]) if at else Ask(), lambda at, got: _move_next(at, got, relation)


def _ends(got: Slice) -> Any:
    return (len(got.records), got.records[0].payload, got.records[-1].payload) if got.records else None


def _full(at: Position | None, got: Slice) -> int:
    return int(at.get("full", 0)) if at else len(got.records)


def _ended(at: Position | None, got: Slice, reached: int = 0) -> bool:
    if not got.records:
        return True
    if got.more is not None:
        return not got.more
    return reached >= got.total if got.total is not None else len(got.records) < _full(at, got)


def _numbered(place: str, start: int, by_pages: bool) -> _Said:
    def move(at: Position | None, got: Slice) -> Move:
        page = at["page"] if at else start
        before = page - start
        last = _ended(at, got, before + 1 if by_pages else before * _full(at, got) + len(got.records))
        announced = before + 1 < got.total if got.more is None and by_pages and got.total is not None else got.more
        last = last and not (announced and not got.records)
        # Records to come are appended to the last page: a kept position reads it again.
        return Move({"page": page if last else page + 1, "full": _full(at, got)}, last)

    return "page", lambda at: Ask({place: at["page"] if at else start}), move


def _offset(place: str, start: int) -> _Said:
    def move(at: Position | None, got: Slice) -> Move:
        offset = (at["offset"] if at else start) + len(got.records)
        return Move({"offset": offset, "full": _full(at, got)}, _ended(at, got, offset - start))

    return "offset", lambda at: Ask({place: at["offset"] if at else start}), move


def _cursor(place: str) -> _Said:
    def move(at: Position | None, got: Slice) -> Move:
        if got.value in NOTHING:
            if got.more:
                raise Stuck("more pages are announced, but no cursor leads to them")
            return Move(at, last=True)
        empty = 0 if got.records else (at or {}).get("empty", 0) + 1
        position = {"cursor": got.value} | ({"empty": empty} if empty else {})
        if got.more is not None:
            return Move(position, not got.more)
        stays = at is not None and at["cursor"] == got.value
        return Move(position, last=empty > 0 and (stays or empty >= PATIENCE))

    return "cursor", lambda at: Ask({place: at["cursor"]} if at else {}), move


def _after(place: str) -> _Said:
    def move(at: Position | None, got: Slice) -> Move:
        if not got.records:
            return Move(at, last=True)
        if got.value is None or got.value == "":
            raise Stuck("the last record has no id to go on from")
        return Move({"after": got.value, "full": _full(at, got)}, _ended(at, got))

    return "after", lambda at: Ask({place: at["after"]} if at else {}), move


def _keyset(paths: list[str]) -> _Said:
    shape = Shape(paths)
    readers = {path: shape.reader(path) for path in paths}

    def move(at: Position | None, got: Slice) -> Move:
        if not got.records:
            return Move(at, last=True)
        try:
            head = shape.decode(got.records[-1].payload)
        except msgspec.DecodeError:
            raise Stuck("the last record is no object to go on from") from None
        last = {path: read(head) for path, read in readers.items()}
        for path, value in last.items():
            if value is None or value == "":
                raise Stuck(f"the last record has no `{path}` to go on from")
        # Asked for what comes with or after it, a list that is at its end gives that one record again.
        again = at is not None and len(got.records) == 1 and last == at["last"]
        return Move({"last": last, "full": _full(at, got)}, again or _ended(at, got))

    return "last", lambda at: Ask(last=at["last"] if at else None), move


def _move_next(at: Position | None, got: Slice, relation: str | None) -> Move:
    value = got.value
    if relation is not None and isinstance(value, str):
        value = target(value, relation)
    if value in NOTHING or got.more is False:
        return Move({"next": value} if value else at, last=True)
    if not isinstance(value, str):
        raise Stuck("what should be the next page's URL is no text")
    return Move({"next": value}, last=False)
