"""A source's streams, page by page. In: a source, a stream's name, the cursor of an earlier page. Out: its pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from types import TracebackType

from connectors.answers.answer import Reader
from connectors.answers.records import Record
from connectors.asking.incremental import Changes
from connectors.asking.paginate import way
from connectors.asking.request import compose
from connectors.auth import NoVault, Vault, signers
from connectors.children import PARENTS, Brood, Families
from connectors.errors import Rejected
from connectors.exchange import Exchange, Line
from connectors.http import Client
from connectors.limits import Limits
from connectors.walk import Cursor, Family, Page, Walk
from mappings.duration import duration
from mappings.loader import Source
from mappings.spec import Stream

__all__ = ["Connection", "Page", "Record"]

ATTEMPTS, PATIENCE = 6, "5m"
"""How often, and how long, a page is asked for where the mapping does not say how long: a person may be waiting."""


class Connection:
    """One source during one run, as an async context manager: its streams share connections, rate and concurrency.

    Raises ConnectorError where a setting or the mapping makes no request, in words that name what to check. `vault`
    keeps refresh tokens that the system replaces. `attempts` and `retry_for_s` (seconds) bound how often and how long
    one page is asked for, `largest_bytes` an answer; the mapping says the two latter where they are not given.
    """

    def __init__(
        self,
        source: Source,
        *,
        vault: Vault | None = None,
        attempts: int | None = None,
        retry_for_s: float | None = None,
        largest_bytes: int | None = None,
    ) -> None:
        http = source.system.http
        patience_s = duration(http.retry_for or PATIENCE).total_seconds() if retry_for_s is None else retry_for_s
        most = attempts or (ATTEMPTS if http.retry_for is None else None)
        self._source, self._largest = source, largest_bytes or http.largest_mb << 20
        self._client = Client(source, largest_bytes=largest_bytes)
        self._signers = signers(source, self._client, vault or NoVault())
        limits = Limits.of(source, longest_s=patience_s)
        self._exchange = Exchange(self._client, limits, attempts=most, retry_for_s=patience_s)
        self._lines: dict[str, Line] = {}
        self._tasks: set[asyncio.Task[Page]] = set()

    @property
    def requests(self) -> int:
        """How many requests were sent, repeated ones and redirects included."""
        return self._client.sent

    @property
    def notes(self) -> dict[str, str]:
        """By stream what its user should know: page sizes capped, search limits reached, positions refused."""
        return self._exchange.notes

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.__aexit__(kind, error, trace)

    async def pull(
        self, stream: str, cursor: Cursor | None = None, now: datetime | None = None
    ) -> AsyncGenerator[Page]:
        """The pages of a stream after this cursor, None for all; the next page is fetched while one is handled.

        Stopping at any page and going on from its cursor yields exactly the rest, or, where the system has forgotten
        the position, the rest and some again. `now` is where the last window ends, else the system's own time. Raises
        ConnectorError.
        """
        if self._stream(stream).parent is not None:
            raise self._rejected(stream, "asked for parent by parent, not as a whole", "pull its parents")
        line = self._line(stream)
        walk = Walk(self._exchange, line, cursor or {}, now or self._exchange.now(), Family())
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

    async def pull_children(self, stream: str, parents: PARENTS) -> AsyncGenerator[Page]:
        """The pages of the children of these parents (number, parsed record), several parents under way at once.

        Each page says by `parent` whose it is and by `last` that this parent is done; a parent that is gone (404), or
        of which `when` does not hold, has one empty page. Raises ConnectorError when all others are through.
        """
        parent = self._stream(stream).parent
        if parent is None:
            raise self._rejected(stream, "a list of its own, not asked for parent by parent", "check `parent`")
        line = self._line(stream)
        families = Families(parent, line.request.words)

        def begin(family: Family) -> Walk:
            return Walk(self._exchange, line, {}, self._exchange.now(), family)

        brood = Brood(stream, self._exchange, families, begin, self._source.system.http.concurrency)
        async with aclosing(brood.pages(parents)) as pages:
            async for page in pages:
                yield page

    def _begin(self, walk: Walk) -> asyncio.Task[Page]:
        task = asyncio.create_task(walk.page())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _stream(self, name: str) -> Stream:
        streams = self._source.system.streams
        if name not in streams:
            raise self._rejected(name, "no such stream in the mapping", f"there is {', '.join(streams)}")
        return streams[name]

    def _rejected(self, stream: str, what: str, remedy: str) -> Rejected:
        return Rejected(f"{self._source.name}.{stream}", what, remedy)

    def _line(self, name: str) -> Line:
        if name not in self._lines:
            self._lines[name] = self._composed(name, self._stream(name))
        return self._lines[name]

    def _composed(self, name: str, stream: Stream) -> Line:
        source, http = self._source, self._source.system.http
        pages = stream.pages if "pages" in stream.model_fields_set else http.pages
        errors = stream.error if "error" in stream.model_fields_set else http.error
        auth = stream.auth if "auth" in stream.model_fields_set else http.auth
        request, mask = compose(source, name, stream, pages, auth), self._client.secrets.mask
        reader = Reader(request.place, stream, pages, errors, mask, check=request.check, largest_bytes=self._largest)
        changes = None if stream.since is None else Changes(stream.since, ends="until" in request.words)
        size = next(iter(pages.size.values()), None) if pages and pages.size else None
        return Line(name, request, reader, self._signers[name], way(pages), changes, size)
