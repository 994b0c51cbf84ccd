"""Where credentials that a system renews are kept. In: a source's name. Out: one holder at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol


class Held(Protocol):
    """What the holder of a source's credentials may do with them."""

    def read(self, name: str) -> str | None:
        """The value kept under this name, None where there is none. Raises ConnectorError where it cannot be read."""

    async def keep(self, name: str, value: str) -> None:
        """Keeps a value in place of the one before: durable when this returns."""


class Vault(Protocol):
    """Keeps credentials, apart by source."""

    def held(self, source: str) -> AbstractAsyncContextManager[Held]:
        """The credentials of a source for one holder at a time, also across processes. Raises ConnectorError."""


class NoVault:
    """Keeps credentials in memory: what a system renewed is lost when the process ends."""

    def __init__(self) -> None:
        self._values: dict[str, _Memory] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def held(self, source: str) -> AsyncIterator[Held]:
        """The credentials of a source for one holder at a time within this process."""
        async with self._locks.setdefault(source, asyncio.Lock()):
            yield self._values.setdefault(source, _Memory())


class _Memory(dict[str, str]):
    def read(self, name: str) -> str | None:
        return self.get(name)

    async def keep(self, name: str, value: str) -> None:
        self[name] = value
