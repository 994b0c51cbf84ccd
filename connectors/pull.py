"""A stream, page by page. In: a source, a stream's name, the cursor of an earlier page. Out: records and cursors.

A cursor is a JSON object: `at` (position in a list that is not at its end), `since` (the mark that this walk asked
with) and `seen` (the newest mark met on it, which becomes `since` only at the end: lists may be newest first).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any

from connectors.answer import Reader, Record, Slice
from connectors.auth import mask, sign
from connectors.errors import BadAnswer, NotFound, RateLimited, Rejected, of_status
from connectors.http import Answer, Client
from connectors.incremental import newest, params
from connectors.limits import Limits
from connectors.paginate import Position, Stuck, Watch, Way, way
from connectors.request import Request, compose
from connectors.retry import attempts
from mappings.loader import Source
from mappings.spec import Since

__all__ = ["Connection", "Page", "Record"]

Cursor = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Records in the order sent, and the cursor to go on from after them: to the next page, or to the next run."""

    records: list[Record]
    cursor: Cursor
    last: bool


class Connection:
    """One source during one run, as an async context manager: its streams share connections, rate and concurrency.

    Raises ConnectorError where a setting or the mapping makes no request, in words that name what to check.
    `attempts` and `retry_for_s` (seconds) bound how often and how long one page is asked for.
    """

    def __init__(
        self, source: Source, *, attempts: int = 6, retry_for_s: float = 300.0, largest_bytes: int = 64 << 20
    ) -> None:
        http = source.system.http
        self._source, self._attempts, self._retry_for_s = source, attempts, retry_for_s
        self._signature = sign(source)
        try:
            self._limits = Limits(source.fill(http.rate) if http.rate else None, http.concurrency)
        except ValueError as error:
            raise Rejected(source.name, str(error), "check `http` in the mapping") from None
        self._client = Client(source, largest_bytes=largest_bytes)
        self._tasks: set[asyncio.Task[Page]] = set()

    @property
    def requests(self) -> int:
        """How many requests were sent, repeated ones and redirects included."""
        return self._client.sent

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.__aexit__(kind, error, trace)

    async def pull(self, stream: str, cursor: Cursor | None = None) -> AsyncGenerator[Page]:
        """The pages of a stream after this cursor, None for all; the next page is fetched while one is handled.

        Stopping at any page and going on from its cursor yields exactly the rest. Raises ConnectorError.
        """
        walk = self._walk(stream, cursor or {})
        task: asyncio.Task[Page] | None = self._begin(walk)
        try:
            while task is not None:
                page = await task
                task = None if page.last else self._begin(walk)
                yield page
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def _begin(self, walk: _Walk) -> asyncio.Task[Page]:
        task = asyncio.create_task(walk.page())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _walk(self, name: str, cursor: Cursor) -> _Walk:
        http, place = self._source.system.http, f"{self._source.name}.{name}"
        stream = self._source.system.streams.get(name)
        if stream is None:
            raise Rejected(place, "no such stream in the mapping", f"there is {', '.join(self._source.system.streams)}")
        pages = stream.pages if "pages" in stream.model_fields_set else http.pages
        reader = Reader(place, stream, pages, http.error, partial(mask, self._source))
        request = compose(self._source, name, stream, pages, self._signature)
        return _Walk(self, request, reader, way(pages), stream.since, cursor)

    async def ask(self, request: Request, reader: Reader, url: str) -> tuple[Slice, datetime | None]:
        """One answer taken apart, asked for again where that may help, and the system's own time of it."""
        async for attempt in attempts(request.place, most=self._attempts, seconds=self._retry_for_s):
            with attempt:
                async with self._limits:
                    answer = await self._client.get(request.place, url, request.headers)
                return self._checked(request, reader, answer), answer.date
        raise AssertionError("attempts end by returning or raising")

    def _checked(self, request: Request, reader: Reader, answer: Answer) -> Slice:
        if answer.status == 204:
            return Slice([], [])
        if answer.status < 300:
            return reader.read(answer.url, answer.body)
        said = reader.said(answer.body)
        error = of_status(request.place, answer.url, answer.status, said, request.check, answer.wait_s)
        if isinstance(error, RateLimited) and error.wait_s is not None and error.wait_s <= self._retry_for_s:
            self._limits.hold(error.wait_s)
        raise error

    def own(self, place: str, url: str, beside: str) -> str:
        """The path and query of a URL on this source's own host; Refused where it is on another."""
        return self._client.own(place, url, beside)


class _Walk:
    """One way through a stream's pages: holds the position, so pages are taken one after the other."""

    def __init__(
        self, connection: Connection, request: Request, reader: Reader, way: Way, since: Since | None, cursor: Cursor
    ) -> None:
        self._connection, self._request, self._reader, self._way, self._since = connection, request, reader, way, since
        self._at: Position | None = way.position(cursor.get("at"))
        self._mark: str | None = cursor.get("since")
        self._seen: str | None = cursor.get("seen") or self._mark
        self._watch = Watch(way.sign(self._at, None))

    async def page(self) -> Page:
        """The next page; moves on behind it."""
        url = self._url()
        got, now = await self._slice(url)
        try:
            move = self._way.move(self._at, got)
        except Stuck as error:
            raise BadAnswer(self._request.place, str(error), "check `pages` in the mapping") from None
        keeps = self._since is not None and self._since.keep_cursor
        at = self._kept(move.at, url) if keeps or not move.last else None
        if not move.last and not self._watch.moved(self._way.sign(at, got)):
            what = f"the list does not move on: after {len(got.records)} records the same page comes again"
            raise BadAnswer(self._request.place, what, "check `pages` in the mapping")
        self._at, self._seen = at, newest(got.marks, self._seen, now)
        return Page(got.records, self._cursor(move.last), move.last)

    def _url(self) -> str:
        ask = self._way.ask(self._at)
        if ask.url is not None:
            return self._request.following(ask.url)
        first = self._since.first if self._since and self._at is None and self._mark is None else None
        return self._request.first({**params(self._since, self._mark), **(first or {}), **ask.params})

    async def _slice(self, url: str) -> tuple[Slice, datetime | None]:
        try:
            return await self._connection.ask(self._request, self._reader, url)
        except NotFound:
            if not self._way.ends_with_404(self._at):
                raise
            return Slice([], []), None

    def _kept(self, at: Position | None, url: str) -> Position | None:
        if at is None or at is self._at or "next" not in at:
            return at
        own = self._connection.own(self._request.place, at["next"], url)
        return {"next": self._request.kept(own)}

    def _cursor(self, last: bool) -> Cursor:
        said = {"since": self._seen} if last else {"since": self._mark, "seen": self._seen}
        return {name: value for name, value in {"at": self._at, **said}.items() if value is not None}
