"""In: HTTP requests to one app. Out: each counted, delayed, refused now and then, then answered."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

LIMITED_EVERY, UNAVAILABLE_EVERY = 23, 41


@dataclass(frozen=True)
class Asked:
    """A request taken apart: names from the path, parameters of query and form in order, the key that was shown."""

    path: str
    names: dict[str, str]
    pairs: tuple[tuple[str, str], ...]
    bearer: str | None
    user: str | None
    password: str | None

    def get(self, name: str) -> str | None:
        """The last value of a parameter."""
        return dict(self.pairs).get(name)

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a repeated parameter (`expand[]`, `expand[0]`)."""
        return tuple(value for key, value in self.pairs if key.partition("[")[0] == name)

    def unknown(self, known: frozenset[str]) -> list[str]:
        """Parameters whose name before a bracket is not among those known."""
        return [key for key, _ in self.pairs if key.partition("[")[0] not in known]


class RefusedError(Exception):
    """An answer other than 200, raised where it is noticed."""

    def __init__(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        super().__init__(str(status))
        self.status, self.body, self.headers = status, body, headers


Answer = Callable[[Asked], bytes]


class Gate:
    """The entrance of one app. `requests` lists every request as `METHOD path?query`, refused ones included.

    With faults on, every 23rd request gets a 429 and every 41st a 503; a request that was refused so passes next time.
    """

    def __init__(self, *, faults: bool, latency_ms: float, limited: object, unavailable: object) -> None:
        self._faults, self._latency = faults, latency_ms / 1000
        self._limited, self._unavailable = limited, unavailable
        self._forgiven: set[str] = set()
        self._refused = 0
        self.requests: list[str] = []

    def route(self, path: str, answer: Answer, methods: tuple[str, ...] = ("GET",)) -> Route:
        """A route whose requests pass this gate before `answer` sees them."""

        async def endpoint(request: Request) -> Response:
            body = await request.body()
            if self._latency:
                await asyncio.sleep(self._latency)
            try:
                self._let_in(request, body)
                return Response(answer(_taken_apart(request, body)), media_type="application/json")
            except RefusedError as refusal:
                content = msgspec.json.encode(refusal.body)
                return Response(content, refusal.status, refusal.headers, media_type="application/json")

        return Route(path, endpoint, methods=list(methods))

    def _let_in(self, request: Request, body: bytes) -> None:
        line = f"{request.method} {request.url.path}?{request.url.query}"
        if body:
            line += f" {body.decode('utf-8', 'replace')}"
        self.requests.append(line)
        if line in self._forgiven:
            self._forgiven.discard(line)
            return
        count = len(self.requests)
        if self._faults and count % LIMITED_EVERY == 0:
            self._forgiven.add(line)
            self._refused += 1
            raise RefusedError(429, self._limited, {"Retry-After": "1" if self._refused == 2 else "0"})
        if self._faults and count % UNAVAILABLE_EVERY == 0:
            self._forgiven.add(line)
            raise RefusedError(503, self._unavailable)


def _taken_apart(request: Request, body: bytes) -> Asked:
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    if request.method == "POST":
        pairs += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    bearer = shown.strip() if scheme.lower() == "bearer" else None
    user, password = _basic(shown) if scheme.lower() == "basic" else (None, None)
    names = {name: str(value) for name, value in request.path_params.items()}
    return Asked(request.url.path, names, tuple(pairs), bearer, user, password)


def _basic(shown: str) -> tuple[str | None, str | None]:
    try:
        user, _, password = base64.b64decode(shown, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return user, password
