"""How an answer is written. In: its bytes, gzip, NDJSON or CSV. Out: plain bytes, or each record's own JSON bytes."""

from __future__ import annotations

import csv
import io
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from mappings.spec import Csv

GZIP = b"\x1f\x8b\x08"
# An escape in JSON text: a whole surrogate pair, half of one, or any other.
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F]..)|.)", re.DOTALL)
_LINES = msgspec.json.Decoder(msgspec.Raw)
_ROW = msgspec.json.Decoder(list[msgspec.Raw])


class Unreadable(ValueError):
    """The bytes are not what the mapping says; `str` says what they are instead, without a word of a record."""


def plain(body: bytes, largest: int) -> bytes:
    """The body without gzip around it, told by its first bytes whatever the headers say; at most `largest` bytes.

    Raises Unreadable where it unfolds to more, is broken or cut off.
    """
    if not body.startswith(GZIP):
        return body
    parts, left = [], largest
    while body.startswith(GZIP):
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(body, left + 1))
        except zlib.error:
            raise Unreadable("broken gzip") from None
        left -= len(parts[-1])
        if left < 0:
            raise Unreadable(f"more than {largest:,} bytes behind gzip")
        if not member.eof:
            raise Unreadable("gzip that is cut off")
        body = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def mended(body: bytes) -> bytes:
    """JSON text with U+FFFD for each half of a surrogate pair, which is no text that can be stored."""
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found["half"] else found[0], body)


def first_object(body: bytes) -> Any:
    """The first line's JSON, or the whole text's; None where neither is JSON."""
    body = body.removeprefix(BOM_UTF8)
    for text in (body.lstrip().partition(b"\n")[0], body):
        try:
            return msgspec.json.decode(text)
        except (ValueError, RecursionError):
            continue
    return None


def ndjson(body: bytes) -> list[msgspec.Raw]:
    """The JSON values of a text that holds one a line, byte for byte; blank lines do not count. Raises Unreadable."""
    body = body.removeprefix(BOM_UTF8)
    try:
        body.decode()  # slicing does not look into texts
        return _LINES.decode_lines(body)
    except ValueError:
        whole = mended(body)
        if whole != body:
            return ndjson(whole)
        raise Unreadable(f"{_bad_line(body)} is no JSON") from None


def _bad_line(body: bytes) -> str:
    for number, line in enumerate(body.split(b"\n"), 1):
        try:
            line.decode()
            _LINES.decode_lines(line)
        except ValueError:
            return f"line {number}"
    return "a line"


def csv_rows(body: bytes, said: Csv) -> list[bytes]:
    """Each row as a JSON object of texts; a row that ends early has null in the columns that it lacks.

    Raises Unreadable with the line's number where a row has more cells than there are columns.
    """
    try:
        text = body.removeprefix(BOM_UTF8).decode(said.encoding)
    except (UnicodeError, LookupError):
        raise Unreadable(f"a text that is not {said.encoding}") from None
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=said.separator, strict=True)
    try:
        names = said.names or next((row for row in lines if row), [])
        return list(_objects(lines, _columns(names)))
    except csv.Error:
        raise Unreadable(f"line {lines.line_num} is no CSV") from None


def table_rows(rows: Iterable[msgspec.Raw], names: Any) -> list[bytes]:
    """Each row, a JSON list of values, as a JSON object of the columns' names, its values byte for byte.

    `names` are texts, or objects with a `name`. Raises Unreadable where there are none, or a row has not as many.
    """
    said = [name.get("name") if isinstance(name, dict) else name for name in names or []]
    told = [name for name in said if isinstance(name, str)]
    encode, decode, columns = msgspec.json.encode, _ROW.decode, _columns(told)
    found = []
    for row in rows:
        if not told or len(told) < len(said):
            raise Unreadable("records without names of their columns")
        try:
            cells = decode(row)
        except msgspec.ValidationError:
            raise Unreadable("a record that is no list of values") from None
        if len(cells) != len(columns):
            raise Unreadable(f"a record of {len(cells)} values, and there are {len(columns)} columns")
        found.append(encode(dict(zip(columns, cells, strict=True))))
    return found


def _columns(names: list[str]) -> list[str]:
    columns = [name.strip() for name in names]
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise Unreadable(f"the column `{twice[:60]}` stands there twice: name the columns in `csv.names`")
    return columns


def _objects(lines: Any, columns: list[str]) -> Iterator[bytes]:
    encode, width, empty = msgspec.json.Encoder().encode, len(columns), [None] * len(columns)
    for row in lines:
        if not row:
            continue
        if len(row) > width:
            what = f"line {lines.line_num} has {len(row)} cells, and there are {width} columns"
            raise Unreadable(f"{what}: check `csv.separator`")
        yield encode(dict(zip(columns, [*row, *empty[len(row) :]], strict=True)))
