"""Subscriptions as clients get them: a real server, WebSocket and server-sent events, flags raised by anybody."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, takewhile
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from hub import clock
from hub.access import keyring
from hub.access.keys import create_key, revoke_key
from hub.api.context import Writer
from hub.api.listen import streams
from hub.cli.serving import server_options
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
def served(store: Store, rulebook: Rulebook, key: str | None = None, **settings: Any) -> Iterator[str]:
    """A server on a free port of loopback; its address."""
    app = create_app(
        Hub(store, rulebook, {}), Settings(api_key=key, **settings), writer=Writer(lambda as_of: None, _never)
    )
    said = server_options("127.0.0.1", 0, rulebook.access.max_body_bytes)
    server = uvicorn.Server(uvicorn.Config(app, **{**said, "log_level": "error", "timeout_graceful_shutdown": 1}))
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


def test_broken_subscription_does_not_begin(peopled: Store, rulebook: Rulebook) -> None:
    """It is refused by its status, so that a client does not try again for ever."""
    asked = {"json": {"query": "subscription { nothing }"}, "headers": {"accept": "text/event-stream"}}
    with served(peopled, rulebook) as address:
        answer = httpx.post(f"http://{address}/graphql", **asked)  # type: ignore[arg-type]
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json().keys() == {"errors"}


# what a connection may, and when it ends -----------------------------------------------------------------------------
@pytest.fixture
def quiet(new_store: Callable[[str], Store]) -> Store:
    """A store in which nothing happens; what a connection may is the same on both databases."""
    return new_store("sqlite")


def begun(opened: ClientConnection, **payload: Any) -> None:
    say(opened, type="connection_init", **({"payload": payload} if payload else {}))
    assert hear(opened) == {"type": "connection_ack"}


def closed_with(opened: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        all(hear(opened) for _ in count())
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_operations_of_a_connection_are_bounded(
    quiet: Store, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_OPERATIONS", 2)
    with served(quiet, rulebook) as address, socket(address) as opened:
        begun(opened)
        for number in "abc":
            say(opened, id=number, type="subscribe", payload={"query": CONTRACT})
        refused = hear(opened)
        assert (refused["id"], refused["type"]) == ("c", "error")
        assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
        say(opened, id="a", type="complete")
        say(opened, id="q", type="subscribe", payload={"query": "{ __typename }"})
        assert hear(opened)["payload"] == {"data": {"__typename": "Query"}}


def test_connections_of_a_process_are_bounded(
    quiet: Store, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_CONNECTIONS", 1)
    with served(quiet, rulebook) as address, socket(address) as opened:
        begun(opened)
        with socket(address) as second:
            assert closed_with(second) == (1013, "1 connections are open, 1 at most")


def test_connection_on_which_nothing_runs_is_closed(
    quiet: Store, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BEAT_S", 0.05)
    monkeypatch.setattr(streams, "IDLE_BEATS", 2)
    with served(quiet, rulebook) as address, socket(address) as opened:
        begun(opened)
        assert closed_with(opened) == (1000, "nothing was asked for a while")


def test_connection_that_says_nothing_is_closed(
    quiet: Store, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "INIT_S", 0.05)
    with served(quiet, rulebook) as address, socket(address) as opened:
        assert closed_with(opened)[0] == 4408


@pytest.mark.parametrize("message", ["{", "[]", "7", '{"type": "shout"}', '{"type": "subscribe"}'])
def test_message_that_is_none_closes_the_connection(quiet: Store, rulebook: Rulebook, message: str) -> None:
    with served(quiet, rulebook) as address, socket(address) as opened:
        begun(opened)
        opened.send(message)
        assert closed_with(opened)[0] == 4400


OVER_WEBSOCKET: dict[str, tuple[dict[str, Any], str]] = {
    "any text in production": ({"query": CONTRACT}, "NOT_TRUSTED"),
    "an unknown document": ({"documentId": "x"}, "PERSISTED_QUERY_NOT_FOUND"),
    "no query": ({}, "BAD_QUERY"),
    "a number": ({"query": 7}, "BAD_QUERY"),
    "a batch": ([{"query": CONTRACT}], "BAD_QUERY"),  # type: ignore[dict-item]
}


@pytest.mark.parametrize(("payload", "code"), OVER_WEBSOCKET.values(), ids=OVER_WEBSOCKET)
def test_what_http_refuses_a_websocket_refuses(quiet: Store, rulebook: Rulebook, payload: Any, code: str) -> None:
    with served(quiet, rulebook, mode="production") as address, socket(address) as opened:
        begun(opened)
        say(opened, id="s", type="subscribe", payload=payload)
        refused = hear(opened)
    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", code)


def test_production_takes_registered_subscriptions(quiet: Store, rulebook: Rulebook, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(json.dumps({"flags": "{ __typename }"}), encoding="utf-8")
    with (
        served(quiet, rulebook, mode="production", documents=(tmp_path / "m.json",)) as address,
        socket(address) as opened,
    ):
        begun(opened)
        say(opened, id="s", type="subscribe", payload={"documentId": "flags"})
        assert hear(opened)["payload"] == {"data": {"__typename": "Query"}}


@pytest.fixture
def key(quiet: Store, monkeypatch: pytest.MonkeyPatch) -> Key:
    """A key that is looked up for every request, and looked after at once."""
    monkeypatch.setattr(keyring, "STALE_S", 0.0)
    monkeypatch.setattr(streams, "BEAT_S", 0.05)
    with quiet.write() as connection:
        return Key(*create_key(connection, "test", "admin", ("graphql",), 1, clock.now()))


class Key(NamedTuple):
    """What is sent, and what is kept of it."""

    offered: str
    kept: Any

    def revoke(self, store: Store) -> None:
        with store.write() as connection:
            revoke_key(connection, self.kept.prefix, clock.now())


def test_key_that_is_taken_back_closes_the_websocket(quiet: Store, rulebook: Rulebook, key: Key) -> None:
    with served(quiet, rulebook) as address, socket(address) as opened:
        begun(opened, Authorization=f"Bearer {key.offered}")
        say(opened, id="s", type="subscribe", payload={"query": CONTRACT})
        key.revoke(quiet)
        assert closed_with(opened)[0] == 4403


def test_key_that_is_taken_back_ends_the_events(quiet: Store, rulebook: Rulebook, key: Key) -> None:
    asked: dict[str, Any] = {"json": {"query": CONTRACT}}
    headers = {"accept": "text/event-stream", "x-api-key": key.offered}
    with (
        served(quiet, rulebook) as address,
        httpx.Client(base_url=f"http://{address}", timeout=WAIT) as client,
        client.stream("POST", "/graphql", headers=headers, **asked) as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines) == ": ping"
        key.revoke(quiet)
        assert set(lines) <= {"", ": ping"}
