"""Runs compiled statements. In: SQL with the driver's marks and its parameters. Out: the one row that it answers with.

No ORM, no rows turned into objects: the answer is bytes (PostgreSQL) or text (SQLite), ready to be sent.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, Protocol

from sqlalchemy import make_url

from hub.api.asked.selection import Unplannable
from hub.api.read.deadline import STEPS, timed_out
from hub.store.engine import Store
from hub.store.errors import UnusableError

Row = Sequence[Any]
CONNECTIONS = 4  # to PostgreSQL, for each process
THREADS = 2  # that read SQLite


class Runner(Protocol):
    """Runs statements, each in a snapshot of its own."""

    async def run(self, statement: str, parameters: Sequence[Any]) -> Row:
        """The first row. Raises ApiError TIMED_OUT, or Unplannable where the database cannot read the statement."""

    async def close(self) -> None:
        """Gives the connections back."""


def open_runner(store: Store, timeout_s: float) -> Runner:
    """A runner for the store's database; it connects when it is first used."""
    return SqliteRunner(store.url, timeout_s) if store.dialect == "sqlite" else PostgresqlRunner(store.url, timeout_s)


class SqliteRunner:
    """Threads with a connection each: the file is read beside the event loop."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._path, self._timeout_s = str(make_url(url).database), timeout_s
        self._threads = ThreadPoolExecutor(THREADS, "read")
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []

    async def run(self, statement: str, parameters: Sequence[Any]) -> Row:
        """The first row. Raises ApiError TIMED_OUT."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, statement, parameters)

    def _run(self, statement: str, parameters: Sequence[Any]) -> Row:
        connection, until = self._connection(), monotonic() + self._timeout_s
        connection.set_progress_handler(lambda: monotonic() > until, STEPS)
        try:
            row: Row = connection.execute(statement, parameters).fetchone()
        except sqlite3.OperationalError as error:
            if "parser stack overflow" in str(error):
                raise Unplannable("nested deeper than SQLite reads") from None
            if monotonic() > until:
                raise timed_out(self._timeout_s) from None
            raise
        return row

    def _connection(self) -> sqlite3.Connection:
        if (connection := getattr(self._own, "connection", None)) is None:
            connection = sqlite3.connect(
                f"file:{self._path}", uri=True, isolation_level=None, check_same_thread=False, cached_statements=100
            )
            for pragma in ("query_only = ON", "temp_store = MEMORY", "cache_size = -16384", "mmap_size = 1073741824"):
                connection.execute(f"PRAGMA {pragma}")
            self._own.connection = connection
            self._opened.append(connection)
        return connection

    async def close(self) -> None:
        """Waits for what runs, and closes."""
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._opened:
            connection.close()


class PostgresqlRunner:
    """A few connections of the event loop that uses it; statements stay prepared on each."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url, self._timeout_s = url, timeout_s
        self._free: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
        self._opened: list[Any] = []
        self._places = asyncio.Semaphore(CONNECTIONS)

    async def run(self, statement: str, parameters: Sequence[Any]) -> Row:
        """The first row; once again over a new connection where the old one was cut. Raises ApiError TIMED_OUT."""
        async with self._places:
            connection = self._free.get_nowait() if not self._free.empty() else await self._connected()
            try:
                row: Row = await connection.fetchrow(statement, *parameters)
            except self._driver.QueryCanceledError:
                raise timed_out(self._timeout_s) from None
            except (self._driver.InterfaceError, self._driver.PostgresConnectionError, OSError):
                self._drop(connection)
                connection = await self._connected()
                row = await connection.fetchrow(statement, *parameters)
            finally:
                if not connection.is_closed():
                    self._free.put_nowait(connection)
            return row

    @property
    def _driver(self) -> Any:
        try:
            import asyncpg
        except ImportError:
            raise UnusableError(
                "PostgreSQL needs an extra that is not installed: pip install customer-hub[postgres]"
            ) from None
        return asyncpg

    async def _connected(self) -> Any:
        settings = {
            "application_name": "customer hub",
            "default_transaction_read_only": "on",
            "statement_timeout": f"{self._timeout_s * 1000:.0f}",
            "jit": "off",  # compiling costs more than our statements take
            "DateStyle": "ISO",
            "TimeZone": "UTC",
        }
        connection = await self._driver.connect(
            self._url, statement_cache_size=100, max_cacheable_statement_size=0, server_settings=settings
        )
        self._opened.append(connection)
        return connection

    def _drop(self, connection: Any) -> None:
        connection.terminate()
        self._opened.remove(connection)

    async def close(self) -> None:
        """Closes the connections."""
        for connection in self._opened:
            await connection.close()
        self._opened.clear()
