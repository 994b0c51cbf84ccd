"""`hub check`: do the files fit together, does the system let us in, and what do its records become?

In: rules and sources (already loaded, so their own errors are already said). Out: lines, rows and trees for a reader.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import msgspec

from connectors.auth import Vault
from connectors.errors import ConnectorError
from connectors.pull import Connection, Page
from hub.insight.derive import rules_version
from hub.quality.understand import as_written
from mappings.compile import compile_stream, row_columns
from mappings.loader import Source
from mappings.model import ENTITIES
from mappings.rulebook import Rulebook

Branches = list[tuple[str, list[str]]]


def check_sources(rulebook: Rulebook, sources: dict[str, Source], names: Sequence[str]) -> Iterator[str]:
    """One line a source: its streams compiled, and the settings that its environment lacks."""
    for name in names:
        source = sources[name]
        for stream in source.system.streams:
            compile_stream(source, stream, rulebook)
        lacks = f"; not set: {', '.join(source.missing)}" if source.missing else ""
        yield f"{name}: {source.system.system}, {len(source.system.streams)} streams, fine{lacks}"
    yield f"rules: {len(rulebook.risk.rules)} risk rules, {len(rulebook.metrics.metrics)} metrics, fine " + (
        f"({rules_version(rulebook)})"
    )


def sample_source(source: Source, vault: Vault, rulebook: Rulebook, most: int) -> Iterator[tuple[str, Branches]]:
    """The first records of every stream, each beside the entities that it becomes. Raises ConnectorError."""
    for stream, pages in asyncio.run(_pages(source, vault, most)).items():
        if pages.error is not None:
            yield f"{source.name}.{stream}", [("did not answer", [pages.error])]
        compiled = compile_stream(source, stream, rulebook)
        for record in [record for page in pages.got for record in page.records][:most]:
            parsed = msgspec.json.decode(record.payload)
            mapped = compiled.map([(0, parsed)])
            branches: Branches = [("record", _lines(parsed))]
            for entity, rows in mapped.rows.items():
                branches += [(entity, _fields(entity, row)) for row in rows]
            branches += [(f"cannot be mapped: {path}", [reason]) for _, path, reason in mapped.problems]
            yield f"{source.name}.{stream} {record.key}", branches


@dataclass(frozen=True, slots=True)
class Answered:
    """What one stream's first page held, or why there was none. `seconds` from the request to the records."""

    stream: str
    records: int
    keyed: int
    more: bool
    seconds: float
    error: str | None
    note: str | None


def renews(source: Source) -> bool:
    """Whether a request may renew a credential of this source: then what is new has to be kept."""
    said = [source.system.http.auth, *(stream.auth for stream in source.system.streams.values())]
    return any(auth is not None and auth.oauth2 is not None and auth.oauth2.refresh_token for auth in said)


def live_source(source: Source, vault: Vault) -> Iterator[Answered]:
    """One page of every stream, as it answers now; no record is stored. Raises ConnectorError where none is asked."""
    for stream, pages in asyncio.run(_pages(source, vault, 1)).items():
        records = [record for page in pages.got for record in page.records]
        keyed = sum(record.key is not None for record in records)
        more = bool(pages.got) and not pages.got[-1].last
        yield Answered(stream, len(records), keyed, more, pages.seconds, pages.error, pages.note)


@dataclass(slots=True)
class _Pages:
    got: list[Page] = field(default_factory=list)
    seconds: float = 0.0
    error: str | None = None
    note: str | None = None


async def _pages(source: Source, vault: Vault, most: int) -> dict[str, _Pages]:
    """Per stream, parents before children, the pages that hold its first `most` records."""
    answered: dict[str, _Pages] = {}
    async with Connection(source, vault=vault) as connection:
        for stream in _parents_first(source):
            began, pages = perf_counter(), _Pages()
            answered[stream] = pages
            try:
                await _until(_asked(connection, source, stream, answered), pages, most)
            except ConnectorError as error:
                pages.error = str(error)
            pages.seconds, pages.note = perf_counter() - began, connection.notes.get(stream)
    return answered


async def _until(asked: AsyncGenerator[Page], pages: _Pages, most: int) -> None:
    async with aclosing(asked):
        async for page in asked:
            pages.got.append(page)
            if sum(len(each.records) for each in pages.got) >= most:
                return


def _asked(connection: Connection, source: Source, stream: str, answered: dict[str, _Pages]) -> AsyncGenerator[Page]:
    parent = source.system.streams[stream].parent
    if parent is None:
        return connection.pull(stream, None)
    records = [record for page in answered[parent.stream].got for record in page.records]
    return connection.pull_children(stream, [(n, msgspec.json.decode(r.payload)) for n, r in enumerate(records)])


def _parents_first(source: Source) -> list[str]:
    """The streams in the file's order, each behind its parent."""
    order: list[str] = []

    def add(name: str) -> None:
        parent = source.system.streams[name].parent
        if parent is not None:
            add(parent.stream)
        if name not in order:
            order.append(name)

    for name in source.system.streams:
        add(name)
    return order


def _fields(entity: str, row: tuple[Any, ...]) -> list[str]:
    named = dict(zip(row_columns(entity)[2:], row[2:], strict=True))
    kinds = ENTITIES[entity].fields
    return [
        f"{name}: {as_written(kinds[name].type, value, named.get('currency'))}"
        for name, value in named.items()
        if value is not None
    ]


def _lines(value: Any, path: str = "") -> list[str]:
    """A record as one `path: value` a line, long texts cut."""
    if isinstance(value, dict):
        return [line for name, item in value.items() for line in _lines(item, f"{path}.{name}" if path else name)]
    if isinstance(value, list):
        return [line for number, item in enumerate(value) for line in _lines(item, f"{path}.{number}")]
    shown = str(value)
    return [f"{path}: {shown if len(shown) <= 80 else shown[:79] + '…'}"]
