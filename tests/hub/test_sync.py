"""The whole way against the sandbox's truth, over real HTTP, on both databases."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from connectors.sandbox.company import Company, generate
from connectors.sandbox.server import Running, serve
from hub import status
from hub.demo import DEMO_AS_OF
from hub.erasure.erase import erase
from hub.export.views import create_views
from hub.intake.inbox import PAGES_A_TRANSACTION, PAGES_AHEAD
from hub.run import Hub, Report
from hub.store.engine import Store
from hub.sync import remap, sync
from mappings.loader import load_sources, shipped
from mappings.rulebook import Rulebook
from tests.hub.insight.shown import expected, shown, wide

WEEK = 7 * 86_400 * 1_000_000
PEOPLE = 150
WEB = {"visitors": "visits"}  # a visitor is a profile of the stream of visits

# What a person would notice: everything but the ids' random text and the times of runs.
GRAPH = {
    "customers": "SELECT customer_no, kind, display_name, birth_date, country, language, emails, phones, market_state,"
    " stage, stage_since, first_seen, last_seen, open_case_count, interaction_count, sentiment, risk_points, risk_band,"
    " risk_reasons, value_at_risk, contribution, revenue, refunds, direct_cost, cost_to_serve, margin, coverage,"
    " has_profitability, open_flag_count, flags, timeline_count, latest FROM customer_card ORDER BY customer_no",
    "ids": "SELECT customer_no, public_id, merged_into FROM customer_ledger ORDER BY customer_no",
    "assignment": "SELECT source, stream, key, customer_no FROM profile_ledger ORDER BY profile_no",
    "links": "SELECT left_profile_no, right_profile_no, verdict, rule, score, reasons FROM link ORDER BY 1, 2",
    "members": "SELECT organization_no, person_no, role, since, until FROM member ORDER BY 1, 2",
    "entries": "SELECT entry_no, customer_no, organization_no, at, kind, basis, amount, currency, rule, interaction_no,"
    " step_no, stage, channel FROM entry ORDER BY entry_no",
    "values": "SELECT entry_no, currency, amount, rate FROM entry_value ORDER BY 1, 2",
    "profit": "SELECT * FROM profitability ORDER BY customer_no, currency",
    "journeys": "SELECT * FROM journey ORDER BY journey_no",
    "steps": "SELECT * FROM journey_step ORDER BY step_no",
    "flags": "SELECT * FROM risk_flag ORDER BY flag_no",
    "evidence": "SELECT * FROM flag_evidence ORDER BY 1, 2",
    "metrics": "SELECT * FROM metric ORDER BY 1, 2",
    "provenance": "SELECT * FROM provenance ORDER BY 1, 2, 3",
    "step values": "SELECT * FROM step_value ORDER BY 1, 2",
    "step interactions": "SELECT * FROM step_interaction ORDER BY 1",
    "deviations": "SELECT * FROM deviation ORDER BY 1, 2",
    "buying groups": "SELECT * FROM buying_group_member ORDER BY 1, 2",
    "identifiers": "SELECT * FROM customer_identifier ORDER BY 1, 2, 3",
    "tokens": "SELECT * FROM customer_token ORDER BY 1, 2",
    "keys": "SELECT * FROM match_key ORDER BY 1, 2",
}
# Lists that stand in one column.
LISTS = (
    ("customer_card", "emails"),
    ("customer_card", "phones"),
    ("customer_card", "risk_reasons"),
    ("customer_identifier", "sources"),
    ("journey_step", "channels"),
    ("identity_log", "customer_ids"),
    ("link", "reasons"),
)


def graph(store: Store, *leave_out: str) -> dict[str, list[tuple[Any, ...]]]:
    with store.read() as connection:
        return {
            name: [tuple(row) for row in connection.execute(text(sql))]
            for name, sql in GRAPH.items()
            if name not in leave_out
        }


@pytest.fixture(scope="module")
def company() -> Company:
    return generate(PEOPLE)


@pytest.fixture
def running(company: Company) -> Iterator[Running]:
    with serve(company) as servers:
        yield servers


@pytest.fixture
def hub(store: Store, rulebook: Rulebook, running: Running) -> Hub:
    return hub_of(store, rulebook, running.environment())


def hub_of(store: Store, rulebook: Rulebook, environment: dict[str, str]) -> Hub:
    with store.write() as connection:
        create_views(connection, rulebook.company.reporting_currency)
    return Hub(store, rulebook, load_sources(rulebook, [shipped()], environment))


def synced(hub: Hub, as_of: int = DEMO_AS_OF) -> Report:
    report = sync(hub, as_of)
    assert report.errors == {}
    return report


def pairs(groups: dict[Any, list[Any]]) -> set[tuple[Any, Any]]:
    return {pair for members in groups.values() for pair in combinations(sorted(members), 2)}


def test_the_graph_matches_the_truth(hub: Hub, company: Company) -> None:
    synced(hub)
    with hub.store.read() as connection:
        rows = connection.execute(
            text("SELECT source, stream, key, customer_no FROM profile_ledger WHERE customer_no IS NOT NULL")
        ).all()
        assert status.counts(connection)["customers"] == len({row.customer_no for row in rows})
        money = status.reconciliation(connection, hub.sources)
        dead = sum(row.dead_letters for row in status.streams(connection))
        strangers = {row.key for row in rows} & set(company.truth.anonymous_visitors)
    truth = company.truth
    profiles = [(p.id, ref) for p in truth.persons for ref in p.profiles]
    profiles += [(o.id, ref) for o in truth.organizations for ref in o.profiles]
    owner = {(ref.system, WEB.get(ref.stream, ref.stream), ref.key): who for who, ref in profiles}
    found: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    true: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for row in rows:
        ref = (row.source, row.stream, row.key)
        if ref in owner:  # the truth does not list the support desk's own organizations
            found[row.customer_no].append(ref)
            true[owner[ref]].append(ref)
    together, meant = pairs(found), pairs(true)
    assert len(together & meant) / len(together) >= 0.99
    assert len(together & meant) / len(meant) >= 0.85
    assert strangers == set()
    assert dead == 0
    assert [row for row in money if row.difference] == []
    assert {(r.source, r.stream) for r in money} >= {("stripe", "invoices"), ("stripe", "refunds")}


def test_revenue_is_what_the_generator_earned(hub: Hub, company: Company) -> None:
    synced(hub)
    with hub.store.read() as connection:
        rows = connection.execute(
            text("SELECT currency, SUM(amount) FROM money_entry WHERE kind = 'REVENUE' GROUP BY currency")
        )
        revenue = {currency: int(amount) // 1000 for currency, amount in rows}
    truth = {key[2]: minor for key, minor in company.truth.money.items() if key[:2] == ("stripe", "invoices")}
    assert revenue == truth
    assert {"JPY", "KWD"} <= set(revenue)


# What was dealt to a person, and the rule that must see it.
PLOTS = {
    "failed_payment": "failed_payment",
    "unpaid_invoice": "unpaid_invoice",
    "cancel_intent": "cancel_intent",
    "case_open_too_long": "case_open_too_long",
    "silence_after_order": "silence_after_order",
    "use_dropping": "use_dropping",
    "agreement_ending": "agreement_ending",
}


def test_the_plots_of_the_stories_are_flagged(hub: Hub, company: Company) -> None:
    synced(hub)
    with hub.store.read() as connection:
        rows = connection.execute(
            text(
                "SELECT l.source, l.stream, l.key, f.rule FROM risk_flag f"
                " JOIN profile_ledger l ON l.customer_no = f.customer_no WHERE f.state = 'OPEN'"
            )
        )
        flagged = {(row.source, row.stream, row.key, row.rule) for row in rows}
    known = {p.id: p.profiles for p in company.truth.persons} | {o.id: o.profiles for o in company.truth.organizations}
    dealt = [(owner, PLOTS[plot]) for owner, plots in company.truth.stories.items() for plot in plots if plot in PLOTS]
    seen = [
        (owner, rule)
        for owner, rule in dealt
        if any((r.system, WEB.get(r.stream, r.stream), r.key, rule) in flagged for r in known[owner])
    ]
    assert {rule for _, rule in dealt} == set(PLOTS.values())
    assert len(seen) / len(dealt) >= 0.95


def test_a_second_sync_changes_nothing(hub: Hub) -> None:
    synced(hub)
    before = graph(hub.store)
    report = synced(hub)
    assert report.counts["pulled"] > 0
    assert report.counts["changed"] == 0
    assert report.counts["mapped"] == 0
    assert report.counts.get("customers_derived", 0) == 0
    assert graph(hub.store) == before


def test_a_remap_gives_the_same_graph(hub: Hub) -> None:
    synced(hub)
    before = graph(hub.store)
    remap(hub, DEMO_AS_OF)
    assert graph(hub.store) == before


def test_lists_of_a_card_are_what_the_tables_say_and_stand_as_they_are_shown(hub: Hub) -> None:
    synced(hub)
    with hub.store.read() as connection:
        cards = shown(connection)
        assert cards == wide(expected(connection), cards)
        assert 2 * sum(latest is not None for *_, latest in cards.values()) > len(cards)
        for table, column in LISTS:
            stored = connection.scalars(text(f"SELECT {column} FROM {table}")).all()  # noqa: S608
            assert [msgspec.json.encode(msgspec.json.decode(value)).decode() for value in stored] == stored
            assert any(value != "[]" for value in stored)


def test_both_databases_hold_the_same_graph(
    new_store: Callable[[str], Store], rulebook: Rulebook, running: Running
) -> None:
    graphs = []
    for dialect in ("sqlite", "postgresql"):
        hub = hub_of(new_store(dialect), rulebook, running.environment())
        synced(hub)
        graphs.append(_by_profile(hub.store))
    assert graphs[0] == graphs[1]


def _by_profile(store: Store) -> dict[str, Any]:
    """The graph with customers named by their first profile, since numbers come in the order of arrival."""
    with store.read() as connection:
        names: dict[int, tuple[str, str, str]] = {}
        for row in connection.execute(
            text("SELECT customer_no, source, stream, key FROM profile_ledger WHERE customer_no IS NOT NULL")
        ):
            key = (row.source, row.stream, row.key)
            names[row.customer_no] = min(key, names.get(row.customer_no, key))
        cards = connection.execute(
            text(
                "SELECT customer_no, display_name, emails, phones, country, market_state, stage, stage_since,"
                " risk_points, value_at_risk, contribution FROM customer_card"
            )
        )
        flags = connection.execute(text("SELECT customer_no, rule, since, message FROM risk_flag"))
        profit = connection.execute(
            text("SELECT customer_no, currency, revenue, refunds, direct_cost, cost_to_serve FROM profitability")
        )
        return {
            name: sorted(((names[row[0]], *row[1:]) for row in rows), key=repr)
            for name, rows in (("cards", cards), ("flags", flags), ("profit", profit))
        }


def test_a_week_without_news_raises_flags_and_derives_only_who_is_due(hub: Hub) -> None:
    first = synced(hub)
    later = synced(hub, DEMO_AS_OF + WEEK)
    assert later.counts["changed"] == 0
    assert 0 < later.counts["customers_derived"] < first.counts["customers_derived"]
    assert later.counts["flags_raised"] > 0
    moved = graph(hub.store)
    with hub.store.write() as connection:
        connection.execute(text("UPDATE customer SET dirty = :yes"), {"yes": True})
    synced(hub, DEMO_AS_OF + WEEK)
    assert graph(hub.store) == moved  # whoever was not due would not have changed


def test_a_change_at_the_source_derives_only_its_customer(hub: Hub, company: Company) -> None:
    first = synced(hub)
    contact = next(r for r in company.records["hubspot"]["contacts"] if r["properties"].get("phone"))
    company.change("hubspot", "contacts", contact["id"], jobtitle="Head of Everything", country="Austria")
    report = synced(hub)
    assert (report.counts["changed"], report.counts["mapped"]) == (1, 1)
    assert 1 <= report.counts["customers_derived"] <= 3 < first.counts["customers_derived"]
    with hub.store.read() as connection:
        card = connection.execute(
            text(
                "SELECT country FROM customer_card k JOIN profile_ledger l ON l.customer_no = k.customer_no"
                " WHERE l.source = 'hubspot' AND l.stream = 'contacts' AND l.key = :key"
            ),
            {"key": str(contact["id"])},
        ).scalar_one()
    assert card == "AT"


def test_a_source_that_is_down_leaves_the_others_whole(
    new_store: Callable[[str], Store], rulebook: Rulebook, running: Running
) -> None:
    environment = running.environment() | {"ZENDESK_BASE_URL": "http://127.0.0.1:9", "STRIPE_TOKEN": "wrong"}
    hub = hub_of(new_store("sqlite"), rulebook, environment)
    report = sync(hub, DEMO_AS_OF)
    assert report.status == "PARTIAL"
    assert {name.split(".")[0] for name in report.errors} == {"zendesk", "stripe"}
    assert all("wrong" not in line for line in report.errors.values())
    with hub.store.read() as connection:
        records = Counter({row.source: row.records for row in status.streams(connection)})
    assert records["hubspot"] > 0
    assert records["matomo"] > 0


def test_a_missing_setting_names_its_variable(
    new_store: Callable[[str], Store], rulebook: Rulebook, running: Running
) -> None:
    environment = {k: v for k, v in running.environment().items() if k != "STRIPE_TOKEN"}
    report = sync(hub_of(new_store("sqlite"), rulebook, environment), DEMO_AS_OF)
    assert report.status == "PARTIAL"
    assert any("STRIPE_TOKEN" in line for line in report.errors.values())


def test_a_killed_sync_goes_on_where_it_stopped(store: Store, rulebook: Rulebook, company: Company) -> None:
    with serve(company, faults=False, latency_ms=20) as servers:
        hub = hub_of(store, rulebook, servers.environment())
        synced(hub)
        needed = _requests(hub, servers)
    _wipe(store)
    with serve(company, faults=False, latency_ms=20) as servers:
        environment = os.environ | servers.environment() | {"HUB_DATABASE_URL": store.url}
        process = subprocess.Popen([sys.executable, "-m", "hub.cli", "sync", "--as-of", "2026-06-30"], env=environment)
        while not (cut := _cut(store)) and process.poll() is None:
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        cut = _cut(store) or cut
        hub = hub_of(store, rulebook, servers.environment())
        synced(hub)
        again = _requests(hub, servers) - needed
    with store.read() as connection:
        assert [row for row in status.reconciliation(connection, hub.sources) if row.difference] == []
        records = sum(row.records for row in status.streams(connection))
    assert records == sum(len(records) for streams in company.records.values() for records in streams.values())
    assert cut
    # What was under way, or waited for the writer; a list that had been read to its end is read anew by any next run.
    assert sum(again[stream] for stream in cut) <= PAGES_A_TRANSACTION + PAGES_AHEAD


def _requests(hub: Hub, servers: Running) -> Counter[str]:
    """Requests by stream."""
    specs = {names: hub.sources[names[0]].system.streams[names[1]] for names in hub.streams()}
    paths = {(source, spec.path): f"{source}.{stream}" for (source, stream), spec in specs.items()}
    sent = [(source, request) for source, requests in servers.requests.items() for request in requests]
    return Counter(paths[source, request.split(" ")[1].split("?")[0]] for source, request in sent)


def _cut(store: Store) -> list[str]:
    """The streams that go on inside their list."""
    with store.read() as connection:
        rows = connection.execute(text("SELECT source, stream, cursor FROM stream_state WHERE cursor IS NOT NULL"))
        return [f"{row.source}.{row.stream}" for row in rows if "at" in json.loads(row.cursor)]


def _wipe(store: Store) -> None:
    with store.write() as connection:
        for table in connection.execute(text(_TABLES[store.dialect])).scalars().all():
            if table not in ("alembic_version", "hub_meta"):
                connection.execute(text(f'DELETE FROM "{table}"'))  # noqa: S608


_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


def test_erasure_reaches_everything_and_the_person_does_not_come_back(hub: Hub) -> None:
    synced(hub)
    with hub.store.read() as connection:
        row = connection.execute(
            text(
                "SELECT k.public_id, k.customer_no, k.emails, k.display_name FROM customer_card k"
                " WHERE k.kind = 'PERSON' AND k.interaction_count > 20 AND k.emails <> '[]'"
                " AND EXISTS (SELECT 1 FROM money_entry m WHERE m.customer_no = k.customer_no)"
                " ORDER BY k.customer_no LIMIT 1"
            )
        ).one()
    email = json.loads(row.emails)[0]
    theirs = _words(hub.store, "=", row.customer_no) - _words(hub.store, "<>", row.customer_no)
    assert theirs
    dry = erase(hub.store, row.public_id, dry_run=True, as_of=DEMO_AS_OF)
    assert dry.certificate is None
    assert dict(dry.rows)["landing"] > 0
    real = erase(hub.store, row.public_id, dry_run=False, as_of=DEMO_AS_OF)
    assert real.rows == dry.rows
    with hub.store.read() as connection:
        assert not any(words in str(shown(connection)) for words in theirs)
    synced(hub)
    with hub.store.read() as connection:
        lists = shown(connection)
        assert lists == wide(expected(connection), lists)
    remap(hub, DEMO_AS_OF)
    with hub.store.read() as connection:
        assert shown(connection) == lists
        payloads = connection.execute(text("SELECT payload FROM landing")).scalars()
        assert not any(email.encode() in bytes(payload) for payload in payloads)
        cards = connection.execute(text("SELECT COUNT(*) FROM customer_card WHERE emails LIKE :e"), {"e": f"%{email}%"})
        assert cards.scalar_one() == 0
        assert [row for row in status.reconciliation(connection, hub.sources) if row.difference] == []


def _words(store: Store, whose: str, customer_no: int) -> set[str]:
    """What interactions of the customer, or of all others, say in one line."""
    said = f"SELECT DISTINCT summary FROM interaction WHERE summary IS NOT NULL AND customer_no {whose} :no"  # noqa: S608
    with store.read() as connection:
        return set(connection.scalars(text(said), {"no": customer_no}))
