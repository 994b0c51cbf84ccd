"""Notifications over real HTTP: taken once, landed before the answer, mapped behind it; all else is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import text
from structlog.testing import capture_logs

from connectors.answers.records import Record
from hub import clock
from hub.cli.serving import server_options
from hub.export.views import create_views
from hub.run import Hub
from hub.server import create_app
from hub.settings import Settings
from hub.store import landing
from hub.store.engine import Store, open_store
from hub.sync import follow
from mappings.loader import Settings as SourceSettings
from mappings.loader import Source, load_sources, shipped
from mappings.rulebook import Rulebook
from mappings.spec import System

OLD, NEW, APP = "whsec_old", "whsec_new", "app-secret"
SECRETS = {"STRIPE_WEBHOOK_SECRET": f"{OLD}, {NEW}", "HUBSPOT_CLIENT_SECRET": APP, "ZENDESK_WEBHOOK_SECRET": "zen"}
PUBLIC = "https://hub.example"
ADA = {"id": "cus_1", "object": "customer", "name": "Ada Byron", "email": "ada@example.org", "created": 1_750_000_000}


@pytest.fixture
def hub(store: Store, rulebook: Rulebook) -> Hub:
    with store.write() as connection:
        create_views(connection, rulebook.company.reporting_currency)
    return Hub(store, rulebook, load_sources(rulebook, [shipped()], SECRETS))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lands in this process waits less for more."""
    monkeypatch.setattr("hub.upkeep.follower.TOGETHER_S", 0.05)


@contextmanager
def serving(hub: Hub, settings: Settings | None = None) -> Iterator[httpx.Client]:
    """A client of a server of this hub that runs in a thread, on a free port, in production and behind a proxy."""
    listening = socket.create_server(("127.0.0.1", 0))
    usual = Settings(api_key="the-key-of-others", mode="production", public_url=PUBLIC)
    options = server_options("127.0.0.1", 0, 1_000)
    server = uvicorn.Server(uvicorn.Config(create_app(hub, settings or usual), **options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture
def client(hub: Hub) -> Iterator[httpx.Client]:
    with serving(hub) as client:
        yield client


def stripe(event: str, record: Any, secret: str = NEW, at: float | None = None) -> dict[str, Any]:
    """A notification as the billing system signs it."""
    body = json.dumps({"id": "evt_1", "type": event, "data": {"object": record}}).encode()
    stamp = str(int(time() if at is None else at))
    proof = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"content": body, "headers": {"stripe-signature": f"t={stamp},v1={proof}"}}


def hubspot(path: str, *events: dict[str, Any]) -> dict[str, Any]:
    """Notifications as the CRM signs them: with the address that it sent them to."""
    body, stamp = json.dumps(events).encode(), str(int(time() * 1000))
    proof = hmac.new(APP.encode(), f"POST{PUBLIC}{path}".encode() + body + stamp.encode(), hashlib.sha256).digest()
    headers = {"x-hubspot-signature-v3": b64encode(proof).decode(), "x-hubspot-request-timestamp": stamp}
    return {"content": body, "headers": headers}


def rows(hub: Hub, sql: str) -> list[tuple[Any, ...]]:
    with hub.store.read() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def until(found: Callable[[], Any]) -> Any:
    """What is found once it is true. Raises AssertionError where it never is."""
    over, pause = monotonic() + 30, threading.Event()
    while not (what := found()):
        assert monotonic() < over
        pause.wait(0.05)
    return what


LANDED = "SELECT source, stream, key, state, deleted_at IS NOT NULL FROM landing ORDER BY landing_no"
CARDS = "SELECT display_name FROM customer_card ORDER BY customer_no"


def test_a_notification_becomes_a_customer_without_a_sync(hub: Hub, client: httpx.Client) -> None:
    answer = client.post("/webhooks/stripe/customers", **stripe("customer.created", ADA))
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert [row[:3] for row in rows(hub, LANDED)] == [("stripe", "customers", "cus_1")], "landed before the answer"
    assert until(lambda: rows(hub, CARDS)) == [("Ada Byron",)]
    client.post("/webhooks/stripe", **stripe("customer.updated", ADA | {"name": "Ada King"}))
    until(lambda: rows(hub, CARDS) == [("Ada King",)])
    client.post("/webhooks/stripe", **stripe("customer.deleted", ADA))
    until(lambda: rows(hub, CARDS) == [])


def test_a_duplicate_is_once(hub: Hub, client: httpx.Client) -> None:
    said = stripe("customer.created", ADA)
    assert [client.post("/webhooks/stripe/customers", **said).status_code for _ in range(3)] == [200] * 3
    until(lambda: rows(hub, LANDED) == [("stripe", "customers", "cus_1", 1, False)])
    before = rows(hub, "SELECT * FROM landing")
    assert client.post("/webhooks/stripe/customers", **said).status_code == 200
    assert rows(hub, "SELECT * FROM landing") == before


def test_one_address_serves_all_streams_of_a_source(hub: Hub, client: httpx.Client) -> None:
    charge = {"id": "ch_1", "object": "charge"}
    assert client.post("/webhooks/stripe", **stripe("charge.refunded", charge)).status_code == 200
    due = "SELECT stream FROM stream_state WHERE due_at IS NOT NULL ORDER BY stream"
    assert rows(hub, due) == [("charges",), ("refunds",)]
    assert rows(hub, LANDED) == [], "the event lacks what a pull brings along"


def test_events_without_a_record_make_their_stream_due(hub: Hub, client: httpx.Client) -> None:
    with hub.store.write() as connection:
        compiled, payload = hub.compiled("hubspot", "contacts"), b'{"id": "7"}'
        record = Record("7", payload)
        landing.land_records(connection, "hubspot", "contacts", [record], compiled, clock.now())
    events = (
        {"subscriptionType": "contact.propertyChange", "objectId": 6},
        {"subscriptionType": "contact.deletion", "objectId": 7},
        {"subscriptionType": "contact.deletion", "objectId": 8},
    )
    assert client.post("/webhooks/hubspot", **hubspot("/webhooks/hubspot", *events)).status_code == 200
    assert rows(hub, "SELECT stream FROM stream_state WHERE due_at IS NOT NULL") == [("contacts",)]
    assert [row[2::2] for row in rows(hub, LANDED)] == [("7", True)]


def test_a_trigger_makes_the_tickets_due(hub: Hub, client: httpx.Client) -> None:
    body, stamp = b'{"ticket_id": "35436"}', datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    proof = b64encode(hmac.new(b"zen", stamp.encode() + body, hashlib.sha256).digest()).decode()
    headers = {"x-zendesk-webhook-signature": proof, "x-zendesk-webhook-signature-timestamp": stamp}
    assert client.post("/webhooks/zendesk", content=body, headers=headers).status_code == 200
    assert rows(hub, "SELECT stream FROM stream_state WHERE due_at IS NOT NULL") == [("tickets",)]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_source_that_nobody_gave_a_secret_takes_nothing(hub: Hub, rulebook: Rulebook) -> None:
    """What is signed with nothing could be signed by anybody."""
    with serving(replace(hub, sources=load_sources(rulebook, [shipped()], {}))) as client:
        for secret in ("", NEW):
            answer = client.post("/webhooks/stripe", **stripe("customer.created", ADA, secret))
            assert (answer.status_code, answer.json()) == (404, UNKNOWN)


def test_either_secret_fits_while_they_are_changed(client: httpx.Client) -> None:
    for secret in (OLD, NEW):
        assert client.post("/webhooks/stripe", **stripe("customer.created", ADA, secret)).status_code == 200


UNSIGNED = {"error": "the signature is missing or does not fit"}
UNKNOWN = {"error": "there is no such webhook"}
REFUSED: dict[str, tuple[str, dict[str, Any], int, dict[str, str]]] = {
    "no signature": ("/webhooks/stripe/customers", {"content": b"{}"}, 401, UNSIGNED),
    "another's secret": ("/webhooks/stripe", stripe("customer.created", ADA, "guessed"), 401, UNSIGNED),
    "an old one: a replay": ("/webhooks/stripe", stripe("customer.created", ADA, at=time() - 3_600), 401, UNSIGNED),
    "one from the future": ("/webhooks/stripe", stripe("customer.created", ADA, at=time() + 3_600), 401, UNSIGNED),
    "sent to another address": ("/webhooks/hubspot", hubspot("/webhooks/elsewhere"), 401, UNSIGNED),
    "a source that there is none of": ("/webhooks/nix", stripe("customer.created", ADA), 404, UNKNOWN),
    "a stream that there is none of": ("/webhooks/stripe/nix", stripe("customer.created", ADA), 404, UNKNOWN),
    "a stream without notifications": ("/webhooks/matomo/visits", {"content": b"{}"}, 404, UNKNOWN),
    "another body under a good signature": (
        "/webhooks/hubspot",
        hubspot("/webhooks/hubspot") | {"content": b"{}"},
        401,
        UNSIGNED,
    ),
    "a body of 1 MB and a byte": (
        "/webhooks/stripe",
        {"content": b" " * 1_000_001},
        413,
        {"error": "a notification has at most 1000000 bytes"},
    ),
}


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_is_refused_is_refused_in_few_words_and_leaves_nothing(hub: Hub, client: httpx.Client) -> None:
    for name, (path, said, status, told) in REFUSED.items():
        answer = client.post(path, **said)
        assert (answer.status_code, answer.json()) == (status, told), name
    assert client.get("/webhooks/stripe").status_code == 405
    assert client.post("/webhooks/stripe/customers/more").status_code == 404
    parts = iter([b" " * 600_000, b" " * 600_000])
    assert client.post("/webhooks/stripe", content=parts).status_code == 413, "its length was not told before"
    assert rows(hub, LANDED) == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_signed_nonsense_is_named_as_such(client: httpx.Client) -> None:
    body, stamp = b"{", str(int(time()))
    proof = hmac.new(NEW.encode(), f"{stamp}.{{".encode(), hashlib.sha256).hexdigest()
    answer = client.post("/webhooks/stripe", content=body, headers={"stripe-signature": f"t={stamp},v1={proof}"})
    assert (answer.status_code, answer.json()) == (400, {"error": "no JSON in UTF-8"})


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_refusals_are_counted_and_logged_without_what_was_sent(hub: Hub) -> None:
    with capture_logs() as logs, serving(hub) as client:
        for _ in range(5):
            client.post("/webhooks/stripe", **stripe("customer.created", ADA, "guessed"))
            client.post("/webhooks/ada@example.org")
    said = [(entry["stream"], entry["because"]) for entry in logs if entry["event"] == "a notification was refused"]
    assert said == [("stripe", "the signature does not fit"), ("unknown", "there is no such webhook")]
    assert "ada@" not in str(logs)
    assert NEW not in str(logs)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_an_address_that_is_signed_has_to_be_known(hub: Hub) -> None:
    with capture_logs() as logs, serving(hub, Settings(api_key="the-key-of-others")) as client:
        assert client.post("/webhooks/hubspot", **hubspot("/webhooks/hubspot")).status_code == 404
    because = {entry["because"] for entry in logs if entry["event"] == "no webhook"}
    assert because == {"its URL is signed: set HUB_PUBLIC_URL"}


def test_many_at_once_are_all_taken(hub: Hub, client: httpx.Client) -> None:
    notices = [stripe("customer.created", ADA | {"id": f"cus_{n}", "email": f"{n}@example.org"}) for n in range(60)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda said: client.post("/webhooks/stripe/customers", **said).status_code, notices))
    assert answers == [200] * 60
    assert len(rows(hub, LANDED)) == 60
    until(lambda: len(rows(hub, CARDS)) == 60)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_store_that_takes_nothing_has_the_sender_try_again(hub: Hub) -> None:
    impatient = open_store(hub.store.url, wait_s=0.1)
    with serving(replace(hub, store=impatient)) as client:
        with hub.store.write():
            answer = client.post("/webhooks/stripe/customers", **stripe("customer.created", ADA))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        assert answer.json() == {"error": "not taken; send it again"}
        assert client.post("/webhooks/stripe/customers", **stripe("customer.created", ADA)).status_code == 200
    impatient.close()


# versions ------------------------------------------------------------------------------------------------------------
SHOP: dict[str, Any] = {
    "system": "shop",
    "kind": "crm",
    "about": "A shop whose records say when they were changed.",
    "settings": {"secret": {"secret": True}},
    "http": {"base_url": "https://shop.example", "signature": {"secret": "${secret}", "header": "X-Signature"}},
    "streams": {
        "people": {
            "get": "/people",
            "key": "id",
            "since": {"param": "since", "field": "at"},
            "webhook": {"when": {"id": {"exists": True}}, "deleted": {"gone": True}, "key": "id"},
            "profile": {"kind": "PERSON", "display_name": "name", "emails": ["email"], "updated_at": "at"},
        }
    },
}


def test_an_older_version_does_not_replace_a_newer_one(store: Store, rulebook: Rulebook) -> None:
    shop = Source("shop", System.model_validate(SHOP), SourceSettings({"secret": NEW}))
    hub = Hub(store, rulebook, {"shop": shop})

    def say(client: httpx.Client, name: str, at: str, **more: Any) -> None:
        body = json.dumps({"id": 1, "name": name, "email": "ada@example.org", "at": at, **more}).encode()
        proof = hmac.new(NEW.encode(), body, hashlib.sha256).hexdigest()
        assert client.post("/webhooks/shop/people", content=body, headers={"x-signature": proof}).status_code == 200

    def name() -> Any:
        (payload,) = rows(hub, "SELECT payload FROM landing")[0]
        return json.loads(bytes(payload) or b"{}").get("name")

    with serving(hub) as client:
        say(client, "second", "2026-06-02T00:00:00Z")
        say(client, "first", "2026-06-01T00:00:00Z")
        assert name() == "second"
        say(client, "third", "2026-06-02T03:00:00+02:00")
        assert name() == "third"
        say(client, "", "2026-06-03T00:00:00Z", gone=True)
        say(client, "late", "2026-06-02T23:00:00Z")
        assert name() is None, "what overtook its own end is not there again"
        say(client, "back", "2999-01-01T00:00:00Z")
        assert name() == "back"


def test_a_key_that_no_database_takes_is_landed_and_gone_without_that_letter(hub: Hub, client: httpx.Client) -> None:
    odd = ADA | {"id": "cus\x00_1"}
    for event, there in (("customer.created", False), ("customer.updated", False), ("customer.deleted", True)):
        assert client.post("/webhooks/stripe/customers", **stripe(event, odd)).status_code == 200
        assert [row[2::2] for row in rows(hub, LANDED)] == [("cus_1", there)]


# a process that dies -------------------------------------------------------------------------------------------------
def test_what_was_answered_survives_a_kill(hub: Hub) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | SECRETS | {"HUB_DATABASE_URL": hub.store.url, "HUB_API_KEY": "k"}
    process = subprocess.Popen([sys.executable, "-m", "hub.cli", "serve", "--port", str(port)], env=environment)
    try:
        transport = httpx.HTTPTransport(retries=40)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=30) as client:
            assert client.post("/webhooks/stripe", **stripe("customer.created", ADA)).status_code == 200
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert [row[:3] for row in rows(hub, LANDED)] == [("stripe", "customers", "cus_1")]
    follow(hub, clock.now())
    assert rows(hub, CARDS) == [("Ada Byron",)]
