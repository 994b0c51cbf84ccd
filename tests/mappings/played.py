"""A mapping against the exchanges of its system. In: the system's name. Out: what a pull of each stream brings.

expect.json beside the exchanges: {"settings": {...}, "proof": {...}, "streams": {"customers": {"records": 5, "rows":
{"profile": 5}, "money": {"EUR": {"REVENUE": 123000}}, "dead_letters": 0, "gone": 0, "again": 1, "unfilled": []}}}.
Money is in thousandths of the minor unit; `again` is how many records a second pull brings; `unfilled` are the fields
that no record of the exchanges fills.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from connectors.pull import Connection, Page
from mappings.compile import Mapped, compile_stream, row_columns
from mappings.conditions import condition
from mappings.loader import Settings, Source, load_system, shipped
from mappings.paths import steps_of, walk
from mappings.rulebook import Rulebook
from mappings.spec import Stream
from tests.mappings.replay import EXCHANGES, Replay

Rows = list[dict[str, Any]]


@dataclass(slots=True)
class Pulled:
    """A stream's pages, its records in the order sent, and what they mean (landing numbers count from 1)."""

    pages: list[Page]
    mapped: Mapped

    @property
    def keys(self) -> list[str | None]:
        return [record.key for page in self.pages for record in page.records]

    @property
    def records(self) -> list[Any]:
        return [msgspec.json.decode(record.payload) for page in self.pages for record in page.records]

    @property
    def cursor(self) -> Any:
        return self.pages[-1].cursor

    def rows(self, entity: str) -> Rows:
        """The rows of an entity, column to value."""
        names = row_columns(entity)
        return [dict(zip(names, row, strict=True)) for row in self.mapped.rows.get(entity, [])]


@dataclass(slots=True)
class Played:
    """A system at its replay: what is expected, and every stream pulled and mapped once."""

    name: str
    replay: Replay
    source: Source
    expected: dict[str, Any]
    streams: dict[str, Pulled] = field(default_factory=dict)

    @property
    def specs(self) -> dict[str, Stream]:
        return dict(self.source.system.streams)

    @property
    def secrets(self) -> set[str]:
        """What must stand nowhere: secret settings, and what the system gives for them."""
        settings, given = self.source.system.settings, self.source.settings
        told = {given[name] for name, about in settings.items() if about.secret and given.get(name)}
        return told | set(self.expected.get("private", []))

    def pages(self, stream: str, cursor: Any = None) -> list[Page]:
        """The pages of a stream after a cursor; of a child stream those of the parents that were pulled."""
        return asyncio.run(self._pages(stream, cursor))

    async def _pages(self, stream: str, cursor: Any) -> list[Page]:
        async with Connection(self.source) as connection:
            parent = self.specs[stream].parent
            now = self.expected.get("now")
            if parent is None:
                walk = connection.pull(stream, cursor, **({"now": datetime.fromisoformat(now)} if now else {}))
            else:
                walk = connection.pull_children(stream, parents(self.specs[stream], self.streams[parent.stream]))
            async with aclosing(walk):
                return [page async for page in walk]


def parents(child: Stream, pulled: Pulled) -> list[tuple[int, Any]]:
    """The numbered records of the parent stream that the child stream wants, each as it was last sent."""
    last = {key: (no, record) for no, (key, record) in enumerate(zip(pulled.keys, pulled.records, strict=True), 1)}
    whens = (child.parent.when or {}) if child.parent else {}
    tests = [(steps_of(path), condition(said, "*" in path)) for path, said in whens.items()]
    return [(no, record) for no, record in last.values() if all(test(walk(record, at)) for at, test in tests)]


def source_of(system: str, base_url: str, given: dict[str, str]) -> Source:
    """The shipped mapping of a system, pointed at a server; without the vendor's rate, which is not this server's."""
    path = next(shipped().glob(f"sources/**/{system}.yml"))
    spec = load_system(path)
    spec = spec.model_copy(update={"http": spec.http.model_copy(update={"rate": None, "rates": {}})})
    defaults = {name: about.default for name, about in spec.settings.items() if about.default is not None}
    settings = {**defaults, "base_url": "${base_url}", **given}
    filled = {name: text.replace("${base_url}", base_url) for name, text in settings.items() if name in spec.settings}
    needed = [name for name, about in spec.settings.items() if not about.optional]
    return Source(system, spec, Settings(filled), tuple(name for name in needed if name not in filled))


def expectation(system: str) -> dict[str, Any]:
    """What expect.json says of a system."""
    expected: dict[str, Any] = json.loads((EXCHANGES / system / "expect.json").read_text("utf-8"))
    return expected


def play(replay: Replay, system: str, rulebook: Rulebook) -> Played:
    """Every stream of the system pulled to its end and mapped, parents before their children."""
    expected = expectation(system)
    played = Played(system, replay, source_of(system, replay.base_url, expected["settings"]), expected)
    left = list(played.specs)
    while left:
        ready = [name for name in left if (parent := played.specs[name].parent) is None or parent.stream not in left]
        for name in ready:
            pages = played.pages(name)
            played.streams[name] = Pulled(pages, _mapped(played.source, name, pages, rulebook))
            left.remove(name)
    return played


def _mapped(source: Source, stream: str, pages: Sequence[Page], rulebook: Rulebook) -> Mapped:
    last = {record.key: record for page in pages for record in page.records}
    records = [msgspec.json.decode(record.payload) for record in last.values()]
    return compile_stream(source, stream, rulebook).map(list(enumerate(records, 1)))


def money(pulled: Pulled) -> dict[str, dict[str, int]]:
    """Thousandths of the minor unit by currency and kind, as the mapping says."""
    found: dict[str, Counter[str]] = {}
    for entry in pulled.rows("money_entry"):
        found.setdefault(entry["currency"], Counter())[entry["kind"]] += entry["amount"]
    return {currency: dict(kinds) for currency, kinds in found.items()}


def controls(pulled: Pulled, spec: Stream) -> dict[tuple[tuple[str, ...], str], int]:
    """The same by (kinds of the control, currency), as the records themselves say."""
    blocks = spec.blocks("reconcile")
    found: Counter[tuple[tuple[str, ...], str]] = Counter()
    for _, item, currency, amount in pulled.mapped.controls:
        found[tuple(blocks[item].kinds), currency] += amount
    return dict(found)
