"""A small system with everything that is deleted, has children or grows old: a real HTTP server, and its mapping file.

People are read whole, tickets by what changed, a ticket's comments ticket by ticket; voids say which invoices are gone.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import text

from hub.run import Hub
from hub.store.engine import Store
from mappings.loader import load_sources, shipped
from mappings.rulebook import Instance, Rulebook

A_PAGE = 3
PAGES = {"page": "page", "while": "more"}
_LIST = {"records": "data", "key": "id", "pages": PAGES}
_SAID = {"at": "at", "channel": "EMAIL", "lane": "CUSTOMER"}
SYSTEM: dict[str, Any] = {
    "system": "desk",
    "kind": "support",
    "about": "A small support desk.",
    "settings": {"base_url": {}},
    "http": {"base_url": "${base_url}", "retry_for": "1s"},
    "streams": {
        "people": {
            "get": "/people",
            **_LIST,
            "deleted": {"absent": True, "at_most": 0.4},
            "profile": {"kind": "PERSON", "display_name": "name", "emails": ["email"]},
        },
        "tickets": {
            "get": "/tickets",
            **_LIST,
            "volatile": ["seen"],
            "interaction": {"profile": {"stream": "people", "key": "who"}, "type": "ticket.opened", **_SAID},
        },
        "comments": {
            "get": "/tickets/{parent.id}/comments",
            "parent": {"stream": "tickets", "keep": {"who": "who"}},
            **_LIST,
            "interaction": {"profile": {"stream": "people", "key": "who"}, "type": "ticket.commented", **_SAID},
        },
        "invoices": {
            "get": "/invoices",
            **_LIST,
            "reconcile": {"amount": {"path": "total", "minor": "currency"}, "currency": "currency"},
            "money_entry": {
                "profile": {"stream": "people", "key": "who"},
                "at": "at",
                "kind": "REVENUE",
                "amount": {"path": "total", "minor": "currency"},
                "currency": "currency",
            },
        },
        "voids": {"get": "/voids", **_LIST, "key": "invoice", "deletes": "invoices"},
    },
}

Record = dict[str, Any]


def person(key: str, **more: Any) -> Record:
    return {"id": key, "name": f"{key.title()} Example", "email": f"{key}@{key}.example"} | more


def ticket(key: str, who: str, **more: Any) -> Record:
    return {"id": key, "who": who, "at": "2026-05-01T10:00:00Z", "subject": "Help"} | more


def comment(key: str, **more: Any) -> Record:
    return {"id": key, "at": "2026-05-02T10:00:00Z", "text": f"Comment {key}"} | more


def invoice(key: str, who: str, total: int, **more: Any) -> Record:
    return {"id": key, "who": who, "at": "2026-05-03T10:00:00Z", "total": total, "currency": "EUR"} | more


@dataclass
class Desk:
    """What the system holds, by path; what was asked of it; and paths that fail for the time being."""

    url: str = ""
    holds: dict[str, list[Record]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    before: Callable[[str], None] = lambda asked: None

    def answer(self, path: str, page: int) -> tuple[int, bytes]:
        asked = f"{path}?page={page}"
        self.before(asked)
        self.asked.append(asked)
        if asked in self.broken:
            return 403, b"{}"
        if path not in self.holds:
            return 404, b"{}"
        records = self.holds[path]
        end = page * A_PAGE
        return 200, json.dumps({"data": records[end - A_PAGE : end], "more": end < len(records)}).encode()

    def of(self, path: str, key: str) -> Record:
        return next(record for record in self.holds[path] if record.get("id", record.get("invoice")) == key)

    def drop(self, path: str, key: str) -> None:
        self.holds[path].remove(self.of(path, key))

    def requests(self, path: str) -> int:
        return sum(asked.startswith(f"{path}?") for asked in self.asked)


def stocked() -> Desk:
    """Six people, five tickets with comments, four invoices, nothing void."""
    names = ("ann", "bob", "cem", "dee", "eve", "fay")
    desk = Desk()
    desk.holds["/people"] = [person(name) for name in names]
    desk.holds["/tickets"] = [ticket(f"t{n}", names[n]) for n in range(5)]
    for n in range(5):
        desk.holds[f"/tickets/t{n}/comments"] = [comment(f"c{n}{i}") for i in range(n + 1)]
    desk.holds["/invoices"] = [invoice(f"in{n}", names[n], 1_000 + n) for n in range(4)]
    desk.holds["/voids"] = []
    return desk


@contextmanager
def served(desk: Desk) -> Iterator[Desk]:
    """The desk behind a real server on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            code, body = desk.answer(asked.path, int(parse_qs(asked.query).get("page", ["1"])[0]))
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    desk.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield desk
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def folder_of(path: Path, system: dict[str, Any] = SYSTEM) -> Path:
    """The mapping file in a folder of its own; JSON is YAML."""
    place = path / "sources" / "support"
    place.mkdir(parents=True, exist_ok=True)
    (place / "desk.yml").write_text(json.dumps(system))
    return path


def hub_of(
    store: Store, rulebook: Rulebook, desk: Desk, path: Path, system: dict[str, Any] = SYSTEM, **said: str
) -> Hub:
    """A hub whose only source is the desk; `said` goes into company.yml's line of it."""
    company = rulebook.company.model_copy(update={"sources": {"desk": Instance(system="desk", **said)}})
    rules = rulebook.model_copy(update={"company": company})
    sources = load_sources(rules, [folder_of(path, system), shipped()], {"DESK_BASE_URL": desk.url})
    return Hub(store, rules, sources)


def rows(store: Store, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a statement answers."""
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]
