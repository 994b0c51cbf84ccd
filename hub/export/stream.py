"""Streaming export of a BI view: rows in, CSV or NDJSON text out, the same bytes from either database.

Memory does not grow with the rows. Text that a spreadsheet would run as a formula is defused.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from hub.export.views import VIEWS, As
from hub.store.engine import Store

ROWS_A_FETCH = 2_000
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class UnknownExport(Exception):
    """The view or format is none; the message lists those that are."""


def export(store: Store, view: str, format_: str) -> Iterator[str]:
    """The view's rows as text, chunk by chunk, ordered by its key. Raises UnknownExport before the first chunk."""
    if view not in VIEWS:
        raise UnknownExport(f"no view {view!r}; choose one of {', '.join(VIEWS)}")
    if format_ not in FORMATS:
        raise UnknownExport(f"no format {format_!r}; choose one of {', '.join(FORMATS)}")
    return FORMATS[format_](list(VIEWS[view].columns), _rows(store, view), _texts(view))


def _rows(store: Store, view: str) -> Iterator[Sequence[Sequence[Any]]]:
    collation = ' COLLATE "C"' if store.dialect == "postgresql" else ""
    statement = text(f'SELECT * FROM {view} ORDER BY "{VIEWS[view].key}"{collation}')  # noqa: S608  (a name in VIEWS)
    with store.read() as connection:
        result = connection.execution_options(stream_results=True, max_row_buffer=ROWS_A_FETCH).execute(statement)
        for chunk in result.partitions(ROWS_A_FETCH):
            yield [[_plain(value) for value in row] for row in chunk]


def _texts(view: str) -> list[bool]:
    return [column.as_ is As.PLAIN for column in VIEWS[view].columns.values()]


def _plain(value: Any) -> Any:
    """What PostgreSQL types and SQLite writes as text, as the same text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value) if isinstance(value, Decimal) else value


def _csv(names: list[str], chunks: Iterable[Sequence[Sequence[Any]]], texts: list[bool]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    for rows in chunks:
        writer.writerows([_cell(value, is_text) for value, is_text in zip(row, texts, strict=True)] for row in rows)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _cell(value: Any, is_text: bool) -> Any:
    if isinstance(value, bool):
        return int(value)  # SQLite has no booleans: one spelling for both
    return f"'{value}" if is_text and isinstance(value, str) and value.startswith(FORMULA) else value


def _ndjson(names: list[str], chunks: Iterable[Sequence[Sequence[Any]]], texts: list[bool]) -> Iterator[str]:
    del texts  # nothing runs a formula in JSON
    for rows in chunks:
        yield "".join(
            json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, separators=(",", ":")) + "\n"
            for row in rows
        )


Format = Callable[[list[str], Iterable[Sequence[Sequence[Any]]], list[bool]], Iterator[str]]
FORMATS: dict[str, Format] = {"csv": _csv, "ndjson": _ndjson}
