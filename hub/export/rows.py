"""The rows of a statement as the database hands them over. In: SQL without parameters. Out: lines of CSV, or cells.

PostgreSQL writes the CSV itself, by COPY; SQLite gives each line as one text. Memory does not grow with the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

from sqlalchemy import Connection

ROWS_A_FETCH = 2_000
BYTES_A_CHUNK = 1 << 16


def csv_lines(connection: Connection, statement: str) -> Iterator[bytes]:
    """The rows of a statement in a form of CSV, in chunks of whole lines, each ended by a line feed."""
    if connection.dialect.name == "postgresql":
        yield from _chunks(_copied(connection, statement))
        return
    for rows in cells(connection, statement):
        yield "".join([f"{line}\n" for (line,) in rows]).encode()


def cells(connection: Connection, statement: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a statement as tuples, in lists of at most ROWS_A_FETCH."""
    raw: Any = connection.connection.driver_connection
    named = {"name": "reading"} if connection.dialect.name == "postgresql" else {}
    with closing(raw.cursor(**named)) as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(ROWS_A_FETCH):
            yield rows


def every_cell(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    """All rows of a statement that gives few."""
    return [row for rows in cells(connection, statement) for row in rows]


def _copied(connection: Connection, statement: str) -> Iterator[bytes]:
    raw: Any = connection.connection.driver_connection
    with closing(raw.cursor()) as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)") as copy:
        yield from copy


def _chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The driver gives a line at a time; whoever writes them wants fewer and larger pieces."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= BYTES_A_CHUNK:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)
