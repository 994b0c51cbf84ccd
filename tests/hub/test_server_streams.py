"""Subscriptions as clients get them: a real server, WebSocket and server-sent events, flags raised by anybody."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, takewhile
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from hub.api.context import Writer
from hub.run import Hub
from hub.server import create_app
from hub.settings import Settings
from hub.store.derived import risk_flag
from hub.store.engine import Store
from hub.store.kept import outbox
from mappings.rulebook import Rulebook
from tests.hub.api.conftest import put, put_customer

KEY = "k3y-of-the-tests"
WAIT = 20
CONTRACT = "subscription { riskFlagRaised(minSeverity: HIGH) { id rule severity customer { id displayName } } }"


def _never(public_id: str, dry_run: bool, as_of: int) -> Any:
    raise AssertionError("nobody is erased here")


@contextmanager
def served(store: Store, rulebook: Rulebook, key: str | None = None) -> Iterator[str]:
    """A server on a free port of loopback; its address."""
    app = create_app(Hub(store, rulebook, {}), Settings(api_key=key), writer=Writer(lambda as_of: None, _never))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    started = threading.Event()
    server.config.load()
    announce = server.startup

    async def startup(sockets: Any = None) -> None:
        await announce(sockets)
        started.set()

    server.startup = startup  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(WAIT)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(WAIT)


def raise_flag(store: Store, number: int, severity: str, customer: int = 1) -> None:
    """What a sync does in another process: a flag, and a row of the outbox, in one transaction."""
    with store.write() as connection:
        said = {"rule": f"rule_{number}", "severity": severity, "state": "OPEN", "action_channel": "PHONE"}
        put(connection, risk_flag, flag_no=number, customer_no=customer, **said)
        payload = json.dumps({"flag": number, "rule": said["rule"], "severity": severity})
        put(connection, outbox, outbox_no=number, topic="flag.raised", customer_no=customer, payload=payload)


@pytest.fixture
def peopled(store: Store) -> Store:
    with store.write() as connection:
        put_customer(connection, 1, "Mike")
    raise_flag(store, 1, "CRITICAL")
    return store


def raised(number: int, severity: str) -> dict[str, Any]:
    flag = {"id": f"flg_{number}", "rule": f"rule_{number}", "severity": severity}
    return {"data": {"riskFlagRaised": {**flag, "customer": {"id": "cus_0001", "displayName": "Mike"}}}}


@contextmanager
def socket(address: str, **said: Any) -> Iterator[ClientConnection]:
    with connect(f"ws://{address}/graphql", subprotocols=["graphql-transport-ws"], open_timeout=WAIT, **said) as opened:  # type: ignore[list-item]
        yield opened


def say(opened: ClientConnection, **message: Any) -> None:
    opened.send(json.dumps(message))


def hear(opened: ClientConnection) -> dict[str, Any]:
    heard: dict[str, Any] = json.loads(opened.recv(WAIT))
    return heard


@contextmanager
def raising(store: Store) -> Iterator[None]:
    """Flags are raised meanwhile, one after the other: no protocol tells when a subscription is being listened to."""
    over = threading.Event()

    def run() -> None:
        for number in count(100):
            raise_flag(store, number, "HIGH")
            if over.wait(0.05):
                return

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(WAIT)


def until(heard: Iterator[Any], last: Any) -> list[Any]:
    """What is heard from now on, up to and without `last`."""
    return list(takewhile(lambda answer: answer != last, heard))


def test_websocket_hears_of_flags_raised_after_it_subscribed(peopled: Store, rulebook: Rulebook) -> None:
    with served(peopled, rulebook) as address, socket(address) as opened:
        say(opened, type="connection_init")
        assert hear(opened) == {"type": "connection_ack"}
        say(opened, id="q", type="subscribe", payload={"query": "{ customers { totalCount } }"})
        assert hear(opened)["payload"] == {"data": {"customers": {"totalCount": 1}}}
        assert hear(opened)["type"] == "complete"
        say(opened, id="s", type="subscribe", payload={"query": CONTRACT})
        heard = (hear(opened)["payload"] for _ in count())
        with raising(peopled):
            assert next(heard)["data"]["riskFlagRaised"]["severity"] == "HIGH"
        raise_flag(peopled, 2_000, "HIGH")
        until(heard, raised(2_000, "HIGH"))
        raise_flag(peopled, 2_001, "LOW")
        raise_flag(peopled, 2_002, "CRITICAL")
        assert next(heard) == raised(2_002, "CRITICAL")


@pytest.mark.parametrize(
    ("payload", "headers"),
    [({"Authorization": f"Bearer {KEY}"}, {}), ({"x-api-key": KEY}, {}), (None, {"X-API-Key": KEY})],
    ids=["first message", "first message, own name", "header"],
)
def test_websocket_takes_the_key(store: Store, rulebook: Rulebook, payload: Any, headers: dict[str, str]) -> None:
    with served(store, rulebook, KEY) as address, socket(address, additional_headers=headers) as opened:
        say(opened, type="connection_init", **({"payload": payload} if payload else {}))
        assert hear(opened) == {"type": "connection_ack"}


@pytest.mark.parametrize("payload", [None, {}, {"Authorization": "Bearer wrong"}, {"x-api-key": 7}], ids=str)
def test_websocket_without_the_key_is_closed(
    new_store: Callable[[str], Store], rulebook: Rulebook, payload: Any
) -> None:
    with served(new_store("sqlite"), rulebook, KEY) as address, socket(address) as opened:
        say(opened, type="connection_init", **({} if payload is None else {"payload": payload}))
        with pytest.raises(ConnectionClosed) as closed:
            hear(opened)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403


def test_websocket_of_another_page_is_refused(new_store: Callable[[str], Store], rulebook: Rulebook) -> None:
    with (
        served(new_store("sqlite"), rulebook) as address,
        pytest.raises(InvalidStatus) as refused,
        socket(address, origin="https://evil.example"),
    ):
        pass
    assert refused.value.response.status_code == 403


def events(answer: httpx.Response) -> Iterator[Any]:
    """The data of events named next."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: ") and name == "next":
            yield json.loads(line.removeprefix("data: "))


def test_server_sent_events_tell_two_subscribers_the_same(peopled: Store, rulebook: Rulebook) -> None:
    asked: dict[str, Any] = {"json": {"query": CONTRACT}, "headers": {"accept": "text/event-stream"}}
    with (
        served(peopled, rulebook) as address,
        httpx.Client(base_url=f"http://{address}", timeout=WAIT) as client,
        client.stream("POST", "/graphql", **asked) as one,
        client.stream("POST", "/graphql", **asked) as two,
    ):
        assert one.headers["content-type"].startswith("text/event-stream")
        heard = [events(one), events(two)]
        with raising(peopled):
            assert {next(stream)["data"]["riskFlagRaised"]["severity"] for stream in heard} == {"HIGH"}
        raise_flag(peopled, 2_000, "HIGH")
        for stream in heard:
            until(stream, raised(2_000, "HIGH"))
        raise_flag(peopled, 2_001, "CRITICAL")
        assert [next(stream) for stream in heard] == [raised(2_001, "CRITICAL")] * 2


def test_broken_subscription_is_told_with_a_code(peopled: Store, rulebook: Rulebook) -> None:
    asked = {"json": {"query": "subscription { nothing }"}, "headers": {"accept": "text/event-stream"}}
    with served(peopled, rulebook) as address:
        answer = httpx.post(f"http://{address}/graphql", **asked)  # type: ignore[arg-type]
        assert '"code":"BAD_QUERY"' in answer.text
