"""The server. In: the hub, its settings, where it is to listen. Out: an ASGI application; routes as a list.

Serving reads what the last sync stored; only a steward's mutation calls the write path.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from hub.access.audit import Audit
from hub.access.gate import LOOPBACK_NAMES, Gate, must_not_be_open
from hub.access.rate import Rates
from hub.access.refusal import AccessError
from hub.api.asked.documents import Documents
from hub.api.asked.trusted import trusted_documents
from hub.api.context import Context, Writer
from hub.api.engine import Engine
from hub.api.errors import STATUS, ApiError, denied
from hub.api.federation import build_subgraph
from hub.api.listen.desk import Desk
from hub.api.listen.reply import refusal
from hub.api.listen.subscribe import Outbox
from hub.api.listen.view import Receive, Send, View
from hub.api.plan.planner import Planner
from hub.api.plan.run import open_runner
from hub.api.schema import build_schema, committed_sdl
from hub.api.scope import House
from hub.erasure.erase import erase
from hub.export.endpoint import routes as bi_routes
from hub.run import Hub
from hub.settings import Settings
from hub.store.engine import Store
from hub.store.errors import StoreError
from hub.store.schema import check_schema
from hub.sync import follow
from hub.upkeep.webhooks import Inlet

# GraphiQL styles its elements inline; everything else comes from this server and runs nowhere else.
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NOT_KEPT = (b"cache-control", b"no-store")
_METHODS = b"GET, HEAD, POST, OPTIONS"
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, HEAD, POST"),
    (b"access-control-allow-headers", b"authorization, content-type, if-none-match, x-api-key"),
    (b"access-control-max-age", b"600"),
)

log = structlog.get_logger(__name__)


def create_app(hub: Hub, settings: Settings, host: str = "127.0.0.1", writer: Writer | None = None) -> Door:
    """The application. Raises SettingError where it would listen beyond loopback with nothing to keep others out."""
    access = hub.rulebook.access
    gate, rates, audit = Gate(settings, hub.rulebook, hub.store), Rates(access.max_concurrent), Audit(hub.store)
    must_not_be_open(host, gate)
    schema = build_subgraph() if settings.federation else build_schema()
    house = House(hub.rulebook, hub.sources, hub.store.dialect)
    context = Context(hub.store, house, schema.declarations, writer or writes(hub), Outbox(hub.store))
    trusted = trusted_documents(settings.documents) if settings.production or settings.documents else {}
    # A gateway writes its documents itself, so they cannot be registered here.
    closed = settings.production and not settings.federation
    documents = Documents(schema._schema, access, trusted, settings.production, closed)
    for identifier, problem in documents.unusable().items():
        log.warning("a trusted document cannot run", id=identifier, problem=problem)
    planner = Planner(schema, house, open_runner(hub.store, access.timeout_s), context.query)
    engine = Engine(schema, context, planner, settings.production, None if gate.open else audit)
    inlet = Inlet(hub, settings.public_url)
    view = View(Desk(engine, documents, gate, rates, settings.production), access.max_body_bytes, settings.cors_origins)

    @asynccontextmanager
    async def lifespan(_site: Starlette) -> AsyncIterator[None]:
        yield
        await inlet.close()
        await planner.close()
        await gate.close()
        await asyncio.to_thread(audit.close)

    site = Starlette(
        routes=[*inlet.routes(), *bi_routes(hub, gate, audit, rates), *_routes(hub, gate, settings.production)],
        lifespan=lifespan,
    )
    # Without a key, only the name keeps out a page whose host name was turned to loopback.
    return Door(view, site, LOOPBACK_NAMES if gate.open else None, settings.cors_origins)


def must_be_servable(hub: Hub, settings: Settings, host: str) -> None:
    """Raises SettingError for what `create_app` would refuse, and opens nothing."""
    must_not_be_open(host, Gate(settings, hub.rulebook, hub.store))
    trusted_documents(settings.documents)


def _routes(hub: Hub, gate: Gate, production: bool) -> list[BaseRoute]:
    always: list[BaseRoute] = [Route("/healthz", _healthy), Route("/readyz", _readiness(hub.store))]
    if production:
        return always
    return [
        *always,
        Route("/", lambda request: RedirectResponse("/graphql")),
        Route("/schema.graphql", _guarded(gate, lambda request: PlainTextResponse(committed_sdl()))),
        Mount("/static", StaticFiles(packages=[("hub.api", "static")])),
    ]


def writes(hub: Hub) -> Writer:
    """The write path of a hub, as mutations call it."""
    return Writer(
        follow=lambda as_of: follow(hub, as_of),
        erase=lambda public_id, dry_run, as_of: erase(hub.store, public_id, dry_run, as_of),
    )


def _guarded(gate: Gate, answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers only those whom the gate admits."""

    async def endpoint(request: Request) -> Response:
        try:
            await gate.admit(request.headers)
        except AccessError as error:
            said = denied(error)
            reply = refusal(STATUS[said.extensions["code"]], said)  # type: ignore[index]
            return Response(reply.body, reply.status, {name.decode(): value.decode() for name, value in reply.headers})
        return answer(request)

    return endpoint


async def _healthy(request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


def _readiness(store: Store) -> Callable[[Request], Awaitable[Response]]:
    """The database answers, and its schema fits the code."""

    def check() -> None:
        with store.read() as connection:
            check_schema(connection, store.place)

    async def ready(request: Request) -> Response:
        try:
            await asyncio.to_thread(check)
        except StoreError as error:
            return JSONResponse({"status": "not ready", "reason": str(error)}, 503)
        return JSONResponse({"status": "ready"})

    return ready


class Door:
    """Every request comes in here: names and origins are looked at, every answer gets the security headers.

    GraphQL is answered at once, without a way through routes. What is data is never kept by a browser.
    """

    def __init__(self, view: View, site: Starlette, names: Sequence[str] | None, origins: Sequence[str]) -> None:
        """`names` of hosts that may be asked for (None: any), `origins` of pages that may read the answers."""
        self._view, self.site = view, site
        self._names = None if names is None else {name.encode() for name in names}
        self._origins = {origin.encode() for origin in origins}
        self._headers = [*_HEADERS, *([(b"vary", b"Origin")] if origins else [])]

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """One request, connection or lifespan."""
        if scope["type"] == "lifespan":
            await self.site(scope, receive, send)
            return
        said = dict(scope["headers"])
        if scope["type"] == "http":
            send = self._sending(scope, said.get(b"origin"), send)
        if self._names is not None and _name(said.get(b"host", b"")) not in self._names:
            await self._refused(scope, send)
        elif scope["type"] == "http" and scope["method"] == "OPTIONS":
            await _told(
                send, 204, [(b"allow", _METHODS), *(_PREFLIGHT if said.get(b"origin") in self._origins else ())]
            )
        elif scope["path"] == "/graphql":
            await self._view(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await self.site(scope, receive, send)

    def _sending(self, scope: Any, origin: bytes | None, send: Send) -> Send:
        headers = self._headers
        if origin is not None and origin in self._origins:
            exposed = (b"access-control-expose-headers", b"etag, retry-after")
            headers = [*headers, (b"access-control-allow-origin", origin), exposed]
        fixed = scope["path"].startswith("/static/")

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = list(message["headers"])
                kept = fixed or any(name == b"cache-control" for name, _ in own)
                message["headers"] = [*own, *headers] if kept else [*own, *headers, _NOT_KEPT]
            await send(message)

        return send_with_headers

    async def _refused(self, scope: Any, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        reply = refusal(400, ApiError("BAD_QUERY", f"without a key, only {', '.join(LOOPBACK_NAMES)} may be asked for"))
        await _told(send, reply.status, reply.headers, reply.body)


def _name(host: bytes) -> bytes:
    """The name of a host without its port."""
    return host if host.endswith(b"]") else host.rpartition(b":")[0] or host


async def _told(send: Send, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes = b"") -> None:
    sized = [] if status == 204 else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *sized]})
    await send({"type": "http.response.body", "body": body})
