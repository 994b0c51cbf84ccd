"""A request for each parent record. In: numbered parent records. Out: the pages of their children, several at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from connectors.answers.records import members
from connectors.errors import BadAnswer, ConnectorError, NotFound, Rejected
from connectors.exchange import Exchange
from connectors.walk import Family, Page, Walk
from mappings.conditions import conditions, hold
from mappings.paths import steps_of, walk
from mappings.spec import Parent

Numbered = tuple[int, Any]
PARENTS = AsyncIterable[Numbered] | Iterable[Numbered]
MOST_FAILED = 20


class Families:
    """What each parent record says, by the mapping: whether it is asked for, what its requests hold, what is kept."""

    def __init__(self, parent: Parent, words: Iterable[str]) -> None:
        self._checks = conditions(parent.when)
        self._keep = parent.keep
        self._words = [word for word in words if word.startswith("parent.")]

    def of(self, record: Any) -> Family | None:
        """The family of a parent record; None where `when` does not hold of it."""
        if not hold(self._checks, partial(_at, record)):
            return None
        values = {word: _at(record, word.removeprefix("parent.")) for word in self._words}
        return Family(values, members({name: _at(record, path) for name, path in self._keep.items()}))


class Brood:
    """The children of many parents, `width` parents at once, the pages of each in their order."""

    def __init__(
        self, stream: str, exchange: Exchange, families: Families, begin: Callable[[Family], Walk], width: int
    ) -> None:
        self._stream, self._exchange, self._families, self._begin = stream, exchange, families, begin
        self._width = width
        self._errors: list[Exception] = []
        self._gone, self._stopped = 0, False
        self._turn = asyncio.Lock()
        self._ready: asyncio.Queue[Page | None] = asyncio.Queue(width)

    async def pages(self, parents: PARENTS) -> AsyncGenerator[Page]:
        """All pages of all parents; the first error is raised when no page is left.

        A parent that fails by its own fault does not keep the others from being asked, up to a number of them.
        """
        coming = _each(parents)
        tasks = [asyncio.create_task(self._work(coming)) for _ in range(self._width)]
        try:
            left = self._width
            while left:
                page = await self._ready.get()
                if page is None:
                    left -= 1
                else:
                    yield page
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await coming.aclose()
            self._tell()
        if self._errors:
            # A fault of the store, or of ours, is more than a parent that cannot be asked for.
            raise min(self._errors, key=lambda error: isinstance(error, ConnectorError))

    async def _work(self, coming: AsyncGenerator[Numbered]) -> None:
        while not self._stopped:
            try:
                async with self._turn:
                    number, record = await anext(coming)
                async for page in self._of(record):
                    await self._ready.put(replace(page, parent=number))
            except StopAsyncIteration:
                break
            except Exception as error:
                self._failed(error)
        await self._ready.put(None)

    async def _of(self, record: Any) -> AsyncGenerator[Page]:
        family = self._families.of(record)
        if family is None:
            yield Page([], {}, last=True)
            return
        walk, last = self._begin(family), False
        pages = 0
        while not last:
            try:
                page = await walk.page()
            except NotFound:
                if pages:
                    raise
                self._gone += 1
                page = Page([], {}, last=True)
            pages, last = pages + 1, page.last
            yield replace(page, cursor={})

    def _failed(self, error: Exception) -> None:
        self._errors.append(error)
        own = isinstance(error, Rejected | BadAnswer | NotFound) or (
            isinstance(error, ConnectorError) and error.status == 403
        )
        self._stopped = self._stopped or not own or len(self._errors) >= MOST_FAILED

    def _tell(self) -> None:
        if self._gone:
            self._exchange.note(self._stream, f"{self._gone} parents are not there any more (404)")
        if len(self._errors) > 1:
            self._exchange.note(self._stream, f"{len(self._errors)} parents failed")


def _at(record: Any, path: str) -> Any:
    return walk(record, steps_of(path))


async def _each(parents: PARENTS) -> AsyncGenerator[Numbered]:
    if isinstance(parents, AsyncIterable):
        async for parent in parents:
            yield parent
    else:
        for parent in parents:
            yield parent
