"""Answers as they come: server-sent events, and WebSockets by graphql-transport-ws. In: operations. Out: messages.

Who listens is asked again every few seconds, so that a key that was taken back ends its streams too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
from starlette.websockets import WebSocket
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.websocket_origin import is_same_origin
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.types.unset import UNSET

from hub.access.principal import Principal
from hub.access.refusal import AccessError
from hub.api.engine import Answer, refused
from hub.api.errors import ApiError, denied
from hub.api.listen.desk import Asked, Desk, asked_by_message
from hub.api.listen.reply import as_events, errors_of

BEAT_S = 15.0
"""How often a stream is looked after: a sign of life, and whether the key still holds."""
SEND_S = 30.0
"""How long a client may take to read an event."""
INIT_S = 10.0
"""How long a WebSocket may say nothing at first."""
IDLE_BEATS = 20
"""Looks at a WebSocket on which nothing runs before it is closed."""
MOST_OPERATIONS = 20
"""On one WebSocket at once."""
MOST_CONNECTIONS = 1_000
"""WebSockets of this process."""

_EVENTS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
_COMPLETE = b"event: complete\r\ndata: \r\n\r\n"
_BEAT = b": ping\r\n\r\n"
_SUBPROTOCOL, _TOO_MANY, _FORBIDDEN, _BAD, _IDLE = 4406, 1013, 4403, 4400, 1000

Answers = AsyncGenerator[Answer, None]


async def send_events(answers: Answers, admit: Callable[[], Awaitable[Principal]], receive: Any, send: Any) -> None:
    """Sends answers as server-sent events until they end, the client leaves, or is not admitted any more."""
    await send({"type": "http.response.start", "status": 200, "headers": _EVENTS})
    gone = asyncio.create_task(_left(receive))
    coming = asyncio.create_task(anext(answers, None))
    try:
        while not gone.done():
            await asyncio.wait({gone, coming}, timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                await admit()
                await _part(send, _BEAT)
                continue
            answer = coming.result()
            if answer is None:
                break
            await _part(send, as_events(answer))
            coming = asyncio.create_task(anext(answers, None))
        await _part(send, _COMPLETE, more=False)
    except (AccessError, TimeoutError):
        await send({"type": "http.response.body", "body": b""})
    finally:
        await _ended(gone, coming)
        await answers.aclose()


async def _part(send: Any, body: bytes, more: bool = True) -> None:
    async with asyncio.timeout(SEND_S):
        await send({"type": "http.response.body", "body": body, "more_body": more})


async def _left(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _ended(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task


async def talk(desk: Desk, origins: Collection[str], others: set[Any], scope: Any, receive: Any, send: Any) -> None:
    """One WebSocket, until either side closes it; it is one of `others` meanwhile.

    A page of another origin is refused unless it is one of `origins`.
    """
    socket = WebSocket(scope, receive, send)
    origin = socket.headers.get("origin")
    if origin is not None and origin not in origins and not is_same_origin(origin, socket.headers.get("host")):
        await socket.close(_TOO_MANY)  # before it is accepted: the handshake is answered with 403
        return
    spoken = GRAPHQL_TRANSPORT_WS_PROTOCOL in scope["subprotocols"]
    await socket.accept(GRAPHQL_TRANSPORT_WS_PROTOCOL if spoken else None)
    if not spoken:
        await socket.close(_SUBPROTOCOL, "speak graphql-transport-ws")
    elif len(others) >= MOST_CONNECTIONS:
        await socket.close(_TOO_MANY, f"{MOST_CONNECTIONS} connections are open, {MOST_CONNECTIONS} at most")
    else:
        others.add(socket)
        try:
            await _Talk(desk, socket).handle()
        finally:
            others.discard(socket)


@dataclass
class _Said:
    """What a connection said first."""

    connection_params: dict[str, Any] = field(default_factory=dict)


class _Json:
    """How messages are written and read, and who may connect, as the protocol's handler asks for it."""

    def __init__(self, admitted: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self._admitted = admitted

    def encode_json(self, data: object) -> str:
        """Compact JSON, as text: a WebSocket message must not be binary."""
        return msgspec.json.encode(data).decode()

    def decode_json(self, data: str | bytes) -> object:
        """A message; one that is none ends the connection."""
        try:
            said = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            said = None
        return said if isinstance(said, dict) else {}

    async def on_ws_connect(self, context: _Said) -> Any:
        """A browser cannot send headers with a WebSocket, so its first message may hold the key."""
        try:
            await self._admitted(context.connection_params)
        except AccessError:
            raise ConnectionRejectionError from None
        return UNSET


class _Talk(BaseGraphQLTransportWSHandler[Any, Any]):
    """The protocol's handler, with our operations."""

    def __init__(self, desk: Desk, socket: WebSocket) -> None:
        view: Any = _Json(self._admitted)
        adapter = ASGIWebSocketAdapter(view, socket, socket)
        nothing: Any = None
        super().__init__(view, adapter, _Said(), None, nothing, timedelta(seconds=INIT_S), MOST_OPERATIONS)
        self._desk, self._headers = desk, dict(socket.scope["headers"])
        self._principal: Principal | None = None

    async def handle(self) -> None:
        """The connection from its first message to its last."""
        looking = asyncio.create_task(self._look_after())
        try:
            await super().handle()
        finally:
            await _ended(looking)

    async def _admitted(self, said: dict[str, Any]) -> None:
        """Raises AccessError where neither the headers nor the first message hold a key."""
        first = {name.lower().encode(): value.encode() for name, value in said.items() if isinstance(value, str)}
        self._headers = {**self._headers, **first}
        self._principal = await self._desk.admit(self._headers)

    async def _look_after(self) -> None:
        """Closes a connection on which nothing runs, or whose key was taken back."""
        idle = 0
        while idle < IDLE_BEATS:
            await asyncio.sleep(BEAT_S)
            idle = 0 if self.operations else idle + 1
            if self._principal is not None:
                try:
                    await self._desk.admit(self._headers)
                except AccessError as error:
                    await self.websocket.close(_FORBIDDEN, str(error)[:120])
                    return
        await self.websocket.close(_IDLE, "nothing was asked for a while")

    async def handle_subscribe(self, message: Any) -> None:
        """One operation."""
        number = message["id"]
        if self._principal is None or number in self.operations:
            await super().handle_subscribe(message)  # which closes the connection
            return
        try:
            if len(self.operations) >= MOST_OPERATIONS:
                raise ApiError("TOO_MANY_REQUESTS", f"{MOST_OPERATIONS} operations run, {MOST_OPERATIONS} at most")
            asked = asked_by_message(message["payload"])
        except ApiError as error:
            await self.send_message({"id": number, "type": "error", "payload": [error.formatted]})
            return
        operation: Operation[Any, Any] = Operation(self, number, "", None, None)
        self.operations[number] = operation
        operation.task = asyncio.create_task(self._run(operation, asked, self._principal))
        operation.task.add_done_callback(self._task_done)

    async def _run(self, operation: Operation[Any, Any], asked: Asked, principal: Principal) -> None:
        try:
            self._desk.rates.take(principal)
            document = self._desk.document(asked)
            listens = document.kind(asked.operation_name) == "subscription"
            stream = self._desk.engine.stream(document, asked.operation_name, asked.variables, principal)
            with nullcontext() if listens else self._desk.rates.running(principal):
                async with aclosing(stream) as answers:
                    async for answer in answers:
                        if await self._told(operation, answer):
                            return
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        except AccessError as error:
            await self._told(operation, refused([denied(error)]))
        except ApiError as error:
            await self._told(operation, refused([error]))

    async def _told(self, operation: Operation[Any, Any], answer: Answer) -> bool:
        """Sends an answer; true where it was an error that ends the operation."""
        message: Any = {"id": operation.id, "type": "next", "payload": msgspec.Raw(answer.body)}
        if answer.status != 200:
            message = {"id": operation.id, "type": "error", "payload": errors_of(answer)}
        await operation.send_operation_message(message)
        return answer.status != 200
