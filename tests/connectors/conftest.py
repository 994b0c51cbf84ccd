"""A real HTTP server on loopback whose answers a test writes, and sources that point at it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing
from datetime import datetime
from typing import Any

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connectors.auth import NoVault, Signer, Vault, signers
from connectors.http import Answer, Client, Sending
from connectors.pull import Connection, Page
from mappings.loader import Settings, Source
from mappings.spec import System

Handler = Callable[[Request], Response]


def nothing(request: Request) -> Response:
    """An empty list."""
    return Response("[]")


class Server:
    """Answers each request by the handler that the test set, and remembers what was asked; `request["body"]` is the
    body's bytes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests: list[Request] = []
        self.bodies: list[bytes] = []
        self.handler: Handler = nothing
        config = uvicorn.Config(self._app, log_level="error", ws="none", lifespan="off", interface="asgi3")
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._uvicorn.run, kwargs={"sockets": [self._socket]})
        self._thread.start()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        scope["body"] = await request.body()
        self.bodies.append(scope["body"])
        self.requests.append(request)
        await self.handler(request)(scope, receive, send)

    def asked(self, param: str) -> list[str | None]:
        """What this query parameter was in each request."""
        return [request.query_params.get(param) for request in self.requests]

    def sent(self) -> list[Any]:
        """The JSON body of each request."""
        return [json.loads(body) for body in self.bodies]

    def reset(self) -> None:
        self.requests.clear()
        self.bodies.clear()

    def stop(self) -> None:
        self._uvicorn.should_exit = True
        self._thread.join()
        self._socket.close()


@pytest.fixture(scope="session")
def _servers() -> Iterator[tuple[Server, Server]]:
    servers = Server(), Server()
    yield servers
    for server in servers:
        server.stop()


@pytest.fixture
def api(_servers: tuple[Server, Server]) -> Server:
    """The system that sources point at."""
    return begun(_servers[0])


@pytest.fixture
def foreign(_servers: tuple[Server, Server]) -> Server:
    """Another origin, which must never be asked."""
    return begun(_servers[1])


def begun(server: Server) -> Server:
    """The server as if no test had used it before."""
    server.reset()
    server.handler = nothing
    return server


@pytest.fixture
def make_source(api: Server) -> Callable[..., Source]:
    """A source named `shop` with one stream `things` at the server; `http` and `stream` blocks may be added to.

    A stream that says `post` has no `get`; `others` are further streams.
    """

    def make(
        stream: dict[str, Any] | None = None,
        http: dict[str, Any] | None = None,
        settings: dict[str, str] | None = None,
        others: dict[str, Any] | None = None,
    ) -> Source:
        given = {"token": "s3cret-t0ken", **(settings or {})}
        things = {"get": "/things", "records": "data", "key": "id", **(stream or {})}
        if "post" in things:
            del things["get"]
        system = System.model_validate(
            {
                "system": "vendor",
                "kind": "crm",
                "about": "A system of the tests.",
                "settings": {name: {"secret": True} for name in given},
                "http": {"base_url": api.base_url, "auth": {"bearer": "${token}"}, **(http or {})},
                "streams": {"things": things, **(others or {})},
            }
        )
        return Source(name="shop", system=system, settings=Settings(given))

    return make


@pytest.fixture
def pull() -> Callable[..., list[Page]]:
    """All pages of `things` after a cursor, or the first `most`; `notes` is filled with what the connection notes."""

    def run(
        source: Source,
        cursor: Any = None,
        most: int | None = None,
        now: datetime | None = None,
        notes: dict[str, str] | None = None,
        **options: Any,
    ) -> list[Page]:
        async def collect() -> list[Page]:
            pages: list[Page] = []
            async with Connection(source, **options) as connection:
                async with aclosing(connection.pull("things", cursor, now)) as walk:
                    async for page in walk:
                        pages.append(page)
                        if len(pages) == most:
                            break
                if notes is not None:
                    notes.update(connection.notes)
            return pages

        return asyncio.run(collect())

    return run


@pytest.fixture
def ask() -> Callable[..., list[Answer]]:
    """Signs and sends requests of a stream, one after the other or at once, each again where that is worth it."""

    async def one(signer: Signer, client: Client, sending: Sending) -> Answer:
        signed = await signer.sign(sending)
        got = await client.send("shop.things", signed)
        if got.status == 401 and await signer.refused(signed):
            return await client.send("shop.things", await signer.sign(sending))
        return got

    def run(
        source: Source, *sendings: Sending, vault: Vault | None = None, stream: str = "things", at_once: bool = False
    ) -> list[Answer]:
        async def all_of_them() -> list[Answer]:
            async with Client(source) as client:
                signer = signers(source, client, vault or NoVault())[stream]
                asked = sendings or (Sending("GET", "/things", {}),)
                if at_once:
                    return await asyncio.gather(*(one(signer, client, sending) for sending in asked))
                return [await one(signer, client, sending) for sending in asked]

        return asyncio.run(all_of_them())

    return run


@pytest.fixture
def answer() -> Callable[..., Response]:
    """A JSON answer of the server."""

    def make(body: Any, status: int = 200, **headers: str) -> Response:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(json.dumps(body), status, said, "application/json")

    return make
