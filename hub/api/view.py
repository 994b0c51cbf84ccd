"""GraphQL over HTTP and WebSocket. In: requests. Out: answers as JSON, server-sent events, or the GraphiQL page.

Every refusal is JSON with a code, also of what never reaches the schema.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib.resources import files
from typing import Any

import msgspec
from cross_web import HTTPException
from graphql import GraphQLError, OperationType, get_operation_ast
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UNSET

from hub.api.access import authorized
from hub.api.context import Context
from hub.api.errors import masked_error
from hub.api.schema import Schema

_CODES = {401: "UNAUTHENTICATED", 413: "TOO_LARGE"}


class View(GraphQL[Context, None]):
    """The endpoint. One operation a request; queries by GET or POST, mutations by POST only."""

    def __init__(self, schema: Schema, context: Context, key: str | None, most_bytes: int) -> None:
        protocols = (GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL)
        super().__init__(schema, subscription_protocols=protocols)
        self._context, self._key, self._most_bytes = context, key, most_bytes
        self._documents = schema.documents

    async def get_context(self, request: Request | WebSocket, response: Any) -> Context:
        """The context of one request or connection."""
        return replace(self._context, authorized=authorized(request.headers, self._key))

    async def on_ws_connect(self, context: Context) -> Any:
        """A browser cannot send headers with a WebSocket, so its first message may hold the key."""
        if not context.authorized and not authorized(context.connection_params or {}, self._key):
            raise ConnectionRejectionError
        return UNSET

    async def run(self, request: Any, context: Any = UNSET, root_value: Any = UNSET) -> Any:
        """One request or connection."""
        if request.scope["type"] == "websocket":
            return await super().run(request, context, root_value)
        try:
            if self._shows_page(request):
                return self._page()
            await self._admit(request)
            return await super().run(request, context, root_value)
        except HTTPException as error:
            return refusal(error.status_code, error.reason)
        except Exception as error:
            masked = masked_error(error)
            return refusal(500, masked.message, masked.extensions)

    def should_render_graphql_ide(self, request: Any) -> bool:
        """Never by strawberry: its page loads from elsewhere."""
        return False

    def encode_json(self, data: object) -> str:
        """Compact JSON, as text: a WebSocket message must not be binary."""
        return msgspec.json.encode(data).decode()

    def decode_json(self, data: str | bytes) -> object:
        """JSON, strictly."""
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise json.JSONDecodeError("no JSON", "", 0) from None

    async def execute_single(self, *arguments: Any, **said: Any) -> Any:
        """One operation. Raises HTTPException for a subscription, which needs a stream."""
        data = said["request_data"]
        if data.query and self._is_subscription(data.query, data.operation_name):
            raise HTTPException(400, "subscriptions need a WebSocket, or Accept: text/event-stream")
        return await super().execute_single(*arguments, **said)

    def _is_subscription(self, query: str, name: str | None) -> bool:
        try:
            operation = get_operation_ast(self._documents.parsed(query), name)
        except GraphQLError:
            return False  # said again, and better, when it is run
        return operation is not None and operation.operation is OperationType.SUBSCRIPTION

    async def parse_http_body(self, request: Any) -> Any:
        """The operation that a request holds. Raises HTTPException."""
        data = await super().parse_http_body(request)
        if not isinstance(data, list) and not isinstance(data.operation_name, str | None):
            raise HTTPException(400, "operationName must be a string")
        return data

    def parse_json(self, data: str | bytes) -> Any:
        """The object of a body or parameter. Raises HTTPException where it is none."""
        said = super().parse_json(data)
        if not isinstance(said, dict | list):
            raise HTTPException(400, "the body must be a JSON object")
        return said

    def _shows_page(self, request: Request) -> bool:
        wants_page = "text/html" in request.headers.get("accept", "")
        return request.method == "GET" and "query" not in request.query_params and wants_page

    def _page(self) -> Response:
        return HTMLResponse(files("hub.api").joinpath("static/graphiql.html").read_text(encoding="utf-8"))

    async def _admit(self, request: Request) -> None:
        """Raises HTTPException for a request without the key, that is no JSON, or is too large."""
        if not authorized(request.headers, self._key):
            raise HTTPException(401, "send the key as Authorization: Bearer … or X-API-Key")
        if request.method == "POST":
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise HTTPException(415, "Content-Type must be application/json")
            await self._body(request)
        elif len(request.url.query) > self._most_bytes:
            raise HTTPException(413, f"the request has more than {self._most_bytes} bytes")

    async def _body(self, request: Request) -> None:
        """Reads the body, no further than the limit."""
        parts, size = [], 0
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > self._most_bytes:
                raise HTTPException(413, f"the request has more than {self._most_bytes} bytes")
        request._body = b"".join(parts)


def refusal(status: int, message: str, extensions: dict[str, Any] | None = None) -> Response:
    """A refusal as GraphQL clients expect it."""
    said = extensions or {"code": _CODES.get(status, "BAD_QUERY")}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse({"errors": [{"message": message, "extensions": said}]}, status, headers)


def guarded(key: str | None, answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers only those who have the key."""

    async def endpoint(request: Request) -> Response:
        if not authorized(request.headers, key):
            return refusal(401, "send the key as Authorization: Bearer … or X-API-Key")
        return answer(request)

    return endpoint
