"""Many rows at once, where hub/store/bulk.py has no word for it. In: a table and tuples. Out: rows added or gone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table

from hub.store.plain import run, run_each


@cache
def _types(table: Table, names: tuple[str, ...], dialect: Any) -> list[str]:
    return [table.c[name].type.compile(dialect).split(" COLLATE")[0] for name in names]


def delete_rows(connection: Connection, table: Table, names: Sequence[str], rows: Collection[tuple[Any, ...]]) -> None:
    """Deletes the rows whose named columns hold these values."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        met = " AND ".join(f"{name} = ?" for name in names)
        run_each(connection, f"DELETE FROM {table.name} WHERE {met}", list(rows))  # noqa: S608
        return
    met = " AND ".join(f"t.{name} = v.{name}" for name in names)
    statement = f"DELETE FROM {table.name} t USING {_unnested(connection, table, names)} WHERE {met}"  # noqa: S608
    connection.exec_driver_sql(statement, _columns(rows))


def put_rows(
    connection: Connection, table: Table, key: str, names: Sequence[str], rows: Collection[tuple[Any, ...]]
) -> None:
    """Adds rows, the key first; of one whose key is there the other columns are set, where they differ."""
    if not rows:
        return
    into = f"INSERT INTO {table.name} ({', '.join(names)})"
    others = [name for name in names if name != key]
    sets = ", ".join(f"{name} = excluded.{name}" for name in others)
    differ = " OR ".join(f"{table.name}.{name} <> excluded.{name}" for name in others)
    held = f"ON CONFLICT ({key}) DO UPDATE SET {sets} WHERE {differ}"
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        run_each(connection, f"{into} VALUES ({marks}) {held}", list(rows))
        return
    unnested = _unnested(connection, table, names)
    connection.exec_driver_sql(f"{into} SELECT {', '.join(names)} FROM {unnested} {held}", _columns(rows))  # noqa: S608


def add_numbers(connection: Connection, table: Table, key: str, numbers: Collection[int], flag: str) -> None:
    """Makes sure that there is a row for each number; the new ones with `flag` false."""
    if numbers:
        statement = (
            f"INSERT INTO {table.name} ({key}, {flag}) SELECT a.value, FALSE FROM LISTED"  # noqa: S608
            f" WHERE a.value IS NOT NULL ON CONFLICT ({key}) DO NOTHING"
        )
        run(connection, statement, sorted(numbers))


def _unnested(connection: Connection, table: Table, names: Sequence[str]) -> str:
    types = _types(table, tuple(names), connection.dialect)
    return f"unnest({', '.join(f'%s::{type_}[]' for type_ in types)}) AS v({', '.join(names)})"


def _columns(rows: Collection[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))
