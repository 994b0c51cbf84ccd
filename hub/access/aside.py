"""Small notes while others write. In: a store. Out: a connection in a short transaction of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from hub.store.engine import Store
from hub.store.errors import in_one_line


@contextmanager
def aside(store: Store) -> Iterator[Connection]:
    """A transaction that does not wait for the writer on PostgreSQL, where rows of these tables are nobody else's.

    SQLite has one writer at a time, whoever it is. Raises StoreError.
    """
    with in_one_line(store.place), store.engine.begin() as connection:
        yield connection
