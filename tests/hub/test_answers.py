"""The contract queries over a synced company: answered without errors, and consistent with themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from connectors.sandbox.company import generate
from connectors.sandbox.server import serve
from hub.cli import app as commands
from hub.demo import DEMO_AS_OF
from hub.export.views import create_views
from hub.run import Hub
from hub.server import create_app
from hub.settings import Settings
from hub.store.engine import Store
from hub.sync import remap, sync
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
def ask(hub: Hub) -> Iterator[Ask]:
    app = create_app(hub, Settings())
    alive = app.site.router.lifespan_context(app.site)

    async def answered(body: dict[str, Any]) -> Any:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await client.post("/graphql", json=body)).json()

    def asked(document: str, operation: str | None = None, **variables: Any) -> dict[str, Any]:
        body = {"query": document, "variables": variables, "operationName": operation}
        answer = loop.run_until_complete(answered(body))
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    with closing(asyncio.new_event_loop()) as loop:
        loop.run_until_complete(alive.__aenter__())
        yield asked
        loop.run_until_complete(alive.__aexit__(None, None, None))


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
        for journey in ask(_example("journey").replace("first: 10", "first: 500"), id=customer)["customer"]["journeys"]
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


def _worth(ask: Ask, public_id: str) -> dict[str, Any]:
    document = """query ($id: ID!) { customer(by: {id: $id}) { id identity { mergedIds }
        profiles { source stream key } profitability { revenue { amount } }
        timeline(first: 1000) { edges { node { id } } } } }"""
    customer: dict[str, Any] = ask(document, id=public_id)["customer"]
    return customer


def test_a_stewards_join_and_its_withdrawal_move_money_and_interactions_and_back(hub: Hub, ask: Ask) -> None:
    with hub.store.read() as connection:
        rows = connection.execute(
            text(
                "SELECT k.public_id FROM customer_card k JOIN profitability p ON p.customer_no = k.customer_no"
                " WHERE k.kind = 'PERSON' AND p.currency = 'EUR' AND p.revenue > 0 ORDER BY k.customer_no LIMIT 2"
            )
        )
        left_id, right_id = rows.scalars()
    left, right = _worth(ask, left_id), _worth(ask, right_id)
    pair = {"left": left["profiles"][0], "right": right["profiles"][0]}

    joined = ask(_example("steward"), "Join", **pair)["joinProfiles"]
    (kept,) = joined["customers"]
    both = _worth(ask, left_id)
    assert both == _worth(ask, right_id)  # the merged id redirects
    assert both["id"] == kept["id"]
    assert len(both["identity"]["mergedIds"]) == 1
    cents = [round(float(c["profitability"]["revenue"]["amount"]) * 100) for c in (left, right, both)]
    assert abs(cents[0] + cents[1] - cents[2]) <= 1  # each is rounded from the exact sum
    assert _touches(both) == _touches(left) | _touches(right)

    parted = ask(_example("steward"), "Withdraw", judgement=joined["judgement"]["id"])["withdrawJudgement"]
    assert {customer["id"] for customer in parted["customers"]} == {left_id, right_id}
    for before in (left, right):
        after = _worth(ask, before["id"])
        assert (after["id"], after["profiles"]) == (before["id"], before["profiles"])
        assert after["profitability"] == before["profitability"]
        assert _touches(after) == _touches(before)


def _touches(customer: dict[str, Any]) -> set[str]:
    return {edge["node"]["id"] for edge in customer["timeline"]["edges"]}


def test_what_a_steward_separates_stays_apart_over_a_remap(hub: Hub, ask: Ask) -> None:
    with hub.store.read() as connection:
        public_id = connection.execute(
            text(
                "SELECT c.public_id FROM link k JOIN profile_ledger l ON l.profile_no = k.left_profile_no"
                " JOIN customer_ledger c ON c.customer_no = l.customer_no"
                " WHERE k.verdict = 'MATCH' AND c.kind = 'PERSON' ORDER BY c.customer_no LIMIT 1"
            )
        ).scalar_one()
    left, right = _worth(ask, public_id)["profiles"][:2]
    separated = ask(_example("steward"), "Separate", left=left, right=right)["separateProfiles"]
    assert len(separated["customers"]) == 2
    remap(hub, DEMO_AS_OF)
    owners = []
    for profile in (left, right):
        document = "query ($s: String!, $v: String!) { customer(by: {externalId: {source: $s, value: $v}}) { id } }"
        owners.append(ask(document, s=profile["source"], v=profile["key"])["customer"]["id"])
    assert owners[0] != owners[1]
    assert set(owners) == {customer["id"] for customer in separated["customers"]}


def test_an_erased_customer_is_gone_from_the_api(hub: Hub, ask: Ask) -> None:
    public_id = _ids(hub, "PERSON")[3]
    counted = ask(_example("erase"), id=public_id, dryRun=True)["eraseCustomer"]
    assert counted["certificate"] is None
    assert ask(_example("customer_360"), id=public_id)["customer"] is not None
    erased = ask(_example("erase"), id=public_id, dryRun=False)["eraseCustomer"]
    assert public_id in erased["certificate"]
    assert erased["rows"] == counted["rows"]
    assert ask(_example("customer_360"), id=public_id)["customer"] is None


def test_the_command_erases_an_organization_and_derives_its_people_anew(hub: Hub) -> None:
    with hub.store.read() as connection:
        organization = connection.execute(
            text(
                "SELECT l.public_id FROM member m JOIN customer_ledger l ON l.customer_no = m.organization_no"
                " ORDER BY l.customer_no LIMIT 1"
            )
        ).scalar_one()
    done = CliRunner().invoke(commands, ["erase", organization, "--database", hub.store.url])
    assert done.exit_code == 0, done.output
    with hub.store.read() as connection:
        waiting = connection.execute(text("SELECT COUNT(*) FROM customer WHERE dirty")).scalar_one()
        latest = connection.execute(text("SELECT MAX(derived_as_of) FROM customer")).scalar_one()
    assert (waiting, latest) == (0, DEMO_AS_OF)
