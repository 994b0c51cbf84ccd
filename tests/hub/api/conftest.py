"""A small graph, written by hand, and a way to ask it. Amounts are thousandths of a cent, instants µs UTC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, Table, event, insert, select, text, update

from hub.access.principal import LOCAL, Principal
from hub.api.asked.documents import Documents
from hub.api.context import Context, Writer
from hub.api.engine import Engine
from hub.api.listen.subscribe import Outbox
from hub.api.plan.planner import Planner
from hub.api.plan.run import open_runner
from hub.api.schema import Schema, build_schema
from hub.api.scope import House
from hub.erasure.erase import Erasure
from hub.insight.shortlist import Shortlists, shortlists
from hub.store import derived, kept
from hub.store.engine import Store
from hub.store.mapped import MAPPED
from mappings.loader import Source, load_sources, shipped
from mappings.rulebook import Rulebook

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AS_OF = "2026-06-30T20:00:00"


def at(text: str) -> int:
    """An instant in UTC as µs."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def euros(amount: float) -> int:
    """Whole cents as an amount."""
    return round(amount * 100) * 1_000


def put(connection: Connection, table: Table, **values: Any) -> None:
    """A row of a table; columns that must hold something and are not named hold what is empty of their kind."""
    empty: dict[str, Any] = {}
    for column in table.columns:
        if column.nullable or column.name in values:
            continue
        if isinstance(column.type, Boolean):
            empty[column.name] = False
        elif isinstance(column.type, BigInteger | Integer):
            empty[column.name] = 0
        else:
            empty[column.name] = b"" if isinstance(column.type, LargeBinary) else ""
    connection.execute(insert(table), {**empty, **values})


def put_customer(connection: Connection, number: int, name: str | None, **card: Any) -> None:
    """A customer with its ledger row and card."""
    public_id = card.pop("public_id", f"cus_{number:04}")
    kind = card.setdefault("kind", "PERSON")
    put(connection, kept.customer_ledger, customer_no=number, public_id=public_id, kind=kind, minted_at=at(AS_OF))
    put(connection, derived.customer, customer_no=number, derived_as_of=at(AS_OF))
    values = {
        "display_name": name,
        "display_name_key": (name or "").lower(),
        "emails": "[]",
        "phones": "[]",
        "market_state": "ADDRESSABLE",
        "updated_at": at(AS_OF),
        "risk_band": "LOW",
        "risk_band_rank": 1,
        "risk_as_of": at(AS_OF),
        "risk_reasons": "[]",
    }
    put(connection, derived.customer_card, customer_no=number, public_id=public_id, **(values | card))


def publish_cards(connection: Connection, currency: str = "EUR") -> None:
    """Has every card hold what it keeps of other tables, as the sync would."""
    card, worth = derived.customer_card, derived.profitability
    connection.execute(text("CREATE TEMP TABLE batch AS SELECT customer_no FROM customer_card"))
    lists = shortlists(connection)
    connection.execute(text("DROP TABLE batch"))
    names = ("revenue", "refunds", "direct_cost", "cost_to_serve", "contribution", "margin", "coverage")
    rows = connection.execute(select(worth).where(worth.c.currency == currency)).mappings()
    earned = {row["customer_no"]: {name: row[name] for name in names} for row in rows}
    for (number,) in connection.execute(select(card.c.customer_no)).all():
        kept = lists.get(number, Shortlists())._asdict()
        if connection.dialect.name == "postgresql":
            kept |= {name: json.loads(kept[name]) for name in ("flags", "latest") if kept[name] is not None}
        said = earned.get(number, {}) | {"has_profitability": number in earned}
        connection.execute(update(card).where(card.c.customer_no == number).values(**kept, **said))


@dataclass
class Deeds:
    """What mutations asked the write path for."""

    followed: list[int] = field(default_factory=list)
    erased: list[tuple[str, bool, int]] = field(default_factory=list)

    def writer(self) -> Writer:
        return Writer(self.followed.append, self._erase)

    def _erase(self, public_id: str, dry_run: bool, as_of: int) -> Erasure:
        self.erased.append((public_id, dry_run, as_of))
        return Erasure(None if dry_run else "proof", [("interaction", 3), ("landing", 2)])


@dataclass(repr=False)
class Graph:
    """A store to ask."""

    store: Store
    schema: Schema
    context: Context
    deeds: Deeds
    engine: Engine
    """Without a planner."""
    documents: Documents
    planner: Planner
    loop: asyncio.AbstractEventLoop
    principal: Principal = LOCAL
    plans: bool = True
    planned: int = 0
    """How many operations were planned, and so answered twice."""

    def ask(self, query: str, operation: str | None = None, **variables: Any) -> dict[str, Any]:
        """The whole answer: data and errors, as a client would see it."""
        body = self.loop.run_until_complete(self._asked(query, operation, variables))
        read: dict[str, Any] = {"data": None, **json.loads(body)}
        return read

    async def _asked(self, query: str, operation: str | None, variables: dict[str, Any]) -> bytes:
        """By graphql-core; where the query is planned, the plan must say the same to the last byte."""
        document = self.documents.get(query)
        answer = await self.engine.answer(document, operation, variables, self.principal)
        runnable = None if answer.status != 200 else document.runnable(operation)
        if self.plans and runnable is not None and runnable.kind == "query":
            planned = await self.planner(document, runnable, variables, self.principal)
            if planned is not None:
                assert planned.body.decode() == answer.body.decode()
                self.planned += 1
        return answer.body

    def data(self, query: str, operation: str | None = None, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = self.ask(query, operation, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def code(self, query: str, **variables: Any) -> str:
        """The code of the first error."""
        return str(self.ask(query, **variables)["errors"][0]["extensions"]["code"])

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """The statements that the reader sends meanwhile."""
        sent: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            sent.append(statement)

        engine = self.store.engine if self.store.dialect == "postgresql" else self.store._reader
        event.listen(engine, "before_cursor_execute", note)
        self.plans = False
        try:
            yield sent
        finally:
            self.plans = True
            event.remove(engine, "before_cursor_execute", note)

    @contextmanager
    def running(self) -> Iterator[list[str]]:
        """The statements that plans run meanwhile."""
        runner, ran = self.planner._runner, []

        async def run(statement: str, parameters: Any) -> Any:
            ran.append(statement)
            return await type(runner).run(runner, statement, parameters)

        runner.run = run  # type: ignore[method-assign]
        try:
            yield ran
        finally:
            del runner.run


@pytest.fixture(scope="session")
def sources(rulebook: Rulebook) -> Mapping[str, Source]:
    """The shipped sources, without secrets."""
    return load_sources(rulebook, [shipped()], {})


@pytest.fixture(scope="session")
def schema(rulebook: Rulebook) -> Schema:
    return build_schema()


@pytest.fixture
def graph(store: Store, rulebook: Rulebook, sources: Mapping[str, Source], schema: Schema) -> Iterator[Graph]:
    """An empty store to ask."""
    deeds = Deeds()
    house = House(rulebook, sources, store.dialect)
    context = Context(store, house, schema.declarations, deeds.writer(), Outbox(store))
    documents = Documents(schema._schema, rulebook.access)
    planner = Planner(schema, house, open_runner(store, rulebook.access.timeout_s), context.query)
    with closing(asyncio.new_event_loop()) as loop:
        yield Graph(store, schema, context, deeds, Engine(schema, context), documents, planner, loop)
        loop.run_until_complete(planner.close())


@pytest.fixture
def told(graph: Graph) -> Graph:
    """The graph of Mike (1), his wife Mia (2), Acme (3) and a merged id (4)."""
    with graph.store.write() as connection:
        for tell in _TOLD:
            tell(connection)
        publish_cards(connection)
    return graph


@pytest.fixture(scope="session")
def example() -> Callable[[str], str]:
    """A contract query, word for word."""
    return lambda name: files("hub.api").joinpath(f"examples/{name}.graphql").read_text(encoding="utf-8")


def _cards(connection: Connection) -> None:
    put_customer(
        connection,
        1,
        "Mike Müller",
        display_name_key="mike muller",
        emails='["mike@home.example","m.mueller@work.example"]',
        phones='["+4915112345678"]',
        country="DE",
        language="de",
        market_state="ACTIVE",
        stage="LIVING",
        stage_since=at("2026-01-15T10:00:00"),
        first_seen=at("2025-03-01T09:30:00"),
        last_seen=at("2026-06-28T08:00:00"),
        open_case_count=1,
        interaction_count=4,
        sentiment=-250_000,
        sentiment_count=2,
        sentiment_trend="FALLING",
        sentiment_at=at("2026-06-20T12:00:00"),
        risk_points=55,
        risk_band="HIGH",
        risk_band_rank=3,
        risk_reasons='[{"rule":"failed_payment","points":55,"text":"A payment failed."}]',
        value_at_risk=euros(1200.5),
        contribution=euros(300),
    )
    put_customer(connection, 2, "Mia Müller", emails='["mia@home.example"]', country="GB", risk_band="LOW")
    put_customer(
        connection,
        3,
        "Acme GmbH",
        kind="ORGANIZATION",
        market_state="ACTIVE",
        stage="CHOOSING",
        stage_since=at("2026-05-01T00:00:00"),
        open_case_count=2,
    )
    merged = {"customer_no": 4, "public_id": "cus_old", "kind": "PERSON", "minted_at": 0, "merged_into": 1}
    put(connection, kept.customer_ledger, **merged)


def _names(connection: Connection) -> None:
    identifiers = [
        ("EMAIL", "mike@home.example", 1, '["hubspot","stripe"]'),
        ("EMAIL", "family@home.example", 1, '["hubspot"]'),
        ("EMAIL", "family@home.example", 2, '["hubspot"]'),
        ("PHONE", "+4915112345678", 1, '["stripe"]'),
        ("hubspot", "101", 1, '["stripe"]'),
    ]
    for kind, value, number, sources in identifiers:
        put(connection, derived.customer_identifier, type=kind, value=value, customer_no=number, sources=sources)
    tokens = [("mike", 1), ("muller", 1), ("4915112345678", 1), ("mike@home.example", 1)]
    for token, number in [*tokens, ("mia", 2), ("muller", 2), ("acme", 3), ("gmbh", 3)]:
        put(connection, derived.customer_token, token=token, customer_no=number)
    profiles = [
        (11, "hubspot", "contacts", "101", 1),
        (12, "stripe", "customers", "cus_A", 1),
        (13, "hubspot", "contacts", "102", 2),
        (14, "hubspot", "companies", "101", 3),
    ]
    for number, source, stream, key, customer in profiles:
        said = {"source": source, "stream": stream, "key": key, "customer_no": customer}
        put(connection, kept.profile_ledger, profile_no=number, **said)
        created = at("2025-03-01T09:30:00") if number != 12 else at("2025-04-01T00:00:00")
        fact = {"fact_no": number << 16, "source": source, "stream": stream, "profile_no": number}
        put(connection, MAPPED["profile"], **fact, kind="PERSON", created_at=created)
    for number, profile in ((21, 11), (22, 12)):
        source = "hubspot" if profile == 11 else "stripe"
        said = {"fact_no": number << 16, "source": source, "profile_no": profile}
        put(connection, MAPPED["contact_point"], **said, type="EMAIL", value="mike@home.example")
    put(
        connection,
        MAPPED["identifier"],
        fact_no=23 << 16,
        source="stripe",
        profile_no=12,
        system="hubspot",
        value="101",
    )
    values = [("DISPLAY_NAME", 0, "Mike Müller", "hubspot", "101"), ("DISPLAY_NAME", 1, "M. Müller", "stripe", "cus_A")]
    values += [("EMAILS", 0, "mike@home.example", "hubspot", "101"), ("COUNTRY", 0, "DE", "hubspot", "101")]
    for name, rank, value, source, key in values:
        said = {"field": name, "rank": rank, "value": value, "source": source, "key": key}
        seen = at("2026-01-01T00:00:00") if rank == 0 else None
        put(connection, derived.provenance, customer_no=1, **said, stream="s", observed_at=seen, strategy="most_recent")


def _identity(connection: Connection) -> None:
    pair = {"left_profile_no": 11, "right_profile_no": 12}
    said = {"verdict": "MATCH", "rule": "same e-mail", "score": 990_000, "at": at("2025-04-02T00:00:00")}
    put(connection, derived.link, **pair, **said, reasons='["the e-mail mike@home.example","given name Mike"]')
    unsure = {"left_profile_no": 13, "right_profile_no": 14, "verdict": "UNSURE", "rule": "phone", "review": True}
    put(connection, derived.link, **unsure, score=600_000, reasons='["same phone"]', at=at("2025-04-02T00:00:00"))
    steward = {"left_profile_no": 11, "right_profile_no": 13, "verdict": "NO_MATCH", "reason": "husband and wife"}
    put(connection, kept.judgement, judgement_no=7, **steward, decided_by="steward", at=at("2025-05-01T00:00:00"))
    log = {"customer_no": 1, "at": at("2025-04-02T00:00:00"), "event": "MERGED", "reason": "same e-mail"}
    put(connection, kept.identity_log, log_no=1_001, **log, customer_ids='["cus_0001","cus_old"]')


def _interactions(connection: Connection) -> None:
    rows = [
        (101, "2026-06-28T08:00:00", "visit.made", "WEB", "CUSTOMER", "matomo", "Looked at prices", None, 1, 3),
        (102, "2026-06-20T12:00:00", "case.comment", "EMAIL", "CUSTOMER", "zendesk", "It broke", -500_000, 1, 3),
        (103, "2026-06-01T09:00:00", "invoice.issued", "BILLING", "BRAND", "stripe", "Invoice 7", None, 1, None),
        (104, "2026-06-01T09:00:00", "payment.failed", "BILLING", "CUSTOMER", "stripe", "Card refused", None, 1, None),
        (105, "2026-05-02T09:00:00", "deal.opened", "SALES", "BRAND", "hubspot", "Deal of Acme", None, 3, 3),
    ]
    for number, when, kind, channel, lane, source, summary, felt, customer, organization in rows:
        put(
            connection,
            MAPPED["interaction"],
            fact_no=number,
            source=source,
            profile_no=11 if customer == 1 else 14,
            at=at(when),
            type=kind,
            channel=channel,
            lane=lane,
            summary=summary,
            sentiment=felt,
            customer_no=customer,
            organization_no=organization,
        )


def _money(connection: Connection) -> None:
    entries = [
        (201, "2026-06-01T09:00:00", "REVENUE", "ACTUAL", euros(400), "EUR", None, 103, 301, "LIVING", "BILLING"),
        (202, "2026-06-02T09:00:00", "REFUND", "ACTUAL", euros(50), "EUR", None, None, 301, "LIVING", "BILLING"),
        (203, "2026-06-02T09:00:00", "COGS", "ACTUAL", 60_000_000, "JPY", None, 103, 301, "LIVING", "BILLING"),
        (-102, "2026-06-20T12:00:00", "COST_TO_SERVE", "ESTIMATED", euros(10), "EUR", "reply", 102, 302, None, "EMAIL"),
        (204, "2026-06-03T09:00:00", "TAX", "ACTUAL", euros(76), "EUR", None, 103, 301, "LIVING", "BILLING"),
    ]
    for number, when, kind, basis, amount, currency, rule, touch, step, stage, channel in entries:
        owner = {"customer_no": 1, "at": at(when), "kind": kind, "basis": basis, "amount": amount, "rule": rule}
        place = {"interaction_no": touch, "step_no": step, "stage": stage, "channel": channel}
        record = {"source": "stripe", "stream": "invoices", "key": f"in_{number}"}
        put(connection, derived.entry, entry_no=number, **owner, **place, **record, currency=currency)
        value, rate = (amount, "1") if currency == "EUR" else (None, None)
        for code in ("EUR", "USD"):
            shown = value if code == "EUR" else value and value * 2
            said = {
                "currency": code,
                "customer_no": 1,
                "amount": shown,
                "rate": rate if code == "EUR" else rate and "2",
            }
            put(connection, derived.entry_value, entry_no=number, **said)
    sums: dict[str, int | None] = {
        "revenue": 400,
        "refunds": 50,
        "direct_cost": None,
        "cost_to_serve": 10,
        "contribution": 340,
    }
    for code, factor in (("EUR", 1), ("USD", 2)):
        amounts = {name: None if part is None else euros(part) * factor for name, part in sums.items()}
        ratios = {"margin": 971_429, "coverage": 750_000}
        put(connection, derived.profitability, customer_no=1, currency=code, **amounts, **ratios)
    put(connection, derived.profitability, customer_no=3, currency="EUR", contribution=-euros(20), coverage=1_000_000)


def _journeys(connection: Connection) -> None:
    began, moved = at("2026-05-01T00:00:00"), at("2026-06-10T00:00:00")
    put(
        connection, derived.journey, journey_no=301, customer_no=1, ordinal=1, definition="customer@1", started_at=began
    )
    steps = [(301, 1, "LIVING", began, moved, 30, True), (302, 2, "RENEWAL", moved, None, None, None)]
    for number, ordinal, stage, entered, left, expected, overdue in steps:
        said = {"journey_no": 301, "customer_no": 1, "ordinal": ordinal, "stage": stage, "entered_at": entered}
        counts = {"customer_interaction_count": 1, "brand_interaction_count": 1, "channels": '["BILLING","EMAIL"]'}
        more = {"left_at": left, "expected_days": expected, "overdue": overdue, "sentiment": -500_000}
        put(connection, derived.journey_step, step_no=number, **said, **counts, **more)
    worth = {"revenue": euros(350), "cost": None, "contribution": euros(350)}
    put(connection, derived.step_value, step_no=301, currency="EUR", customer_no=1, **worth)
    late = {"kind": "LATE", "at": moved, "message": "40 days instead of 30"}
    put(connection, derived.deviation, step_no=301, customer_no=1, **late)
    for touch, step, stage in (
        (101, 302, "RENEWAL"),
        (102, 302, "RENEWAL"),
        (103, 301, "LIVING"),
        (104, 301, "LIVING"),
    ):
        when = {101: "2026-06-28T08:00:00", 102: "2026-06-20T12:00:00"}.get(touch, "2026-06-01T09:00:00")
        said = {"interaction_no": touch, "step_no": step, "customer_no": 1, "at": at(when), "stage": stage}
        put(connection, derived.step_interaction, **said)
    made, due = at("2026-06-20T12:00:00"), at("2026-06-22T12:00:00")
    promise = {"profile_no": 11, "customer_no": 1, "made_at": made, "due_at": due}
    put(connection, MAPPED["promise"], fact_no=401, **promise)
    put(connection, MAPPED["promise"], fact_no=402, **promise | {"kept_at": due, "made_at": made + 1_000_000})
    put(connection, MAPPED["promise"], fact_no=403, **promise | {"made_at": at("2024-01-01T00:00:00")})


def _risks(connection: Connection) -> None:
    flags = [(501, 1, "failed_payment", "HIGH", 3, euros(1200.5), True), (502, 2, "silence", "LOW", 1, None, False)]
    for number, customer, rule, severity, rank, stake, allowed in flags:
        put(
            connection,
            derived.risk_flag,
            flag_no=number,
            customer_no=customer,
            rule=rule,
            severity=severity,
            severity_rank=rank,
            state="OPEN",
            since=at("2026-06-01T09:00:00"),
            points=55,
            message="A payment of 400.00 EUR failed",
            clears_when="the invoice is paid",
            value_at_risk=stake,
            contactable=allowed,
            action_kind="CALL",
            action_channel="PHONE",
            action_not_before=at("2026-07-01T06:00:00"),
            action_not_after=at("2026-07-02T06:00:00"),
            action_skill="billing",
            action_why="A new card settles it",
            action_blocked_by=None if allowed else "no consent",
        )
    for ordinal, touch in enumerate((104, 103), start=1):
        put(connection, derived.flag_evidence, flag_no=501, ordinal=ordinal, customer_no=1, interaction_no=touch)


def _organization(connection: Connection) -> None:
    since = at("2025-01-01T00:00:00")
    put(connection, derived.member, organization_no=3, person_no=1, role="Buyer", since=since)
    put(connection, derived.member, organization_no=3, person_no=2, role=None, since=None)
    put(connection, derived.member, organization_no=3, person_no=4, role="Left", since=since, until=since + 1)
    for person, role, count, first in ((1, "Buyer", 2, "2026-06-20T12:00:00"), (2, None, 1, "2026-06-25T00:00:00")):
        said = {"organization_no": 3, "person_no": person, "role": role, "interaction_count": count}
        put(connection, derived.buying_group_member, **said, first_at=at(first))
    put(
        connection,
        MAPPED["agreement"],
        fact_no=601,
        profile_no=14,
        customer_no=3,
        status="ACTIVE",
        starts_at=since,
        renews_at=at("2026-12-31T23:00:00"),
        recurring_amount=99_000_000,
        currency="EUR",
        period_months=1,
    )


def _syncs(connection: Connection) -> None:
    run = {"command": "sync", "as_of": at(AS_OF), "started_at": at(AS_OF), "status": "OK"}
    put(connection, kept.sync_run, run_no=1, **run)
    for number, status, error in ((1, "FAILED", "stripe: 401"), (2, "OK", None)):
        counts = {"pulled": 10, "changed": 3, "unchanged": 7, "failed": 1}
        when = {"started_at": at(AS_OF), "finished_at": at(AS_OF) if number == 2 else None}
        said = {"run_no": number, "source": "stripe", "stream": "invoices", "status": status, "error": error}
        put(connection, kept.stream_run, **said, **when, **counts)
    state = {"mapping_version": "v1", "fresh_until": at("2026-07-01T20:00:00"), "record_count": 9}
    put(connection, kept.stream_state, source="stripe", stream="invoices", **state)
    landed = {"source": "stripe", "stream": "invoices", "key": "in_9", "state": 2}
    put(connection, kept.landing, landing_no=900, **landed)
    letter = {"source": "stripe", "stream": "invoices", "path": "lines.0.amount", "reason": "is no number"}
    put(connection, kept.dead_letter, landing_no=900, **letter, last_seen_at=at(AS_OF))
    changed = {"source": "stripe", "stream": "invoices", "at": at(AS_OF)}
    put(connection, kept.drift, drift_no=1, **changed, path="discount", change="NEW", now="object", mapped=False)
    put(connection, kept.drift, drift_no=2, **changed, path="tax", change="VANISHED", was="number", mapped=True)
    record = {"source": "stripe", "stream": "invoices", "currency": "EUR"}
    put(connection, MAPPED["money_entry"], fact_no=201, **record, kind="REVENUE", amount=euros(400), customer_no=1)
    put(connection, MAPPED["money_entry"], fact_no=202, **record, kind="REVENUE", amount=euros(5))


_TOLD = (_cards, _names, _identity, _interactions, _money, _journeys, _risks, _organization, _syncs)
