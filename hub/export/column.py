"""What a column of a BI view is, and the SQL that shows it. In: a View. Out: SQL text for either database.

A view in the database has the database's own types; an export is text, the same bytes from both databases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mappings.converting.currencies import DECIMALS

PLACES_OF_A_THOUSANDTH = 3
PLACES_OF_A_RATIO = 6
PLACES_OF_ANY_MONEY = max(DECIMALS.values()) + PLACES_OF_A_THOUSANDTH
USUAL_DECIMALS = 2
ISO_SQLITE = "'%Y-%m-%dT%H:%M:%SZ'"
ISO_POSTGRESQL = """'YYYY-MM-DD"T"HH24:MI:SS"Z"'"""
# What Python calls white space, since PostgreSQL's idea of it depends on the server's locale.
BLANK = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
)
BLANK += "\u2028\u2029\u202f\u205f\u3000"
BEGINS_A_FORMULA = "=+-@＝＋－＠"
BREAKS_A_CELL = "\t\r\n"


class As(StrEnum):
    """How a column's expression is shown."""

    TEXT = "text"  # as a source or a rule says it
    WORD = "word"  # an id, or of a closed list: harmless in every format
    WHOLE = "whole"
    FLAG = "flag"
    INSTANT = "instant"  # from microseconds, to the second
    RATIO = "ratio"  # from millionths, a decimal with six digits
    MONEY = "money"  # from thousandths of the minor unit, an exact decimal; needs `currency`


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its meaning, the expression it reads, and how that is shown."""

    about: str
    sql: str
    as_: As = As.TEXT
    currency: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A view: what a row is, its columns in order (the first is the row's lasting id), and where they come from.

    `order` is the number of a row, `found_by` the indexed customer_no by which a customer's rows are found, `owner` the
    one under whose id they are shown; `nobodys` says that rows may have no customer. The ledger is `c` in every source.
    """

    about: str
    columns: Mapping[str, Column]
    source: str
    order: str
    found_by: str
    owner: str = "c.customer_no"
    nobodys: bool = False


def select_view(view: View, dialect: str) -> str:
    """The view's SELECT with the types of the database, for `text()`."""
    show = _sqlite if dialect == "sqlite" else _typed
    columns = ", ".join(f'{show(column)} AS "{name}"' for name, column in view.columns.items())
    return f"SELECT {columns} FROM {view.source}".replace(":", "\\:")  # noqa: S608  (our own text, no input)


def as_text(column: Column, dialect: str) -> str:
    """The column as an export shows it: instants, decimals and flags as text, whole numbers as they are."""
    if dialect == "sqlite":
        flag = f"CASE {column.sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
        return flag if column.as_ is As.FLAG else _sqlite(column)
    match column.as_:
        case As.TEXT | As.WORD | As.WHOLE:
            return column.sql
        case As.INSTANT:
            return f"to_char({_typed(column)} AT TIME ZONE 'UTC', {ISO_POSTGRESQL})"
    return f"CAST({_typed(column)} AS TEXT)"


def defused(cell: str) -> str:
    """The text with a ' before it where a spreadsheet would run it as a formula, as SQL of both databases.

    Most texts begin with a letter of ASCII: they are through after two comparisons.
    """
    begins = ", ".join(f"'{sign}'" for sign in BEGINS_A_FORMULA)
    breaks = ", ".join(f"'{sign}'" for sign in BREAKS_A_CELL)
    harmful = f"substr(ltrim({cell}, '{BLANK}'), 1, 1) IN ({begins}) OR substr({cell}, 1, 1) IN ({breaks})"
    return f"CASE WHEN ({cell} < 'A' OR {cell} > '~') AND ({harmful}) THEN '''' || {cell} ELSE {cell} END"


def _sqlite(column: Column) -> str:
    match column.as_:
        case As.INSTANT:
            return f"strftime({ISO_SQLITE}, {column.sql} / 1000000, 'unixepoch')"
        case As.RATIO:
            return _decimal_text(column.sql, PLACES_OF_A_RATIO)
        case As.MONEY:
            return _by_currency(column, _decimal_text)
    return column.sql


def _typed(column: Column) -> str:
    match column.as_:
        case As.INSTANT:
            return f"to_timestamp({column.sql} / 1000000)"
        case As.RATIO:
            return _numeric(column.sql, PLACES_OF_A_RATIO)
        case As.MONEY:
            return _by_currency(column, _numeric)
    return column.sql


def _by_currency(column: Column, decimal: Callable[[str, int], str]) -> str:
    others: defaultdict[int, list[str]] = defaultdict(list)
    for code, decimals in DECIMALS.items():
        if decimals != USUAL_DECIMALS:
            others[decimals].append(f"'{code}'")
    cases = " ".join(
        f"WHEN {column.currency} IN ({', '.join(codes)}) THEN {decimal(column.sql, decimals + PLACES_OF_A_THOUSANDTH)}"
        for decimals, codes in others.items()
    )
    usual = decimal(column.sql, USUAL_DECIMALS + PLACES_OF_A_THOUSANDTH)
    return f"CASE {cases} ELSE {usual} END"


def _numeric(sql: str, places: int) -> str:
    """Multiplied, since PostgreSQL's division of large numbers keeps fewer places than we need."""
    return f"CAST({sql} AS NUMERIC) * 0.{'1'.zfill(places)}"


def _decimal_text(sql: str, places: int) -> str:
    parts = f"CASE WHEN {sql} < 0 THEN '-' ELSE '' END, ABS({sql}) / {10**places}, ABS({sql}) % {10**places}"
    return f"CASE WHEN {sql} IS NOT NULL THEN printf('%s%d.%0{places}d', {parts}) END"
