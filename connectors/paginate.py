"""How pages follow each other. In: where we are and what came. Out: what to ask next, or the end.

A position is a small JSON object, None before the first page. It is kept in cursors, so its words stay:
{"page": 3, "full": 100}, {"offset": 200, "full": 100}, {"after": "id", "full": 100}, {"cursor": …}, {"next": "/path"}.
`full` is what the first page held: systems cap page sizes silently, so a page is short only against that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connectors.answer import Slice
from mappings.spec import Pages

Position = dict[str, Any]


class Stuck(Exception):
    """The answer does not lead on, in words that end an error message."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a page needs beside the stream's own parameters: further ones, or a URL in place of them."""

    params: dict[str, Any] = field(default_factory=dict)
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """The position after a page, and whether that page was the last (then the position serves `keep_cursor` only)."""

    at: Position | None
    last: bool


@dataclass(frozen=True, slots=True)
class Way:
    """One way of paging: the word of its position, what to ask there, how to move on."""

    word: str
    ask: Callable[[Position | None], Ask]
    move: Callable[[Position | None, Slice], Move]
    counted: bool = False

    def position(self, kept: Any) -> Position | None:
        """A kept position, None where it belongs to another way of paging (the mapping has changed since)."""
        return kept if isinstance(kept, dict) and self.word in kept else None

    def sign(self, position: Position | None, got: Slice | None) -> Any:
        """What must differ from page to page: the records where a position only counts, else the position itself."""
        if not self.counted:
            return {name: value for name, value in (position or {}).items() if name != "full"}
        return (len(got.records), got.records[0].payload, got.records[-1].payload) if got and got.records else None

    def ends_with_404(self, at: Position | None) -> bool:
        """Whether a 404 here is the end: some systems answer so past the last counted page."""
        return self.counted and at is not None


def way(pages: Pages | None) -> Way:
    """The way of paging that a mapping describes; one page where it describes none."""
    if pages is None:
        return Way("", lambda at: Ask(), lambda at, got: Move(None, last=True))
    if pages.page is not None:
        return _numbered(pages.page, pages.start, by_pages=pages.total_pages is not None)
    if pages.offset is not None:
        return _offset(pages.offset)
    if pages.cursor is not None:
        return _cursor(pages.cursor)
    if pages.after is not None:
        return _after(pages.after)
    return Way("next", lambda at: Ask(url=at["next"]) if at else Ask(), _move_next)


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


def _full(at: Position | None, got: Slice) -> int:
    return int(at.get("full", 0)) if at else len(got.records)


def _ended(at: Position | None, got: Slice, reached: int = 0) -> bool:
    if not got.records:
        return True
    if got.more is not None:
        return not got.more
    return reached >= got.total if got.total is not None else len(got.records) < _full(at, got)


def _numbered(param: str, start: int, by_pages: bool) -> Way:
    def move(at: Position | None, got: Slice) -> Move:
        page = at["page"] if at else start
        before = page - start
        last = _ended(at, got, before + 1 if by_pages else before * _full(at, got) + len(got.records))
        # Records to come are appended to the last page: a kept position reads it again.
        return Move({"page": page if last else page + 1, "full": _full(at, got)}, last)

    return Way("page", lambda at: Ask({param: at["page"] if at else start}), move, counted=True)


def _offset(param: str) -> Way:
    def move(at: Position | None, got: Slice) -> Move:
        offset = at["offset"] if at else 0
        reached = offset + len(got.records)
        return Move({"offset": reached, "full": _full(at, got)}, _ended(at, got, reached))

    return Way("offset", lambda at: Ask({param: at["offset"] if at else 0}), move, counted=True)


def _cursor(param: str) -> Way:
    def move(at: Position | None, got: Slice) -> Move:
        position = at if got.value in (None, "", False) else {"cursor": got.value}
        if got.more is None:
            return Move(position, not got.records or got.value in (None, "", False))
        if got.more and got.value in (None, "", False):
            raise Stuck("more pages are announced, but no cursor leads to them")
        return Move(position, not got.more)

    return Way("cursor", lambda at: Ask({param: at["cursor"]} if at else {}), move)


def _after(param: str) -> Way:
    def move(at: Position | None, got: Slice) -> Move:
        if not got.records:
            return Move(at, last=True)
        if got.value in (None, ""):
            raise Stuck("the last record has no id to go on from")
        return Move({"after": got.value, "full": _full(at, got)}, _ended(at, got))

    return Way("after", lambda at: Ask({param: at["after"]} if at else {}), move)


def _move_next(at: Position | None, got: Slice) -> Move:
    if got.value in (None, "", False) or got.more is False:
        return Move({"next": got.value} if got.value else at, last=True)
    if not isinstance(got.value, str):
        raise Stuck("what should be the next page's URL is no text")
    return Move({"next": got.value}, last=False)
