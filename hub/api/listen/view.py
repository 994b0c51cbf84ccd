"""GraphQL over HTTP and WebSocket, straight on ASGI. In: requests. Out: answers as JSON or events, the GraphiQL page.

Every refusal is JSON with a code, also of what never reaches the schema.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from importlib.resources import files
from typing import Any

from hub.access.principal import Principal
from hub.access.refusal import AccessError
from hub.api.errors import STATUS, ApiError, denied, masked_error
from hub.api.listen.desk import Asked, Desk, asked_by_address, asked_in
from hub.api.listen.reply import JSON, Accepted, Headers, Reply, accepted, refusal, reply_to
from hub.api.listen.streams import send_events, talk

BODY_S = 10.0
"""How long the body of a request may take to arrive."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_PAGE = b"text/html; charset=utf-8"
_CLOSE = (b"connection", b"close")


class View:
    """The endpoint. One operation a request; queries by GET or POST, mutations by POST only."""

    def __init__(self, desk: Desk, most_bytes: int, origins: Collection[str] = ()) -> None:
        """`origins` are the pages of others that may open a WebSocket."""
        self._desk, self._most_bytes, self._origins = desk, most_bytes, origins
        self._talking: set[Any] = set()
        self._page = None if desk.production else files("hub.api").joinpath("static/graphiql.html").read_bytes()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """One request or connection."""
        if scope["type"] == "websocket":
            await talk(self._desk, self._origins, self._talking, scope, receive, send)
            return
        headers = dict(scope["headers"])
        takes = accepted(headers.get(b"accept", b""))
        try:
            reply = await self._replied(scope, headers, takes, receive, send)
        except _Refusal as error:
            reply = error.reply
        except ApiError as error:
            code = str((error.extensions or {}).get("code"))
            reply = refusal(STATUS.get(code, 400), error, takes.whole or JSON, [_CLOSE] if code == "TOO_LARGE" else [])
        except AccessError as error:
            said = denied(error)
            reply = refusal(STATUS[said.extensions["code"]], said, takes.whole or JSON)  # type: ignore[index]
        except Exception as error:
            reply = refusal(500, masked_error(error), takes.whole or JSON)
        if reply is not None:
            length = (b"content-length", str(len(reply.body)).encode())
            headed = reply.headers if reply.status == 304 else [*reply.headers, length]
            await send({"type": "http.response.start", "status": reply.status, "headers": headed})
            await send({"type": "http.response.body", "body": reply.body})

    async def _replied(
        self, scope: Any, headers: Mapping[bytes, bytes], takes: Accepted, receive: Receive, send: Send
    ) -> Reply | None:
        """The reply, or None where a stream was sent or nobody is there any more."""
        method = scope["method"]
        if method == "POST":
            _must_be_json(headers.get(b"content-type", b""))
        elif method not in ("GET", "HEAD"):
            raise _Refusal(405, "ask by GET or POST", [(b"allow", b"GET, HEAD, POST, OPTIONS")])
        elif takes.page and self._page is not None and b"query=" not in scope["query_string"]:
            return Reply(200, [(b"content-type", _PAGE), (b"vary", b"Accept")], self._page)
        principal = await self._desk.admit(headers)
        self._desk.rates.take(principal)
        if method == "POST":
            body = await self._body(headers, receive)
            if body is None:
                return None
            asked = asked_in(body)
        else:
            if len(scope["query_string"]) > self._most_bytes:
                raise self._too_large()
            asked = asked_by_address(scope["query_string"])
        return await self._answered(asked, principal, method, headers, takes, receive, send)

    async def _answered(
        self,
        asked: Asked,
        principal: Principal,
        method: str,
        headers: Mapping[bytes, bytes],
        takes: Accepted,
        receive: Receive,
        send: Send,
    ) -> Reply | None:
        desk = self._desk
        document = desk.document(asked)
        kind = document.kind(asked.operation_name)
        if kind == "mutation" and method != "POST":
            raise _Refusal(405, "mutations are sent by POST", [(b"allow", b"POST")])
        if takes.events and (kind == "subscription" or takes.whole is None):
            no = desk.engine.check(document, asked.operation_name, asked.variables, principal)
            if no is None:
                stream = desk.engine.stream(document, asked.operation_name, asked.variables, principal)
                await send_events(stream, lambda: desk.admit(headers), receive, send)
                return None
            return await reply_to(no, takes.whole or JSON, headers, tagged=False)
        if kind == "subscription":
            raise _Refusal(400, "subscriptions need a WebSocket, or Accept: text/event-stream")
        if takes.whole is None:
            raise _Refusal(406, "accept application/graphql-response+json or application/json")
        with desk.rates.running(principal):
            answer = await desk.engine.answer(document, asked.operation_name, asked.variables, principal)
        return await reply_to(answer, takes.whole, headers, tagged=method != "POST")

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes | None:
        """The body, read no further than the limit and no longer than BODY_S; None where the client has left."""
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > self._most_bytes:
            raise self._too_large()
        body: bytes = b""
        try:
            async with asyncio.timeout(BODY_S):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > self._most_bytes:
                        raise self._too_large()
                    if not message.get("more_body"):
                        return body
        except TimeoutError:
            said = f"the body did not arrive within {BODY_S:g} s"
            raise _Refusal(408, said, [_CLOSE], "TIMED_OUT") from None

    def _too_large(self) -> ApiError:
        return ApiError("TOO_LARGE", f"the request has more than {self._most_bytes} bytes")


class _Refusal(Exception):
    """A request that HTTP has a status of its own for."""

    def __init__(self, status: int, message: str, headers: Headers | None = None, code: str = "BAD_QUERY") -> None:
        super().__init__(message)
        self.reply = refusal(status, ApiError(code, message), headers=headers)


def _must_be_json(content_type: bytes) -> None:
    """Other pages cannot send JSON without asking the browser first: so nothing is done in a visitor's name."""
    if content_type.partition(b";")[0].strip().lower() != b"application/json":
        raise _Refusal(415, "Content-Type must be application/json")
