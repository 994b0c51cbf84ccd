"""The store's door. In: a database URL. Out: a Store, whose read() and write() give connections inside a transaction.

SQLite and PostgreSQL behave alike behind it: a reader sees one moment and cannot write, a writer has one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

from hub.store.errors import UnusableError, in_one_line
from hub.store.schema import SCHEMA, check_schema, migrate_schema, schema_version

Dialect = Literal["sqlite", "postgresql"]

SQLITE_NEEDED = (3, 39, 0)  # IS DISTINCT FROM; RETURNING came with 3.35, UPDATE … FROM with 3.33
WAIT_S = 30.0  # how long a writer waits for another

_WRITER_LOCK = 7_242_002  # any number, the same in every process that writes
_ONE_WRITER = (
    "SELECT set_config('lock_timeout', :wait, TRUE), set_config('synchronous_commit', :commit, TRUE),"
    " pg_advisory_xact_lock(:lock)"
)

_EVERY = (
    "PRAGMA foreign_keys = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA synchronous = NORMAL",
)
_WRITER = (
    *_EVERY,
    "PRAGMA journal_mode = WAL",
    "PRAGMA secure_delete = ON",  # an erased person's bytes are overwritten, not only unlinked
    "PRAGMA cache_size = -16384",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
)
_READER = (*_EVERY, "PRAGMA query_only = ON", "PRAGMA cache_size = -8192", "PRAGMA mmap_size = 1073741824")


class Store:
    """An open database. `read` and `write` may be called from any thread; each call has a connection of its own."""

    def __init__(self, url: URL, wait_s: float = WAIT_S) -> None:
        self.url: str = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=False)
        self.dialect: Dialect = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"
        self.place: str = _place(url)
        self._wait_s = wait_s
        if self.dialect == "sqlite":
            self.engine: Engine = _sqlite(url, wait_s, "BEGIN IMMEDIATE", _WRITER)
            self._reader: Engine = _sqlite(url, wait_s, "BEGIN", _READER)
        else:
            self.engine = _postgresql(url)
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def __repr__(self) -> str:
        return f"Store({self.place})"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees the store as it is at its first statement and cannot change it."""
        with in_one_line(self.place), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, repeatable: bool = False) -> Iterator[Connection]:
        """A connection in one transaction: committed at the end, rolled back on any exception. Raises StoreError.

        `repeatable`: what a failing machine loses of it (whole transactions, the last ones) is done again anyway, as a
        page is pulled again behind the cursor that is there; PostgreSQL then does not wait for the disk.
        """
        with in_one_line(self.place), self.engine.begin() as connection:
            if self.dialect == "postgresql":  # one writer at a time, as on SQLite: steps work off the same queues
                asked = {"wait": f"{self._wait_s}s", "commit": "off" if repeatable else "on", "lock": _WRITER_LOCK}
                connection.execute(text(_ONE_WRITER), asked)
            yield connection

    def truncate_log(self) -> bool:
        """Leaves nothing of deleted rows in SQLite's write-ahead log, False where a reader still needs it.

        PostgreSQL's log is the server's own matter.
        """
        if self.dialect == "postgresql":
            return True
        raw = self.engine.raw_connection()
        try:
            busy, *_ = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            raw.close()
        return not busy

    def close(self) -> None:
        """Closes the pooled connections; on SQLite the last one to close also folds the WAL into the file."""
        self._reader.dispose()
        self.engine.dispose()


def open_store(url: str, migrate: bool | None = None, wait_s: float = WAIT_S) -> Store:
    """The store at `url`, its schema checked: SQLite's is brought up to date by itself, PostgreSQL's where asked.

    `migrate` True does it on both, False on neither. Raises StoreError with the remedy: unknown URL, missing driver,
    no server, schema older or newer than the code.
    """
    store = Store(_parsed(url), wait_s)
    try:
        if migrate or (migrate is None and store.dialect == "sqlite"):
            with store.read() as connection:  # a command that only reads does not wait for a writer
                fits = schema_version(connection) == SCHEMA
            if not fits:
                with store.write() as connection:
                    migrate_schema(connection, store.place)
        else:
            with store.read() as connection:
                check_schema(connection, store.place)
    except BaseException:
        store.close()
        raise
    return store


def _parsed(said: str) -> URL:
    """The URL with the driver that we ship for its database."""
    try:
        url = make_url(said)
    except ArgumentError:
        raise UnusableError(
            "HUB_DATABASE_URL: is no URL; use sqlite:///hub.db or postgresql://user@host/name"
        ) from None
    match url.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return _checked_file(url)
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return url.set(drivername="postgresql+psycopg")
    raise UnusableError(f"HUB_DATABASE_URL: {url.drivername!r} is not supported; use sqlite:///… or postgresql://…")


def _checked_file(url: URL) -> URL:
    if sqlite3.sqlite_version_info < SQLITE_NEEDED:
        needed = ".".join(map(str, SQLITE_NEEDED))
        raise UnusableError(
            f"SQLite {sqlite3.sqlite_version} is too old; install a Python with SQLite {needed} or later"
        )
    if not url.database or url.database == ":memory:":
        raise UnusableError("HUB_DATABASE_URL: a database in memory is not kept; name a file, as sqlite:///hub.db")
    folder = Path(url.database).parent
    if not folder.is_dir():
        raise UnusableError(f"{_place(url)}: there is no folder {folder}; create it or name another file")
    return url


def _place(url: URL) -> str:
    """How messages name the database: never with a password, which may also stand in the query part."""
    backend = url.get_backend_name()
    return URL.create(backend, url.username, None, url.host, url.port, url.database).render_as_string()


def _sqlite(url: URL, wait_s: float, begin: str, pragmas: tuple[str, ...]) -> Engine:
    engine = create_engine(url, connect_args={"timeout": wait_s}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver would begin later and otherwise than we say
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql(url: URL) -> Engine:
    try:
        engine = create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=8, hide_parameters=True)
    except ImportError:
        raise UnusableError(
            "PostgreSQL needs an extra that is not installed: pip install customer-hub[postgres]"
        ) from None

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.execute("SET jit = off")  # compiling a statement costs more than our short ones take
        connection.commit()

    return engine
