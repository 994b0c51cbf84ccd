"""Streaming export of a BI view. In: what a reader asks for. Out: bytes of a format, the same from either database.

Memory does not grow with the rows. In CSV, text that a spreadsheet would run as a formula is defused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec

import msgspec
from sqlalchemy import Connection

from hub.access.sight import EVERYTHING, Sight
from hub.export.column import As
from hub.export.reading import Asked, Reading, begin, checked
from hub.export.refusals import MissingExtra
from hub.export.refusals import UnknownExport as UnknownExport
from hub.export.rows import cells, csv_lines
from hub.export.statement import Form, written
from hub.store.engine import Store
from hub.store.errors import explain

Write = Callable[[Connection, Reading], Iterator[bytes]]


class Export:
    """An export under way: `reading` says what it is, iterating gives its bytes. It holds a connection until closed."""

    def __init__(self, store: Store, asked: Asked, format_: str, sight: Sight = EVERYTHING) -> None:
        """Raises UnknownExport (a wrong word), ForbiddenColumn, BadWatermark, MissingExtra, StoreError; then nothing is
        left open.
        """
        self.format = _format(format_)
        checked(asked, sight)
        self._place = store.place
        with ExitStack() as held:
            self._connection = held.enter_context(store.read())
            self.reading = begin(self._connection, asked, sight)
            self._held = held.pop_all()

    def __enter__(self) -> Export:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, piece by piece. Raises StoreError where the database goes away."""
        try:
            yield from self.format.write(self._connection, self.reading)
        except Exception as error:
            if (known := explain(error, self._place)) is not None:
                raise known from error
            raise

    def close(self) -> None:
        """Gives the connection back; a second time does nothing."""
        self._held.close()


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how a reading is written, its media type, whether compressing it is worth the time."""

    write: Write
    media_type: str
    is_text: bool


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise UnknownExport(f"no format {name!r}; choose one of {', '.join(FORMATS)}")
    if not FORMATS[name].is_text and find_spec("pyarrow") is None:
        raise MissingExtra(f"{name} needs an extra that is not installed: pip install customer-hub[bi]")
    return FORMATS[name]


def _csv(connection: Connection, reading: Reading) -> Iterator[bytes]:
    yield f"{','.join(reading.columns)}\n".encode()
    yield from _lines(connection, reading, Form.CSV)


def _lines(connection: Connection, reading: Reading, form: Form) -> Iterator[bytes]:
    for part in reading.parts:
        yield from csv_lines(connection, written(part, form, connection.dialect.name))


def _ndjson(connection: Connection, reading: Reading) -> Iterator[bytes]:
    names, encode = list(reading.columns), msgspec.json.Encoder().encode_lines
    flags = [name for name, column in reading.columns.items() if column.as_ is As.FLAG]
    for part in reading.parts:
        for rows in cells(connection, written(part, Form.CELLS, connection.dialect.name)):
            named = [dict(zip(names, row, strict=True)) for row in rows]
            for row in named:
                row |= {name: row[name] == "true" for name in flags if row[name] is not None}
            yield encode(named)


def _parquet(connection: Connection, reading: Reading) -> Iterator[bytes]:
    from hub.export.arrow import as_parquet

    return as_parquet(_lines(connection, reading, Form.EXACT), reading.columns, _said(reading))


def _arrow(connection: Connection, reading: Reading) -> Iterator[bytes]:
    from hub.export.arrow import as_arrow

    return as_arrow(_lines(connection, reading, Form.EXACT), reading.columns, _said(reading))


def _said(reading: Reading) -> dict[str, str]:
    return {"view": reading.view, "watermark": reading.watermark, "complete": str(reading.complete).lower()}


FORMATS = {
    "csv": Format(_csv, "text/csv; charset=utf-8; header=present", True),
    "ndjson": Format(_ndjson, "application/x-ndjson", True),
    "parquet": Format(_parquet, "application/vnd.apache.parquet", False),
    "arrow": Format(_arrow, "application/vnd.apache.arrow.stream", False),
}
