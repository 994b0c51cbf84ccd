"""Typed files. In: a reading's lines of CSV. Out: a Parquet file or an Arrow stream, piece by piece, typed.

The values are those of the CSV, read by Arrow, so that every format says the same. Null is not the empty text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

import pyarrow as pa
from pyarrow import csv, ipc, parquet

from hub.export.column import PLACES_OF_A_RATIO, PLACES_OF_ANY_MONEY, As, Column

ROWS_A_GROUP = 20_000
BYTES_A_PARSE = 1 << 20
DIGITS = 38
DIGITS_OF_A_RATIO = 18
TYPES = {
    As.TEXT: pa.string(),
    As.WORD: pa.string(),
    As.WHOLE: pa.int64(),
    As.FLAG: pa.bool_(),
    As.INSTANT: pa.timestamp("us", "UTC"),
    As.RATIO: pa.decimal128(DIGITS_OF_A_RATIO, PLACES_OF_A_RATIO),
    As.MONEY: pa.decimal128(DIGITS, PLACES_OF_ANY_MONEY),
}


class _Sink:
    """A file that only remembers what was written until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def write(self, data: Any) -> int:
        self._held.append(bytes(data))
        return len(self._held[-1])

    def flush(self) -> None:
        """Nothing to do: what is written is there."""

    def taken(self) -> bytes:
        """What was written since the last call."""
        held, self._held = self._held, []
        return b"".join(held)


def schema(columns: Mapping[str, Column], said: Mapping[str, str]) -> Any:
    """The Arrow schema of the columns, each with its description; `said` becomes metadata of the file."""
    fields = [pa.field(name, TYPES[each.as_], metadata={"description": each.about}) for name, each in columns.items()]
    return pa.schema(fields, metadata=dict(said))


def as_parquet(lines: Iterable[bytes], columns: Mapping[str, Column], said: Mapping[str, str]) -> Iterator[bytes]:
    """A Parquet file (zstd), a row group at a time. `lines` are whole lines of exact CSV without a header."""
    sink, form = _Sink(), schema(columns, said)
    with closing(parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), form, compression="zstd")) as writer:
        for table in _groups(_tables(lines, form), form):
            writer.write_table(table)
            yield sink.taken()
    yield sink.taken()


def as_arrow(lines: Iterable[bytes], columns: Mapping[str, Column], said: Mapping[str, str]) -> Iterator[bytes]:
    """An Arrow IPC stream. `lines` are whole lines of exact CSV without a header."""
    sink, form = _Sink(), schema(columns, said)
    with closing(ipc.new_stream(pa.PythonFile(sink, mode="w"), form)) as writer:
        for table in _tables(lines, form):
            writer.write_table(table)
            yield sink.taken()
    yield sink.taken()


def _groups(tables: Iterable[Any], form: Any) -> Iterator[Any]:
    held: list[Any] = []
    rows = 0
    for table in tables:
        held.append(table)
        rows += table.num_rows
        if rows >= ROWS_A_GROUP:
            yield pa.concat_tables(held)
            held, rows = [], 0
    yield pa.concat_tables(held) if held else form.empty_table()


def _tables(lines: Iterable[bytes], form: Any) -> Iterator[Any]:
    reading = csv.ReadOptions(column_names=form.names, use_threads=False)
    cells = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    values = csv.ConvertOptions(
        column_types=form,
        null_values=[""],
        true_values=["true"],
        false_values=["false"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    for block in _blocks(lines):
        table = csv.read_csv(pa.BufferReader(block), reading, cells, values)
        yield table.replace_schema_metadata(form.metadata).cast(form)


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for chunk in lines:
        held.append(chunk)
        size += len(chunk)
        if size >= BYTES_A_PARSE:
            yield b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)
