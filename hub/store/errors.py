"""What can be wrong with the store, as one tree. Every message is one line that names the place and the remedy.

StoreError
├── UnusableError  the URL, the driver, the folder or the server: nothing was opened
├── SchemaError    the schema is older or newer than this code
├── DiskFullError  the transaction was rolled back for want of space
└── LockedError    another writer held the database for too long; the transaction was not begun
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError


class StoreError(Exception):
    """The store cannot do what was asked; the message says where and what helps."""


class UnusableError(StoreError):
    """Nothing was opened."""


class SchemaError(StoreError):
    """The schema is not this code's."""


class DiskFullError(StoreError):
    """No space left; nothing of the transaction was kept."""


class LockedError(StoreError):
    """Another writer is at work."""


_FULL = ("53100",)  # PostgreSQL: disk_full
_LOCKED = ("55P03", "40P01")  # lock_not_available, deadlock_detected
_GONE = ("57P01", "57P02", "57P03", "08000", "08003", "08006")


@contextmanager
def in_one_line(place: str) -> Iterator[None]:
    """Turns what a driver raises about space, locks and lost servers into a StoreError about `place`; others pass."""
    try:
        yield
    except DBAPIError as error:
        lost = error.connection_invalidated
        if isinstance(error.orig, Exception) and (known := explain(error.orig, place, lost)) is not None:
            raise known from error
        raise


def copy_failed(error: Exception, table: str) -> StoreError:
    """What to raise for a COPY that failed: the driver's reason without the row that it quotes."""
    reason = getattr(getattr(error, "diag", None), "message_primary", None) or type(error).__name__
    return explain(error, f"table {table}") or StoreError(f"table {table}: rows were refused: {reason}")


def explain(error: Exception, place: str, lost: bool = False) -> StoreError | None:
    """The StoreError that a driver's error means, or None where it is none of the store's own."""
    text = next(iter(str(error).splitlines()), type(error).__name__)
    state = getattr(error, "sqlstate", None)
    if state in _FULL or "database or disk is full" in text:
        return DiskFullError(f"{place}: the disk is full; nothing of this step was kept; free some space and run again")
    if state in _LOCKED or "database is locked" in text or "database table is locked" in text:
        return LockedError(f"{place}: another process is writing; wait until it has finished and run again")
    if "unable to open database file" in text or "readonly database" in text:
        return UnusableError(f"{place}: cannot be written; check that the folder exists and that you may write there")
    if "file is not a database" in text or "malformed" in text:
        return UnusableError(f"{place}: is no SQLite database or is damaged; restore a backup or name another file")
    if lost or state in _GONE or _no_server(error):
        return UnusableError(f"{place}: no connection ({text}); check HUB_DATABASE_URL and that the server runs")
    return None


def _no_server(error: Exception) -> bool:
    """psycopg gives a failure to connect no state of its own."""
    names = ("OperationalError", "ConnectionTimeout")
    return type(error).__name__ in names and getattr(error, "sqlstate", "") is None
