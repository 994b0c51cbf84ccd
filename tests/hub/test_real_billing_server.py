"""The shipped billing mapping against a server that other people wrote: localstripe, run as a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from hub import clock, status
from hub.export.views import create_views
from hub.run import Hub
from hub.store.engine import Store
from hub.sync import sync
from mappings.loader import load_sources, shipped
from mappings.rulebook import Rulebook

PEOPLE = 30
CURRENCIES = {"eur": 1290, "gbp": 990, "jpy": 1500}
CARD = {"type": "card", "card[number]": "4242424242424242", "card[exp_month]": 12, "card[exp_year]": 2050}


class Books:
    """What was entered through the server's own API, to hold the graph against."""

    def __init__(self) -> None:
        self.revenue: Counter[str] = Counter()
        self.refunds: Counter[str] = Counter()
        self.emails: set[str] = set()


@pytest.fixture(scope="module")
def billing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Books]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sysconfig.get_path("scripts")) / "localstripe"), "--port", str(port), "--from-scratch"]
    log = (tmp_path_factory.mktemp("localstripe") / "log").open("w")
    process = subprocess.Popen(command, stdout=log, stderr=log, cwd=log.name.rpartition("/")[0])
    try:
        url = f"http://127.0.0.1:{port}"
        transport = httpx.HTTPTransport(retries=40)  # it takes a second to listen; httpx waits longer each time
        with httpx.Client(base_url=f"{url}/v1", auth=("sk_test_hub", ""), transport=transport, timeout=30) as client:
            yield url, _fill(client)
    finally:
        process.terminate()
        process.wait(timeout=10)
        log.close()


def _fill(client: httpx.Client) -> Books:
    """Thirty customers, each with a card and a subscription; every third gets part of the money back."""
    books = Books()
    _wait_for(client)
    for code, amount in CURRENCIES.items():
        plan = {"id": f"basic-{code}", "amount": amount, "currency": code, "interval": "month"}
        _post(client, "/plans", plan | {"product[name]": "Basic"})
    for number in range(PEOPLE):
        code = list(CURRENCIES)[number % 3]
        email = f"person{number}@mail.example"
        person = _post(client, "/customers", {"name": f"Person {number}", "email": email, "address[country]": "DE"})
        card = _post(client, "/payment_methods", CARD | {"card[cvc]": 123})
        _post(client, f"/payment_methods/{card['id']}/attach", {"customer": person["id"]})
        default = {"invoice_settings[default_payment_method]": card["id"]}
        _post(client, f"/customers/{person['id']}", default)
        _post(client, "/subscriptions", {"customer": person["id"], "items[0][plan]": f"basic-{code}"})
        books.emails.add(email)
        books.revenue[code.upper()] += CURRENCIES[code]
        if number % 3 == 0:
            charge = client.get("/charges", params={"customer": person["id"]}).json()["data"][0]
            _post(client, "/refunds", {"charge": charge["id"], "amount": 500})
            books.refunds[code.upper()] += 500
    return books


def _wait_for(client: httpx.Client) -> None:
    """Ask until the server answers; a refused connection is asked again with the transport's own back-off."""
    for _ in range(200):
        try:
            client.get("/customers").raise_for_status()
        except httpx.ConnectError:
            continue
        return
    pytest.fail("localstripe does not answer")


def _post(client: httpx.Client, path: str, form: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, data=form)
    assert answer.is_success, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def hub(store: Store, rulebook: Rulebook, billing: tuple[str, Books]) -> Hub:
    with store.write() as connection:
        create_views(connection, rulebook.company.reporting_currency)
    environment = {"STRIPE_BASE_URL": billing[0], "STRIPE_TOKEN": "sk_test_hub"}
    return Hub(store, rulebook, load_sources(rulebook, [shipped()], environment))


def test_what_was_entered_is_what_the_graph_holds(hub: Hub, billing: tuple[str, Books]) -> None:
    books = billing[1]
    report = sync(hub, clock.now(), ["stripe"])
    assert report.errors == {}
    with hub.store.read() as connection:
        assert status.counts(connection)["customers"] == PEOPLE
        assert sum(row.dead_letters for row in status.streams(connection)) == 0
        assert [row for row in status.reconciliation(connection, hub.sources) if row.difference] == []
        emails = connection.execute(text("SELECT value FROM customer_identifier WHERE type = 'EMAIL'")).scalars().all()
        assert set(emails) == books.emails
        for kind, expected in (("REVENUE", books.revenue), ("REFUND", books.refunds)):
            rows = connection.execute(
                text("SELECT currency, SUM(amount) FROM money_entry WHERE kind = :kind GROUP BY currency"),
                {"kind": kind},
            )
            assert {currency: int(amount) // 1000 for currency, amount in rows} == dict(expected)
        agreements = connection.execute(text("SELECT status, COUNT(*) FROM agreement GROUP BY status")).all()
        assert dict(agreements) == {"ACTIVE": PEOPLE}


def test_a_second_sync_of_a_real_server_changes_nothing(hub: Hub) -> None:
    instant = clock.now()
    sync(hub, instant, ["stripe"])
    again = sync(hub, instant, ["stripe"])
    assert again.counts["pulled"] > PEOPLE
    assert (again.counts["changed"], again.counts["mapped"]) == (0, 0)
