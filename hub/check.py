"""`hub check`: do the mapping and rule files fit together, and what do real records become?

In: rules and sources (already loaded, so their own errors are already said). Out: lines and trees for a reader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from connectors.pull import Connection, Record
from hub.clock import show
from hub.insight.derive import rules_version
from mappings.compile import compile_stream, row_columns
from mappings.currencies import render
from mappings.loader import Source
from mappings.model import ENTITIES, Type
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


def sample_source(source: Source, rulebook: Rulebook, most: int) -> Iterator[tuple[str, Branches]]:
    """The first records of every stream, each beside the entities that it becomes. Raises ConnectorError."""
    for stream, records in asyncio.run(_first_records(source, most)).items():
        compiled = compile_stream(source, stream, rulebook)
        for record in records:
            parsed = msgspec.json.decode(record.payload)
            mapped = compiled.map([(0, parsed)])
            branches: Branches = [("record", _lines(parsed))]
            for entity, rows in mapped.rows.items():
                branches += [(entity, _fields(entity, row)) for row in rows]
            branches += [(f"cannot be mapped: {path}", [reason]) for _, path, reason in mapped.problems]
            yield f"{source.name}.{stream} {record.key}", branches


async def _first_records(source: Source, most: int) -> dict[str, list[Record]]:
    first: dict[str, list[Record]] = {}
    async with Connection(source) as connection:
        for stream in source.system.streams:
            first[stream] = []
            async for page in connection.pull(stream, None):
                first[stream] += page.records[: most - len(first[stream])]
                if len(first[stream]) >= most:
                    break
    return first


def _fields(entity: str, row: tuple[Any, ...]) -> list[str]:
    named = dict(zip(row_columns(entity)[2:], row[2:], strict=True))
    kinds = ENTITIES[entity].fields
    return [
        f"{name}: {_shown(kinds[name].type, value, named.get('currency'))}"
        for name, value in named.items()
        if value is not None
    ]


def _shown(kind: Type, value: Any, currency: str | None) -> str:
    """A canonical value as its source would have written it: a reader compares it with the record."""
    if kind is Type.INSTANT:
        return show(value)
    if kind is Type.AMOUNT and currency is not None:
        return f"{render(value, currency)} {currency}"
    if kind is Type.RATIO:
        return str(value / 1_000_000)
    return "/".join(value) if kind is Type.PROFILE else str(value)


def _lines(value: Any, path: str = "") -> list[str]:
    """A record as one `path: value` a line, long texts cut."""
    if isinstance(value, dict):
        return [line for name, item in value.items() for line in _lines(item, f"{path}.{name}" if path else name)]
    if isinstance(value, list):
        return [line for number, item in enumerate(value) for line in _lines(item, f"{path}.{number}")]
    shown = str(value)
    return [f"{path}: {shown if len(shown) <= 80 else shown[:79] + '…'}"]
