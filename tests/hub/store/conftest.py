"""A small book-keeping system, mapped by the real compiler, whose records a test sends, lands and maps."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import text

from connectors.pull import Page, Record
from hub.store.engine import Store
from hub.store.landing import Landed, digest, land, pending
from hub.store.read import mark_for_remap, start_run, start_stream
from hub.store.write import Written, write_mapped
from mappings.compile import Compiled, compile_stream
from mappings.loader import Settings, Source
from mappings.rulebook import Rulebook
from mappings.spec import System

SYSTEM: dict[str, Any] = {
    "system": "books",
    "kind": "billing",
    "about": "Customers and their invoices.",
    "http": {"base_url": "http://127.0.0.1"},
    "streams": {
        "customers": {
            "get": "/customers",
            "key": "id",
            "volatile": ["seen"],
            "profile": {"kind": "PERSON", "given_name": "name", "emails": ["email"]},
        },
        "invoices": {
            "get": "/invoices",
            "key": "id",
            "reconcile": {"amount": {"path": "total", "minor": "currency"}, "currency": "currency"},
            "interaction": {
                "profile": {"stream": "customers", "key": "customer"},
                "type": "invoice.issued",
                "at": {"path": "date", "convert": "epoch_s"},
                "channel": "BILLING",
                "lane": "BRAND",
            },
            "money_entry": {
                "each": "lines",
                "profile": {"stream": "customers", "key": "parent.customer"},
                "at": {"path": "parent.date", "convert": "epoch_s"},
                "kind": "REVENUE",
                "amount": {"path": "amount", "minor": "parent.currency"},
                "currency": "parent.currency",
            },
        },
    },
}

# All that compiling asks of the company's rules.
RULES = SimpleNamespace(company=SimpleNamespace(region="DE"), risk=SimpleNamespace(intents={}))


@dataclass
class Books:
    """The system and the store it is synced into."""

    store: Store
    system: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(SYSTEM)))

    def compiled(self, stream: str) -> Compiled:
        source = Source("books", System.model_validate(self.system), Settings({}))
        return compile_stream(source, stream, cast(Rulebook, RULES))

    @staticmethod
    def customer(key: str, **more: Any) -> dict[str, Any]:
        return {"id": key, "name": f"Name {key}", "email": f"{key}@mail.example"} | more

    @staticmethod
    def invoice(key: str, customer: str, *lines: int, **more: Any) -> dict[str, Any]:
        """An invoice of these lines, in cents."""
        said = {"id": key, "customer": customer, "date": 1_700_000_000, "currency": "EUR", "total": sum(lines)}
        return said | {"lines": [{"amount": amount} for amount in lines]} | more

    @staticmethod
    def page(payloads: Sequence[bytes], cursor: dict[str, Any] | None = None) -> Page:
        """A page as connectors hand it over."""
        return Page([Record(json.loads(data).get("id"), data) for data in payloads], cursor or {}, True)

    def land(self, stream: str, *pages: Page, as_of: int = 1) -> Landed:
        with self.store.write() as connection:
            run = start_run(connection, "sync", as_of)
            start_stream(connection, run, "books", stream)
            return land(connection, run, "books", stream, pages, self.compiled(stream), as_of)

    def map(self, stream: str, as_of: int = 1) -> Written:
        compiled = self.compiled(stream)
        with self.store.write() as connection:
            chunk = pending(connection, "books", stream, 1_000)
            records = [(no, json.loads(data)) for no, data in chunk if data]
            hashes = [(no, digest(compiled.content(record))) for no, record in records]
            hashes += [(no, digest(data)) for no, data in chunk if not data]
            return write_mapped(connection, "books", stream, compiled, hashes, compiled.map(records), as_of)

    def send(self, stream: str, *records: dict[str, Any], as_of: int = 1) -> Landed:
        """Lands one page and maps it."""
        landed = self.land(stream, self.page([json.dumps(record).encode() for record in records]), as_of=as_of)
        self.map(stream, as_of)
        return landed

    def remap(self, stream: str) -> int:
        """Sends the stream's records back to be mapped where the mapping is another than before; how many."""
        with self.store.write() as connection:
            return mark_for_remap(connection, "books", stream, self.compiled(stream).version)

    def waiting(self, stream: str) -> list[tuple[int, bytes]]:
        with self.store.read() as connection:
            return pending(connection, "books", stream, 1_000)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    def run(self, sql: str, **values: Any) -> None:
        with self.store.write() as connection:
            connection.execute(text(sql), values)


@pytest.fixture
def books(store: Store) -> Books:
    """The book-keeping system beside an empty store: the test runs on both databases."""
    return Books(store)


@pytest.fixture
def books_in() -> Callable[[Store], Books]:
    """The book-keeping system beside a store of the test's own."""
    return Books
