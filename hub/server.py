"""The server. In: the hub, its settings, where it is to listen. Out: an ASGI application; routes as a list.

Serving reads what the last sync stored; only a steward's mutation calls the write path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.access import LOOPBACK_NAMES, must_not_be_open
from hub.api.context import Context, Writer
from hub.api.schema import build_schema, committed_sdl
from hub.api.scope import House
from hub.api.subscribe import Outbox
from hub.api.view import View, guarded
from hub.erase import erase
from hub.run import Hub
from hub.settings import Settings
from hub.store.engine import Store
from hub.store.errors import StoreError
from hub.store.schema import check_schema
from hub.sync import follow

# GraphiQL styles its elements inline; everything else comes from this server and runs nowhere else.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_app(hub: Hub, settings: Settings, host: str = "127.0.0.1", writer: Writer | None = None) -> Starlette:
    """The application. Raises SettingError where it would listen beyond loopback without a key."""
    key, access = settings.api_key, hub.rulebook.access
    must_not_be_open(host, key)
    schema = build_schema(access)
    house = House(hub.rulebook, hub.sources, hub.store.dialect)
    context = Context(hub.store, house, schema.declarations, writer or writes(hub), Outbox(hub.store))
    view = View(schema, context, key, access.max_body_bytes)
    middleware = [Middleware(SecurityHeaders)]
    if key is None:
        # Without a key, only the name keeps out a page whose host name was turned to loopback.
        middleware.append(Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK_NAMES]))
    return Starlette(
        routes=[
            Route("/", lambda request: RedirectResponse("/graphql")),
            Route("/graphql", view),
            WebSocketRoute("/graphql", view),
            Route("/schema.graphql", guarded(key, lambda request: PlainTextResponse(committed_sdl()))),
            Route("/healthz", _healthy),
            Route("/readyz", _readiness(hub.store)),
            Mount("/static", StaticFiles(packages=[("hub.api", "static")])),
        ],
        middleware=middleware,
    )


def writes(hub: Hub) -> Writer:
    """The write path of a hub, as mutations call it."""
    return Writer(
        follow=lambda as_of: follow(hub, as_of),
        erase=lambda public_id, dry_run, as_of: erase(hub.store, public_id, dry_run, as_of),
    )


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


class SecurityHeaders:
    """Adds the security headers to every answer; what is data is never cached."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)
