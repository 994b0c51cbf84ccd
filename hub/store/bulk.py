"""Many at once, each database in its own fastest way. In: rows or values. Out: rows in a table, conditions on lists."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, String, Table, any_, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY

from hub.store.errors import copy_failed
from hub.store.plain import run_each

Row = Sequence[Any]


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Adds rows, values in the order of `columns`: COPY on PostgreSQL, one prepared statement on SQLite.

    Raises StoreError where PostgreSQL refuses the rows.
    """
    rows = rows if isinstance(rows, list) else list(rows)
    if not rows:
        return
    quote = connection.dialect.identifier_preparer.quote
    into = f"{quote(table.name)} ({', '.join(map(quote, columns))})"
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        run_each(connection, f"INSERT INTO {into} VALUES ({marks})", rows)  # noqa: S608
        return
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.Error as error:
        raise copy_failed(error, table.name) from None  # the driver's own text quotes the row


def update_rows(connection: Connection, table: Table, key: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Sets `columns` of the rows that `key` names; a row is its key and then the values, in the order of `columns`."""
    if not rows:
        return
    quote = connection.dialect.identifier_preparer.quote
    name, names = quote(table.name), [quote(column) for column in columns]
    if connection.dialect.name == "sqlite":
        sets = ", ".join(f"{column} = ?" for column in names)
        values = [(*row[1:], row[0]) for row in rows]
        run_each(connection, f"UPDATE {name} SET {sets} WHERE {quote(key)} = ?", values)  # noqa: S608
        return
    sets = ", ".join(f"{column} = new.{column}" for column in names)
    lists = ", ".join(f"%s::{_array(connection, table.c[column])}" for column in (key, *columns))
    new = f"unnest({lists}) AS new({', '.join((quote(key), *names))})"
    statement = f"UPDATE {name} SET {sets} FROM {new} WHERE {name}.{quote(key)} = new.{quote(key)}"  # noqa: S608
    connection.exec_driver_sql(statement, tuple(list(column) for column in zip(*rows, strict=True)))


def _array(connection: Connection, column: Column[Any]) -> str:
    return column.type.compile(connection.dialect).split(" COLLATE")[0] + "[]"


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Adds the rows whose key is not there yet and leaves the others as they are."""
    if rows:
        make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(make(table).on_conflict_do_nothing(), rows)


def insert_listed(
    connection: Connection, table: Table, same: Mapping[str, str], column: str, values: Collection[str]
) -> None:
    """Adds a row for each value of `column`, `same` in all of them, where there is none with its key yet."""
    if not values:
        return
    if connection.dialect.name == "sqlite":
        listed = func.json_each(json.dumps(list(values))).table_valued("value").c.value
    else:
        listed = func.unnest(literal(list(values), ARRAY(table.c[column].type))).column_valued("value")
    found = select(*(literal(value, String) for value in same.values()), listed).where(listed.is_not(None))
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(make(table).from_select((*same, column), found).on_conflict_do_nothing())


def among(
    connection: Connection, column: Column[Any], values: Collection[int] | Collection[str]
) -> ColumnElement[bool]:
    """The condition that a column is one of many values, as one bound value, however many they are."""
    if connection.dialect.name == "sqlite":
        listed = func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(literal(list(values), ARRAY(column.type)))
