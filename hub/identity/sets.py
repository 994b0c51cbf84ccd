"""Many rows at once, where hub/store/bulk.py has no word for it. In: a table and tuples. Out: rows added or gone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from hub.store.bulk import among, insert_rows


def delete_rows(connection: Connection, table: Table, names: Sequence[str], rows: Collection[tuple[Any, ...]]) -> None:
    """Deletes the rows whose named columns hold these values."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        met = " AND ".join(f"{name} = ?" for name in names)
        connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE {met}", list(rows))  # noqa: S608
        return
    types = [table.c[name].type.compile(connection.dialect).split(" COLLATE")[0] for name in names]
    values = f"unnest({', '.join(f'%s::{type_}[]' for type_ in types)}) AS v({', '.join(names)})"
    met = " AND ".join(f"t.{name} = v.{name}" for name in names)
    statement = f"DELETE FROM {table.name} t USING {values} WHERE {met}"  # noqa: S608
    connection.exec_driver_sql(statement, tuple(list(column) for column in zip(*rows, strict=True)))


def add_numbers(connection: Connection, table: Table, key: str, numbers: Collection[int], flag: str) -> None:
    """Makes sure that there is a row for each number; the new ones with `flag` false."""
    there = set(connection.scalars(select(table.c[key]).where(among(connection, table.c[key], numbers))))
    insert_rows(connection, table, (key, flag), [(number, False) for number in sorted(set(numbers) - there)])
