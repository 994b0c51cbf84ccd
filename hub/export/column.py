"""What a column of a BI view is, and the SQL that shows it. In: a View. Out: its SELECT for either database.

The SELECT of a view has the database's own types; that of an export is text, the same bytes from both databases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mappings.currencies import DECIMALS

PLACES_OF_A_THOUSANDTH = 3
PLACES_OF_A_RATIO = 6
USUAL_DECIMALS = 2
ISO_SQLITE = "'%Y-%m-%dT%H\\:%M\\:%SZ'"
ISO_POSTGRESQL = """'YYYY-MM-DD"T"HH24\\:MI\\:SS"Z"'"""


class As(StrEnum):
    """How a column's expression is shown."""

    PLAIN = "plain"
    FLAG = "flag"
    INSTANT = "instant"  # from microseconds
    RATIO = "ratio"  # from millionths, a decimal with six digits
    MONEY = "money"  # from thousandths of the minor unit, an exact decimal; needs `currency`


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its meaning, the expression it reads, and how that is shown."""

    about: str
    sql: str
    as_: As = As.PLAIN
    currency: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A view: what a row is, its columns in order, where they come from, and the number that orders an export."""

    about: str
    columns: Mapping[str, Column]
    source: str
    order: str


def select_view(view: View, dialect: str) -> str:
    """The view's SELECT with the types of the database, for `text()`."""
    return _select(view, dialect, exported=False)


def select_export(view: View, dialect: str) -> str:
    """The view's SELECT in the order of its rows' numbers, instants, decimals and flags as text; for `text()`."""
    return f"{_select(view, dialect, exported=True)} ORDER BY {view.order}"


def _select(view: View, dialect: str, exported: bool) -> str:
    show = _sqlite if dialect == "sqlite" else _postgresql
    columns = ", ".join(f'{show(column, exported)} AS "{name}"' for name, column in view.columns.items())
    return f"SELECT {columns} FROM {view.source}"  # noqa: S608  (our own text, no input)


def _sqlite(column: Column, exported: bool) -> str:
    match column.as_:
        case As.INSTANT:
            return f"strftime({ISO_SQLITE}, {column.sql} / 1000000, 'unixepoch')"
        case As.RATIO:
            return _decimal_text(column.sql, PLACES_OF_A_RATIO)
        case As.MONEY:
            return _by_currency(column, _decimal_text)
        case As.FLAG if exported:
            return f"CASE {column.sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
    return column.sql


def _postgresql(column: Column, exported: bool) -> str:
    typed = column.sql
    match column.as_:
        case As.PLAIN:
            return typed
        case As.INSTANT:
            typed = f"to_timestamp({column.sql} / 1000000)"
            return f"to_char({typed} AT TIME ZONE 'UTC', {ISO_POSTGRESQL})" if exported else typed
        case As.RATIO:
            typed = _numeric(column.sql, PLACES_OF_A_RATIO)
        case As.MONEY:
            typed = _by_currency(column, _numeric)
    return f"CAST({typed} AS TEXT)" if exported else typed


def _by_currency(column: Column, decimal: Callable[[str, int], str]) -> str:
    cases = " ".join(
        f"WHEN '{code}' THEN {decimal(column.sql, decimals + PLACES_OF_A_THOUSANDTH)}"
        for code, decimals in sorted(DECIMALS.items())
        if decimals != USUAL_DECIMALS
    )
    usual = decimal(column.sql, USUAL_DECIMALS + PLACES_OF_A_THOUSANDTH)
    return f"CASE {column.currency} {cases} ELSE {usual} END"


def _numeric(sql: str, places: int) -> str:
    """Multiplied, since PostgreSQL's division of large numbers keeps fewer places than we need."""
    return f"CAST({sql} AS NUMERIC) * 0.{'1'.zfill(places)}"


def _decimal_text(sql: str, places: int) -> str:
    parts = f"CASE WHEN {sql} < 0 THEN '-' ELSE '' END, ABS({sql}) / {10**places}, ABS({sql}) % {10**places}"
    return f"CASE WHEN {sql} IS NOT NULL THEN printf('%s%d.%0{places}d', {parts}) END"
