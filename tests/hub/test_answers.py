"""The contract queries over a synced company: answered without errors, and consistent with themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from connectors.sandbox.company import generate
from connectors.sandbox.server import serve
from hub.demo import DEMO_AS_OF
from hub.export.views import create_views
from hub.run import Hub
from hub.server import create_app
from hub.settings import Settings
from hub.store.engine import Store
from hub.sync import sync
from mappings.loader import load_sources, shipped
from mappings.rulebook import Rulebook

EXAMPLES = shipped().parent / "hub/api/examples"
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def hub(store: Store, rulebook: Rulebook) -> Hub:
    with serve(generate(80), faults=False) as servers:
        with store.write() as connection:
            create_views(connection, rulebook.company.reporting_currency)
        hub = Hub(store, rulebook, load_sources(rulebook, [shipped()], servers.environment()))
        assert sync(hub, DEMO_AS_OF).errors == {}
    return hub


@pytest.fixture
def ask(hub: Hub) -> Ask:
    app = create_app(hub, Settings())

    async def answered(body: dict[str, Any]) -> Any:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await client.post("/graphql", json=body)).json()

    def asked(document: str, **variables: Any) -> dict[str, Any]:
        answer = asyncio.run(answered({"query": document, "variables": variables}))
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    return asked


def _example(name: str) -> str:
    return Path(EXAMPLES / f"{name}.graphql").read_text(encoding="utf-8")


def _ids(hub: Hub, kind: str) -> list[str]:
    with hub.store.read() as connection:
        return list(
            connection.execute(
                text("SELECT public_id FROM customer_card WHERE kind = :kind ORDER BY customer_no"), {"kind": kind}
            ).scalars()
        )


def test_a_step_lists_as_many_interactions_as_it_counts(hub: Hub, ask: Ask) -> None:
    steps = [
        step
        for kind in ("PERSON", "ORGANIZATION")
        for customer in _ids(hub, kind)[:8]
        for journey in ask(_example("journey").replace("first: 10", "first: 1000"), id=customer)["customer"]["journeys"]
        for step in journey["steps"]
    ]
    assert len(steps) > 30
    for step in steps:
        listed = [edge["node"]["lane"] for edge in step["interactions"]["edges"]]
        assert listed.count("CUSTOMER") == step["customerInteractionCount"]
        assert listed.count("BRAND") == step["brandInteractionCount"]


def test_every_customers_page_names_nobody_else(hub: Hub, ask: Ask) -> None:
    for kind in ("PERSON", "ORGANIZATION"):
        for public_id in _ids(hub, kind)[:10]:
            customer = ask(_example("customer_360"), id=public_id)["customer"]
            assert customer["id"] == public_id
            golden = {entry["value"] for entry in customer["provenance"] if entry["field"] == "DISPLAY_NAME"}
            assert golden <= {customer["displayName"]}
            said = {(p["source"], p["key"]) for p in customer["profiles"]}
            assert {(entry["source"], entry["key"]) for entry in customer["provenance"]} <= said


def test_an_account_shows_its_own_members_only(hub: Hub, ask: Ask) -> None:
    with hub.store.read() as connection:
        rows = connection.execute(
            text(
                "SELECT o.public_id, COUNT(*) FROM member m"
                " JOIN customer_ledger o ON o.customer_no = m.organization_no GROUP BY o.public_id"
            )
        )
        members = {public_id: int(count) for public_id, count in rows}
    assert members
    for public_id, count in members.items():
        account = ask(_example("account"), id=public_id)["customer"]
        assert len(account["members"]["edges"]) == count
        assert len(account["buyingGroup"]["members"] or []) <= count


def test_contribution_is_the_sum_of_its_entries(hub: Hub, ask: Ask) -> None:
    document = """query ($id: ID!) { customer(by: {id: $id}) { profitability { contribution { amount }
        entries(first: 1000) { edges { node { kind converted { amount } } } } } } }"""
    signs = {"REVENUE": 1, "REFUND": -1, "COGS": -1, "FEE": -1, "COST_TO_SERVE": -1, "TAX": 0, "ACQUISITION": 0}
    compared = 0
    for public_id in _ids(hub, "PERSON"):
        worth = ask(document, id=public_id)["customer"]["profitability"]
        nodes = [edge["node"] for edge in worth["entries"]["edges"]] if worth else []
        if worth is None or any(node["converted"] is None for node in nodes):
            continue
        cents = sum(signs[node["kind"]] * round(float(node["converted"]["amount"]) * 100) for node in nodes)
        # Every entry is shown rounded to the cent; the contribution is the sum of the exact ones.
        assert abs(cents - round(float(worth["contribution"]["amount"]) * 100)) <= len(nodes) / 2 + 1
        compared += 1
    assert compared > 20
