"""A time limit for statements. In: a connection inside a transaction. Out: an error where they take longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.api.errors import ApiError

STEPS = 20_000
"""Of SQLite's machine between two looks at the clock: some milliseconds."""
_CANCELLED = "57014"  # PostgreSQL: query_canceled


@contextmanager
def within(connection: Connection, seconds: float) -> Iterator[None]:
    """Ends this transaction's statements that take longer. Raises ApiError TIMED_OUT.

    On PostgreSQL each statement has these seconds, on SQLite all together. It sends nothing that SQLAlchemy counts.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        ends = monotonic() + seconds
        driver.set_progress_handler(lambda: monotonic() > ends, STEPS)
    else:
        driver.execute(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
    try:
        yield
    except DBAPIError as error:
        if _interrupted(error.orig):
            raise timed_out(seconds) from None
        raise
    finally:
        if connection.dialect.name == "sqlite":
            driver.set_progress_handler(None, 0)


def timed_out(seconds: float) -> ApiError:
    """The error of an operation that took longer."""
    return ApiError("TIMED_OUT", f"the operation took more than {seconds:g} s; ask for less: first, a filter")


def _interrupted(error: BaseException | None) -> bool:
    return getattr(error, "sqlstate", None) == _CANCELLED or str(error) == "interrupted"
