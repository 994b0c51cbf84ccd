"""Plain SQL with lists. In: a statement that both databases know, and its values. Out: rows found, or how many changed.

In a statement LISTED stands for a list of values, as a table a(value). SQLAlchemy's own way of saying so, and its way
to the driver, cost more than such a statement takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection

from hub.store.errors import explain

_LISTED = {
    "sqlite": "(SELECT value FROM json_each(?)) a",
    "postgresql": "unnest(?::{type}[]) AS a(value)",
}


def rows(connection: Connection, statement: str, *values: Any, kind: str = "BIGINT") -> list[tuple[Any, ...]]:
    """What the statement finds, as plain tuples. Of `values`, one a question mark or LISTED, lists go where LISTED
    stands; `kind` is the SQL type of their items. Raises StoreError where the server is lost.
    """
    found: list[tuple[Any, ...]] = _executed(connection, statement, values, kind).fetchall()
    return found


def run(connection: Connection, statement: str, *values: Any) -> int:
    """Executes a statement that changes rows; returns how many. `values` as in rows(). Raises StoreError where the disk
    is full or the server lost.
    """
    return int(_executed(connection, statement, values, "BIGINT").rowcount)


def run_each(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Executes a statement once for each row of values, on SQLite. Raises StoreError where the disk is full."""
    driver: Any = connection.connection.driver_connection
    try:
        driver.executemany(statement, rows)
    except connection.dialect.loaded_dbapi.Error as error:
        raise explain(error, connection.engine.url.render_as_string()) or error from None


def _executed(connection: Connection, statement: str, values: tuple[Any, ...], kind: str) -> Any:
    driver: Any = connection.connection.driver_connection
    dialect = connection.dialect.name
    if dialect == "sqlite":
        values = tuple([msgspec.json.encode(v).decode() if isinstance(v, list) else v for v in values])
    try:
        return driver.execute(_statement(statement, dialect, kind), values)
    except connection.dialect.loaded_dbapi.Error as error:
        raise explain(error, connection.engine.url.render_as_string()) or error from None


@cache
def _statement(statement: str, dialect: str, kind: str) -> str:
    said = statement.replace("LISTED", _LISTED[dialect].format(type=kind))
    return said if dialect == "sqlite" else said.replace("?", "%s")
