"""The SQL of a reading. In: a view, its chosen columns, whose rows. Out: statements whose rows are what is written.

Every value in them is a number of ours or a word of ours; nothing that a reader sends becomes part of a statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from hub.export.column import As, Column, View, as_text, defused

CHANGE = Column("REPLACE: forget the rows you have under this customer_id. ROW: a row as it is now.", "", As.WORD)
MARKER, ROW = "REPLACE", "ROW"


class Form(Enum):
    """What the rows of a statement are to become."""

    CELLS = "cells"  # a column each
    CSV = "csv"  # harmless to spreadsheets
    EXACT = "exact"  # CSV for programs: the texts as they are


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a view, as SQL without order: chosen columns as text, then the numbers that order them."""

    columns: Mapping[str, Column]
    sql: str
    order: str


def every_row(view: View, columns: Mapping[str, Column], dialect: str, where: Sequence[str]) -> Part:
    """The view's rows, in the order of their numbers."""
    sql = f"SELECT {_cells(columns, dialect)}{view.order} AS row_no FROM {view.source}{_where(where)}"  # noqa: S608
    return Part(columns, sql, "row_no")


def rows_of(
    view: View, columns: Mapping[str, Column], dialect: str, customers: Sequence[int], where: Sequence[str]
) -> Part:
    """A marker for each of the customers, and behind it the rows that are shown under its id now."""
    among = f"({', '.join(map(str, map(int, customers)))})"
    theirs = [f"{view.found_by} IN {among}", f"{view.owner} IN {among}", *where]
    numbers = f"{view.owner} AS owner_no, 1 AS marked, {view.order} AS row_no"
    rows = f"SELECT '{ROW}' AS change, {_cells(columns, dialect)}{numbers}"
    marker = f"SELECT {_marker(columns, 'm.public_id')}m.customer_no AS owner_no, 0 AS marked, 0 AS row_no"
    sql = (
        f"{rows} FROM {view.source}{_where(theirs)}"
        f" UNION ALL {marker} FROM customer_ledger m WHERE m.customer_no IN {among}"
    )
    return Part({"change": CHANGE, **columns}, sql, "owner_no, marked, row_no")


def nobodys_marker(columns: Mapping[str, Column]) -> Part:
    """The marker of the rows that have no customer."""
    return Part({"change": CHANGE, **columns}, f"SELECT {_marker(columns, 'NULL')}0 AS row_no", "row_no")


def nobodys_rows(view: View, columns: Mapping[str, Column], dialect: str) -> Part:
    """The rows that have no customer, in the order of their numbers."""
    whole = every_row(view, columns, dialect, ["c.customer_no IS NULL"])
    return Part({"change": CHANGE, **columns}, whole.sql.replace("SELECT ", f"SELECT '{ROW}' AS change, ", 1), "row_no")


def written(part: Part, form: Form, dialect: str) -> str:
    """The statement that gives the rows in this form, in order. SQLite gives a line of CSV as one text."""
    if form is Form.CELLS:
        shown = ", ".join(f'"{name}"' for name in part.columns)
    else:
        guarded = {
            name: defused(f'"{name}"') if form is Form.CSV and column.as_ is As.TEXT else f'"{name}"'
            for name, column in part.columns.items()
        }
        shown = (
            _line(part.columns, guarded)
            if dialect == "sqlite"
            else ", ".join(f'{cell} AS "{name}"' for name, cell in guarded.items())
        )
    return f"SELECT {shown} FROM ({part.sql}) AS part ORDER BY {part.order}"  # noqa: S608


def _cells(columns: Mapping[str, Column], dialect: str) -> str:
    return "".join(f'{as_text(column, dialect)} AS "{name}", ' for name, column in columns.items())


def _marker(columns: Mapping[str, Column], customer_id: str) -> str:
    shown = {name: customer_id if name == "customer_id" else "NULL" for name in columns}
    return f"'{MARKER}' AS change, " + "".join(f'{sql} AS "{name}", ' for name, sql in shown.items())


def _line(columns: Mapping[str, Column], cells: Mapping[str, str]) -> str:
    return " || ',' || ".join(
        _quoted(cells[name]) if column.as_ is As.TEXT else f"COALESCE({cells[name]}, '')"
        for name, column in columns.items()
    )


def _quoted(cell: str) -> str:
    """As COPY quotes: what holds a comma, a quote or a line's end, and what is empty; null stands for nothing."""
    special = f"{cell} = '' OR {cell} GLOB '*[,\"\r\n]*'"
    quoted = f"""'"' || replace({cell}, '"', '""') || '"'"""
    return f"CASE WHEN {cell} IS NULL THEN '' WHEN {special} THEN {quoted} ELSE {cell} END"


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
