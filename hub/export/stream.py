"""Streaming export of a BI view: rows in, CSV or NDJSON text out, the same bytes from either database.

Memory does not grow with the rows. Text that a spreadsheet would run as a formula is defused.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import text

from hub.export.column import As, View, select_export
from hub.export.views import VIEWS
from hub.store.engine import Store

ROWS_A_FETCH = 2_000
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")

Rows = Iterable[Sequence[Sequence[Any]]]


class UnknownExport(Exception):
    """The view or format is none; the message lists those that are."""


def export(store: Store, view: str, format_: str) -> Iterator[str]:
    """The view's rows as text, chunk by chunk, the oldest first. Raises UnknownExport before the first chunk."""
    if view not in VIEWS:
        raise UnknownExport(f"no view {view!r}; choose one of {', '.join(VIEWS)}")
    if format_ not in FORMATS:
        raise UnknownExport(f"no format {format_!r}; choose one of {', '.join(FORMATS)}")
    return FORMATS[format_](VIEWS[view], _rows(store, VIEWS[view]))


def _rows(store: Store, view: View) -> Iterator[Sequence[Sequence[Any]]]:
    statement = text(select_export(view, store.dialect))
    with store.read() as connection:
        result = connection.execution_options(stream_results=True, max_row_buffer=ROWS_A_FETCH).execute(statement)
        yield from result.partitions(ROWS_A_FETCH)


def _csv(view: View, chunks: Rows) -> Iterator[str]:
    lines = _Lines()
    writer = csv.writer(lines)
    writer.writerow(view.columns)
    texts = [place for place, column in enumerate(view.columns.values()) if column.as_ is As.PLAIN]
    for rows in chunks:
        for row in rows:
            cells = list(row)
            for place in texts:
                cells[place] = _defused(cells[place])
            writer.writerow(cells)
        yield lines.taken()
    yield lines.taken()


class _Lines:
    """Takes the writer's lines, which end in CRLF so that it quotes a cell with either, and ends them in LF."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        self._lines.append(line[:-2])

    def taken(self) -> str:
        """The lines since the last call."""
        lines, self._lines = self._lines, []
        return "".join(f"{line}\n" for line in lines)


def _defused(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def _ndjson(view: View, chunks: Rows) -> Iterator[str]:
    names, encode = list(view.columns), msgspec.json.Encoder().encode_lines
    flags = [name for name, column in view.columns.items() if column.as_ is As.FLAG]
    for rows in chunks:
        named = [dict(zip(names, row, strict=True)) for row in rows]
        for row in named:
            row |= {name: row[name] == "true" for name in flags if row[name] is not None}
        yield encode(named).decode()


FORMATS: dict[str, Callable[[View, Rows], Iterator[str]]] = {"csv": _csv, "ndjson": _ndjson}
