"""A shop whose mapping a test changes and whose records it sends. In: a store. Out: what a sync of the hub makes of it.

Records land as a pull lands them; the network alone is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import text

from connectors.answers.records import Record
from connectors.pull import Page
from hub.run import Hub, Report
from hub.store.engine import Store
from hub.store.landing import land
from hub.store.read import start_run, start_stream
from hub.sync import advance
from mappings.loader import Settings, Source
from mappings.rulebook import Instance, Rulebook
from mappings.spec import System

DAY = 86_400 * 1_000_000
NOW = 1_782_000_000_000_000  # June 2026

BUYERS: dict[str, Any] = {
    "get": "/buyers",
    "key": "id",
    "profile": {"kind": "PERSON", "given_name": "name.given", "family_name": "name.family", "emails": ["mail"]},
}
ORDERS: dict[str, Any] = {
    "get": "/orders",
    "key": "id",
    "belongs_to": {"stream": "buyers", "key": "buyer"},
    "reconcile": {"amount": {"path": "total", "minor": "currency"}, "currency": "currency"},
    "interaction": {
        "type": "order.placed",
        "at": {"path": "date", "convert": "epoch_s"},
        "channel": "WEB",
        "lane": "CUSTOMER",
    },
    "money_entry": {
        "each": "lines",
        "kind": {"path": "kind", "table": {"sale": "REVENUE", "tax": "TAX"}},
        "amount": {"path": "price", "minor": "parent.currency"},
        "currency": "parent.currency",
        "at": {"path": "parent.date", "convert": "epoch_s"},
    },
}


def buyer(number: int, **more: Any) -> dict[str, Any]:
    name = {"given": f"Ann{number}", "family": "Shopper"}
    return {"id": f"b{number}", "name": name, "mail": f"ann{number}@mail.example"} | more


def order(number: int, *lines: int, kind: str = "sale", **more: Any) -> dict[str, Any]:
    """An order of the buyer of the same number, in cents."""
    said = {"id": f"o{number}", "buyer": f"b{number}", "date": 1_700_000_000 + number, "currency": "EUR"}
    return said | {"total": sum(lines), "lines": [{"price": price, "kind": kind} for price in lines]} | more


class Shop:
    """The shop beside a store."""

    def __init__(self, store: Store, rulebook: Rulebook) -> None:
        company = rulebook.company.model_copy(update={"sources": {"shop": Instance(system="shop")}})
        self.store, self.rulebook = store, rulebook.model_copy(update={"company": company})
        self.streams = json.loads(json.dumps({"buyers": BUYERS, "orders": ORDERS}))
        self.as_of = NOW

    def hub(self) -> Hub:
        """The hub with the mapping as it is now."""
        said = {"system": "shop", "kind": "billing", "about": "A shop.", "http": {"base_url": "http://127.0.0.1"}}
        system = System.model_validate(said | {"streams": self.streams})
        return Hub(self.store, self.rulebook, {"shop": Source("shop", system, Settings({}))})

    def send(self, stream: str, *records: dict[str, Any] | bytes) -> None:
        """Lands one page, a day after the last one."""
        self.as_of += DAY
        payloads = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
        page = Page([Record(json.loads(payload).get("id"), payload) for payload in payloads], {}, True)
        with self.store.write() as connection:
            run = start_run(connection, "sync", self.as_of)
            start_stream(connection, run, "shop", stream)
            land(connection, run, "shop", stream, [page], self.hub().compiled("shop", stream), self.as_of)

    def follow(self) -> Report:
        """Everything after the landing."""
        return advance(self.hub(), self.as_of)

    def sync(self, stream: str, *records: dict[str, Any] | bytes) -> Report:
        self.send(stream, *records)
        return self.follow()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]


def many(make: Callable[..., dict[str, Any]], numbers: Sequence[int], *lines: int, **more: Any) -> list[dict[str, Any]]:
    return [make(number, *lines, **more) for number in numbers]
