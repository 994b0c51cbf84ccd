"""The shipped mapping files on true answers of other people's servers and on the sandbox's company."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.sandbox.company import Company, generate
from mappings.compile import Mapped, compile_stream, row_columns
from mappings.loader import Settings, Source, load_system, schema_json, shipped
from mappings.rulebook import Rulebook

RECORDINGS = Path(__file__).parent / "recordings"
FILES = sorted(shipped().glob("sources/**/*.yml"))
IN_THE_SANDBOX = ("hubspot", "matomo", "stripe", "zendesk")  # the others: test_every_mapping.py
SOURCES = {path.stem: Source(path.stem, load_system(path), Settings({})) for path in FILES}
STREAMS = [(name, stream) for name in IN_THE_SANDBOX for stream in SOURCES[name].system.streams]
BOOKED = ("open", "paid", "uncollectible")


@pytest.fixture(scope="module")
def company() -> Company:
    return generate(200, 11)


@pytest.fixture(scope="module")
def world(company: Company, rulebook: Rulebook) -> dict[tuple[str, str], Mapped]:
    """Every stream of the sandbox's company, mapped; refunds with their charge expanded, as the mapping asks."""
    made = {}
    for name, stream in STREAMS:
        records: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(company.records[name][stream]))
        if (name, stream) == ("stripe", "refunds"):
            records = [{**record, "charge": company.get("stripe", "charges", record["charge"])} for record in records]
        made[name, stream] = compile_stream(SOURCES[name], stream, rulebook).map(list(enumerate(records, 1)))
    return made


def recorded(file: str) -> list[tuple[int, Any]]:
    return list(enumerate(json.loads((RECORDINGS / f"{file}.json").read_text("utf-8")), 1))


def rows(mapped: Mapped, entity: str) -> list[dict[str, Any]]:
    return [dict(zip(row_columns(entity), row, strict=True)) for row in mapped.rows.get(entity, [])]


def sums(mapped: Mapped, kind: str) -> dict[str, int]:
    """Minor units by currency; exact, or the test is to fail."""
    found: Counter[str] = Counter()
    for entry in rows(mapped, "money_entry"):
        if entry["kind"] == kind:
            found[entry["currency"]] += entry["amount"]
    assert all(amount % 1000 == 0 for amount in found.values())
    return {currency: amount // 1000 for currency, amount in found.items()}


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_mapping_file_names_its_schema(path: Path) -> None:
    first = path.read_text("utf-8").splitlines()[0]
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / schema).resolve() == (shipped() / "mapping.schema.json").resolve()


def test_the_committed_schema_is_the_one_that_the_code_makes() -> None:
    assert (shipped() / "mapping.schema.json").read_text("utf-8") == schema_json()


@pytest.mark.parametrize("stream", ["customers", "subscriptions", "invoices", "charges", "refunds"])
def test_the_billing_mapping_reads_what_another_server_answers(stream: str, rulebook: Rulebook) -> None:
    compiled = compile_stream(SOURCES["stripe"], stream, rulebook)
    records = recorded(f"localstripe_{stream}")
    made = compiled.map(records)
    assert made.problems == []
    assert len({row[0] for found in made.rows.values() for row in found}) == len(records)


def test_money_of_another_server_equals_an_independent_sum(rulebook: Rulebook) -> None:
    made = {
        stream: compile_stream(SOURCES["stripe"], stream, rulebook).map(recorded(f"localstripe_{stream}"))
        for stream in ("invoices", "refunds")
    }
    revenue: Counter[str] = Counter()
    tax: Counter[str] = Counter()
    for _, invoice in recorded("localstripe_invoices"):
        revenue[invoice["currency"].upper()] += sum(line["amount"] for line in invoice["lines"]["data"])
        tax[invoice["currency"].upper()] += invoice["tax"]
    refunds: Counter[str] = Counter()
    for _, refund in recorded("localstripe_refunds"):
        refunds[refund["currency"].upper()] += refund["amount"]
    assert sums(made["invoices"], "REVENUE") == revenue
    assert sums(made["invoices"], "TAX") == tax
    assert sums(made["refunds"], "REFUND") == refunds
    assert len(revenue) > 1


def test_the_web_mapping_reads_recorded_visits(rulebook: Rulebook) -> None:
    compiled = compile_stream(SOURCES["matomo"], "visits", rulebook)
    anonymous = compiled.map(recorded("matomo_visits_anonymous"))
    known = compiled.map(recorded("matomo_visits_logged_in"))
    assert anonymous.problems == known.problems == []
    logged_in = {record["visitorId"] for _, record in recorded("matomo_visits_logged_in") if record["userId"]}
    with_email = {row["profile"][1] for row in rows(known, "contact_point") if row["type"] == "EMAIL"}
    assert with_email == logged_in != set()
    visits = [row for row in rows(known, "interaction") if row["type"] == "visit.made"]
    assert len(visits) == len(recorded("matomo_visits_logged_in"))
    assert known.rows.get("money_entry") is None


def test_a_second_reading_of_the_same_visit_is_no_change(rulebook: Rulebook) -> None:
    compiled = compile_stream(SOURCES["matomo"], "visits", rulebook)
    _, visit = recorded("matomo_visits_anonymous")[0]
    later = {**visit, "secondsSinceFirstVisit": visit["secondsSinceFirstVisit"] + 3600}
    assert compiled.content(later) == compiled.content(visit)


@pytest.mark.parametrize(("name", "stream"), STREAMS, ids=["-".join(stream) for stream in STREAMS])
def test_every_record_of_the_sandbox_is_mapped(world: dict[Any, Mapped], name: str, stream: str) -> None:
    assert world[name, stream].problems == []


@pytest.mark.parametrize(("name", "stream"), STREAMS, ids=["-".join(stream) for stream in STREAMS])
def test_every_mapping_equals_its_own_control(world: dict[Any, Mapped], name: str, stream: str) -> None:
    made = world[name, stream]
    blocks = SOURCES[name].system.streams[stream].blocks("reconcile")
    controls: Counter[tuple[str, str]] = Counter()
    for _, item, currency, amount in made.controls:
        controls[blocks[item].kinds[0], currency] += amount
    entries: Counter[tuple[str, str]] = Counter()
    for entry in rows(made, "money_entry"):
        entries[entry["kind"], entry["currency"]] += entry["amount"]
    assert entries == controls


@pytest.mark.parametrize(
    ("stream", "kind", "told"),
    [
        ("invoices", "REVENUE", "invoices"),
        ("invoices", "TAX", "tax"),
        ("refunds", "REFUND", "refunds"),
        ("charges", "FEE", "fees"),
    ],
)
def test_money_of_the_sandbox_equals_its_truth(
    world: dict[Any, Mapped], company: Company, stream: str, kind: str, told: str
) -> None:
    truth = {code: minor for (_, what, code), minor in company.truth.money.items() if what == told and minor}
    assert sums(world["stripe", stream], kind) == truth
    assert len(truth) >= 4


def test_every_profile_of_the_truth_is_a_profile_and_the_own_staff_is_none(
    world: dict[Any, Mapped], company: Company
) -> None:
    found = {
        (name, *row["profile"]) for (name, stream), made in world.items() for row in rows(made, "profile") if stream
    }
    persons, organizations = company.truth.persons, company.truth.organizations
    carried = {"visitors": "visits"}  # a visit carries its visitor
    told = {
        (ref.system, carried.get(ref.stream, ref.stream), ref.key)
        for profiles in ([p.profiles for p in persons] + [o.profiles for o in organizations])
        for ref in profiles
    }
    assert told <= found
    staff = {str(user["id"]) for user in company.records["zendesk"]["users"] if user["role"] != "end-user"}
    assert staff
    assert not {("zendesk", "users", key) for key in staff} & found


def test_anonymous_visitors_have_nothing_but_their_device(world: dict[Any, Mapped], company: Company) -> None:
    anonymous = set(company.truth.anonymous_visitors)
    made = world["matomo", "visits"]
    points = {row["type"] for row in rows(made, "contact_point") if row["profile"][1] in anonymous}
    assert points == {"DEVICE"}
    assert not [row for row in rows(made, "identifier") if row["profile"][1] in anonymous]


INTERACTIONS = [
    ("matomo", "visits", {"visit.made", "visit.pricing", "visit.signed_up"}),
    ("hubspot", "contacts", {"contact.created"}),
    ("hubspot", "deals", {"deal.opened", "deal.won", "deal.lost"}),
    ("stripe", "subscriptions", {"agreement.started", "agreement.ended", "agreement.cancel_scheduled"}),
    ("stripe", "invoices", {"invoice.issued", "invoice.paid"}),
    ("stripe", "charges", {"payment.succeeded", "payment.failed"}),
    ("stripe", "refunds", {"refund.made"}),
    ("zendesk", "tickets", {"case.opened", "case.comment", "case.reply", "case.solved"}),
    ("zendesk", "satisfaction_ratings", {"survey.answered"}),
]


@pytest.mark.parametrize(("name", "stream", "types"), INTERACTIONS, ids=[case[1] for case in INTERACTIONS])
def test_the_interactions_that_the_rules_build_on_are_there(
    world: dict[Any, Mapped], name: str, stream: str, types: set[str]
) -> None:
    assert {row["type"] for row in rows(world[name, stream], "interaction")} == types


def test_every_public_word_of_a_ticket_is_one_touch(world: dict[Any, Mapped], company: Company) -> None:
    tickets = company.records["zendesk"]["tickets"]
    public = sum(comment["public"] for ticket in tickets for comment in ticket["comments"])
    solved = sum(ticket["status"] in ("solved", "closed") for ticket in tickets)
    assert len(rows(world["zendesk", "tickets"], "interaction")) == public + solved


def test_one_business_customer_is_an_organization(world: dict[Any, Mapped], company: Company) -> None:
    told = {c["id"] for c in company.records["stripe"]["customers"] if c["metadata"].get("type") == "business"}
    found = rows(world["stripe", "customers"], "profile")
    assert {row["profile"][1] for row in found if row["kind"] == "ORGANIZATION"} == told != set()
    assert all(row["given_name"] is None for row in found if row["kind"] == "ORGANIZATION")
