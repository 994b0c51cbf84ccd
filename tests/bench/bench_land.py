"""How fast records land and their rows are written. Run it: python -m tests.bench.bench_land [URL]

Records of 1 KB, 100 a page, ten pages a transaction; each means a profile, two contact points, an interaction and a
money entry. Prints records a second for a first time, an unchanged one, and one where every tenth record changed.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from connectors.pull import Page, Record
from hub.store.engine import Store, open_store
from hub.store.landing import digest, land, pending
from hub.store.read import start_run, start_stream
from hub.store.write import write_mapped
from mappings.model import ENTITIES

RECORDS, A_PAGE, PAGES, A_CHUNK = 50_000, 100, 10, 2_000
FACTS = ("interaction", "money_entry")
REQUIRED: dict[str, dict[str, Any]] = {
    "profile": {"kind": "PERSON"},
    "interaction": {"type": "visit", "channel": "WEB", "lane": "CUSTOMER", "solicited": False},
    "money_entry": {"kind": "REVENUE", "basis": "ACTUAL"},
}


@dataclass
class Batch:
    rows: dict[str, list[tuple[Any, ...]]]
    controls: list[tuple[int, int, str, int]]
    problems: list[tuple[int, str, str]]


class Mapping:
    """The mapping's part, as cheap as can be: what is measured is the store."""

    version = "1"

    def content(self, record: Any, /) -> bytes:
        return json.dumps(record, sort_keys=True).encode()

    def map(self, landing_nos: list[int]) -> Batch:
        rows = {name: [(no, 0, *self.row(name, no)) for no in landing_nos] for name in ("profile", *FACTS)}
        rows["contact_point"] = [
            (no, item, ("records", str(no)), kind, f"{kind}{no}", None)
            for no in landing_nos
            for item, kind in enumerate(("EMAIL", "PHONE"))
        ]
        return Batch(rows, [(no, 0, "EUR", 5_000) for no in landing_nos], [])

    def row(self, name: str, no: int) -> list[Any]:
        said = {"profile": ("records", str(no)), "at": no, "amount": 5_000, "currency": "EUR"}
        said |= REQUIRED[name]
        return [said.get(field) for field in ENTITIES[name].fields]


def groups(changed: str) -> Iterator[list[Page]]:
    """Groups of pages; every tenth record carries the word `changed`."""
    filler = hashlib.sha512(b"x").hexdigest() * 7
    numbers = range(0, RECORDS, A_PAGE)
    pages = (
        Page([_record(n, changed if n % 10 == 0 else "", filler) for n in range(at, at + A_PAGE)], {"at": at}, False)
        for at in numbers
    )
    group: list[Page] = []
    for page in pages:
        group.append(page)
        if len(group) == PAGES:
            yield group
            group = []


def _record(number: int, word: str, filler: str) -> Record:
    body = f'{{"id": {number}, "email": "person{number}@mail.example", "word": "{word}", "filler": "{filler}"}}'
    return Record(str(number), body.encode())


def measure(store: Store, title: str, changed: str) -> None:
    with store.write() as connection:
        run = start_run(connection, "sync", 1)
        start_stream(connection, run, "bench", "records")
    spent, count = 0.0, 0
    for group in groups(changed):
        began = perf_counter()
        with store.write() as connection:
            count += land(connection, run, "bench", "records", group, Mapping(), 1).changed
        spent += perf_counter() - began
    report(store, f"land, {title}", RECORDS / spent, count)
    began = perf_counter()
    written = map_pending(store)
    report(store, f"write, {title}", written / (perf_counter() - began), written)


def map_pending(store: Store) -> int:
    mapping, count = Mapping(), 0
    while True:
        with store.write() as connection:
            chunk = [no for no, _ in pending(connection, "bench", "records", A_CHUNK)]
            hashes = [(no, digest(b"%d" % no)) for no in chunk]
            count += write_mapped(connection, "bench", "records", mapping, hashes, mapping.map(chunk), 1).mapped
        if len(chunk) < A_CHUNK:
            return count


def report(store: Store, title: str, rate: float, count: int) -> None:
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{store.dialect:11} {title:26} {rate:9,.0f} records/s, {count:6} changed, {rss} MB")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/bench.db", migrate=True)
        measure(store, "first", "")
        measure(store, "unchanged", "")
        measure(store, "one in ten changed", "so")
        store.close()


if __name__ == "__main__":
    main()
