"""`hub check --sample`: a real server's records beside their entities, in words that a person can compare."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from connectors.auth import NoVault
from hub.check import Branches, sample_source
from hub.rules import load_rules
from mappings.loader import Settings, Source, load_system, shipped

MAPPING = """
system: shop
kind: billing
about: A shop.
settings: {base_url: {}}
http: {base_url: "${base_url}"}
streams:
  orders:
    get: /orders
    key: nr
    profile:
      key: {path: mail, convert: email}
      kind: PERSON
      emails: [mail]
    order:
      status: {path: state, table: {30: WON}}
      placed_at: {path: day, convert: eu_date, zone: Europe/Berlin}
      amount: {path: sum, major: currency}
      currency: currency
    interaction:
      type: order.placed
      at: {path: day, convert: eu_date, zone: Europe/Berlin}
      channel: STORE
      lane: CUSTOMER
      sentiment: mood
"""
ORDER = {
    "nr": 7,
    "mail": "Eva@Post.example",
    "state": 30,
    "day": "31.12.2025 14:30",
    "currency": "EUR",
    "sum": "1234.50",
}
RECORDS = [{**ORDER, "mood": 0.25}, {**ORDER, "nr": 8, "day": "31.02.2025"}]


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(RECORDS).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Source]:
    path = tmp_path / "shop.yml"
    path.write_text(MAPPING, "utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        settings = {"base_url": f"http://127.0.0.1:{server.server_port}"}
        yield Source("shop", load_system(path), Settings(settings), ())
        server.shutdown()
        thread.join()


def branch(branches: Branches, name: str) -> list[str]:
    return next(lines for title, lines in branches if title == name)


def test_a_sample_shows_times_amounts_and_ratios_as_people_write_them(shop: Source) -> None:
    (title, branches), _ = sample_source(shop, NoVault(), load_rules([shipped()]), 5)
    assert title == "shop.orders 7"
    assert "profile: orders/eva@post.example" in branch(branches, "profile")
    assert branch(branches, "order")[1:] == [
        "status: WON",
        "placed_at: 2025-12-31T13:30:00Z",
        "amount: 1234.50 EUR",
        "currency: EUR",
    ]
    assert "sentiment: 0.25" in branch(branches, "interaction")


def test_a_sample_says_why_a_record_cannot_be_mapped(shop: Source) -> None:
    _, (_, branches) = sample_source(shop, NoVault(), load_rules([shipped()]), 5)
    assert branches[-1] == ("cannot be mapped: $.day", ["a text that is no day.month.year"])
