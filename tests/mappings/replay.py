"""A system played back: a real HTTP server on loopback that answers from files of exchanges.

In: tests/mappings/exchanges/<system>/*.json, each a list of {ask, answer, about}. An ask matches a request of its
method and path that holds every pair of its `query`, `headers` and `body` (null: it is not there); the ask with most
pairs wins. Asks that match alike answer one after the other, the last one from then on. `${base_url}` in an answer is
the server's own address. The refusal of wrong credentials is the first answer of status 401, or of `refusal: true`.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

EXCHANGES = Path(__file__).parent / "exchanges"
NO_ANSWER = 418  # no exchange answers: no connector takes this status for anything else
PASSING = (429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a request has to say to be answered by an exchange."""

    method: str
    path: str
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Ask:
        """An ask as an exchange file has it. Raises TypeError for a word that it does not know."""
        return cls(**{"method": "GET", "query": {}, "headers": {}, "body": None, **said})

    def fit(self, told: Told) -> int:
        """How many pairs of this ask the request holds; -1 where one is missing."""
        if (self.method, self.path) != (told.method, told.path):
            return -1
        parts = [_held(self.query, told.query), _held({n.lower(): v for n, v in self.headers.items()}, told.headers)]
        parts.append(0 if self.body is None else _held(self.body, told.body))
        return -1 if -1 in parts else sum(parts)


@dataclass(frozen=True, slots=True)
class Told:
    """A request that came: a parameter that came several times is a list, a form's fields are a map of texts."""

    method: str
    path: str
    query: dict[str, Any]
    headers: dict[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path} {json.dumps(self.query)} {json.dumps(self.body)}"


@dataclass(slots=True)
class Exchange:
    """An ask, its answer, and whether that answer is the refusal of wrong credentials."""

    ask: Ask
    status: int
    headers: dict[str, str]
    content: str
    about: str
    refusal: bool
    used: int = 0


@dataclass(slots=True)
class Replay:
    """The running server. `told` are the requests that came, `strays` those that no exchange answers."""

    base_url: str
    exchanges: list[Exchange]
    told: list[Told] = field(default_factory=list)
    strays: list[Told] = field(default_factory=list)
    refusing: bool = False  # answer everything as the system answers wrong credentials

    def forget(self) -> None:
        """As new: nothing was asked, nobody is refused, every answer stands again but failures that have passed."""
        self.told.clear()
        self.strays.clear()
        self.refusing = False
        for exchange in self.exchanges:
            exchange.used = exchange.used if exchange.status in PASSING else 0

    @property
    def refusal(self) -> Exchange | None:
        """How the system answers wrong credentials, where its exchanges hold that."""
        return next((exchange for exchange in self.exchanges if exchange.refusal), None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        told = _told(request, await request.body())
        self.told.append(told)
        chosen = self.refusal if self.refusing else self._chosen(told)
        if chosen is None:
            self.strays.append(told)
            await Response(f"no exchange answers {told}", NO_ANSWER)(scope, receive, send)
            return
        content = chosen.content.replace("${base_url}", self.base_url)
        headers = {name: value.replace("${base_url}", self.base_url) for name, value in chosen.headers.items()}
        if "Retry-After" in headers:
            headers["Retry-After"] = "0"  # a test need not wait as long as the system wants
        await Response(content, chosen.status, headers)(scope, receive, send)

    def _chosen(self, told: Told) -> Exchange | None:
        fits = [(exchange.ask.fit(told), exchange) for exchange in self.exchanges]
        best = max((fit for fit, _ in fits), default=-1)
        if best < 0:
            return None
        alike = [exchange for fit, exchange in fits if fit == best]
        chosen = next((exchange for exchange in alike if not exchange.used), alike[-1])
        chosen.used += 1
        return chosen


def systems() -> list[str]:
    """The systems of which there are exchanges."""
    return sorted(path.parent.name for path in EXCHANGES.glob("*/expect.json"))


def exchanges(system: str) -> list[Exchange]:
    """All exchanges of a system, file by file in the order of their names."""
    files = sorted(path for path in (EXCHANGES / system).glob("*.json") if path.name != "expect.json")
    return [_exchange(said) for path in files for said in json.loads(path.read_text("utf-8"))]


@contextmanager
def replaying(system: str) -> Iterator[Replay]:
    """The server of a system's exchanges, on a free port of loopback, until the end of the block."""
    listening = socket.create_server(("127.0.0.1", 0))
    replay = Replay(f"http://127.0.0.1:{listening.getsockname()[1]}", exchanges(system))
    config = uvicorn.Config(replay, log_level="error", ws="none", lifespan="off", interface="asgi3")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield replay
    finally:
        running.should_exit = True
        thread.join()
        listening.close()


def _exchange(said: Mapping[str, Any]) -> Exchange:
    answer = said["answer"]
    plain = "text" in answer
    content = answer["text"] if plain else json.dumps(answer.get("body"), ensure_ascii=False)
    headers = {
        "Content-Type": "text/plain; charset=utf-8" if plain else "application/json",
        **answer.get("headers", {}),
    }
    status = answer.get("status", 200)
    refusal = said.get("refusal", status == 401)
    return Exchange(Ask.of(said["ask"]), status, headers, content, said.get("about", ""), refusal)


def _told(request: Request, body: bytes) -> Told:
    query: dict[str, Any] = {}
    for name in request.query_params:
        values = request.query_params.getlist(name)
        query[name] = values if len(values) > 1 else values[0]
    kind = request.headers.get("content-type", "")
    said: Any = None
    if body:
        said = dict(parse_qsl(body.decode(), keep_blank_values=True)) if "form" in kind else json.loads(body)
    return Told(request.method, request.url.path, query, dict(request.headers), said)


def _held(part: Any, whole: Any) -> int:
    """How many values of the part stand in the whole at their places; -1 where one does not."""
    if isinstance(part, dict):
        inner = [_held(value, whole.get(name)) if isinstance(whole, dict) else -1 for name, value in part.items()]
        return -1 if -1 in inner else sum(inner)
    if isinstance(part, list) and isinstance(whole, list):
        inner = [_held(one, other) for one, other in zip(part, whole, strict=False)]
        return -1 if len(part) != len(whole) or -1 in inner else sum(inner)
    return 1 if _word(part) == _word(whole) else -1


def _word(value: Any) -> Any:
    """A query and a form hold texts only: 1 and "1", true and "true" are the same."""
    return value if value is None or isinstance(value, str | dict | list) else json.dumps(value)
