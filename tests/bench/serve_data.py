"""A company of any size, written straight into the hub's tables by set-based SQL, for the serve benchmark.

In: an open store, how many customers, how many interactions each. Out: the tables that serving reads, filled and
analysed. The distributions are the sandbox's; rows of a customer lie scattered, as they do where records land by time.
"""

# ruff: noqa: S608  (statements of constants)
from __future__ import annotations

from hub.insight.profitability import CONTRIBUTION_KINDS
from hub.store.engine import Store
from hub.store.kept import metadata
from tests.bench.serve_cards import cards, risks
from tests.bench.serve_words import (
    CURRENCIES,
    DAY,
    KINDS_OF_TOUCH,
    LAST,
    STEPS,
    Pen,
    either,
    rolled,
    rows_of,
)

FILLED = (
    "customer_ledger", "customer", "customer_card", "profile_ledger", "profile", "customer_identifier", "provenance",
    "interaction", "entry", "entry_value", "profitability", "journey", "journey_step", "step_interaction",
    "risk_flag", "flag_log", "flag_evidence", "score_log", "member", "hub_meta",
)  # fmt: skip


def fill(store: Store, customers: int, each: int) -> None:
    """Fills an empty store. Indexes are built behind the rows, which is several times faster."""
    tables = [metadata.tables[name] for name in FILLED]
    with store.write() as connection:
        for table in tables:
            for index in table.indexes:
                index.drop(connection)
        raw = connection.connection  # the driver's own: % and : are nothing but SQL here
        for statement in _statements(Pen(store.dialect, customers, each)):
            raw.cursor().execute(statement)
        for table in tables:
            for index in table.indexes:
                index.create(connection)
    _settle(store)


def _settle(store: Store) -> None:
    """Statistics, and on PostgreSQL the visibility map: what autovacuum has done soon after a sync."""
    engine = store.engine
    if store.dialect == "postgresql":
        engine = engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if store.dialect == "postgresql" else "ANALYZE")
        connection.commit()


def _statements(pen: Pen) -> list[str]:
    return [*_people(pen), *_origins(pen), *_touches(pen), *_money(pen), *_ways(pen), *risks(pen), *cards(pen)]


def _people(pen: Pen) -> list[str]:
    """Customers and what is kept of them; every twentieth is an organization with two people."""
    kind = "CASE WHEN n % 20 = 0 THEN 'ORGANIZATION' ELSE 'PERSON' END"
    public = f"'cus_' || {pen.hexed(rolled('n', 0))} || {pen.hexed(rolled('n', 1))}"
    everybody = pen.series(pen.customers)
    ledger = {"customer_no": "n", "public_id": public, "kind": kind, "minted_at": str(LAST)}
    due = {"customer_no": "n", "dirty": "FALSE", "due_at": str(LAST + DAY), "derived_as_of": str(LAST)}
    member = {"organization_no": "n / 20 * 20", "person_no": "n", "role": "'Buyer'", "since": str(LAST - 90 * DAY)}
    return [
        "INSERT INTO hub_meta VALUES ('reporting_currency', 'EUR')",
        pen.insert("customer_ledger", ledger, everybody),
        pen.insert("customer", due | {"rules_version": "'1'"}, everybody),
        pen.insert("member", member, f"{everybody} WHERE n > 20 AND n % 10 = 3"),
    ]


def _origins(pen: Pen) -> list[str]:
    """Two profiles a customer, what identifies it and where its golden values come from."""
    two = f"{pen.series(pen.customers)} CROSS JOIN (SELECT 0 AS k UNION ALL SELECT 1) AS p"
    source, stream = either("k", "hubspot", "stripe"), either("k", "contacts", "customers")
    number, said = "n * 2 + k", {"source": source, "stream": stream}
    ledger = {"profile_no": number, **said, "key": "'key_' || n", "customer_no": "n", "pending": "FALSE"}
    profile = {"fact_no": f"({number}) * 65536", "landing_no": number, **said, "stale": "FALSE"}
    profile |= {"profile_no": number, "kind": "'PERSON'", "display_name": "'Name ' || n", "updated_at": str(LAST)}
    identifier = {"type": either("k", "EMAIL", "PHONE"), "customer_no": "n", "sources": '\'["hubspot","stripe"]\''}
    identifier["value"] = "CASE WHEN k = 0 THEN 'person' || n || '@mail.example' ELSE '+49151' || (10000000 + n) END"
    fields = rows_of([["DISPLAY_NAME"], ["EMAILS"], ["COUNTRY"], ["LANGUAGE"]], ["word"])
    golden = {"customer_no": "n", "field": "word", "rank": "k", "value": "'Value ' || n", **said}
    golden |= {"key": "'key_' || n", "observed_at": str(LAST - DAY), "strategy": "'most_trusted'"}
    return [
        pen.insert("profile_ledger", ledger, two),
        pen.insert("profile", profile | {"created_at": str(LAST - 500 * DAY)}, two),
        pen.insert("customer_identifier", identifier, two),
        pen.insert("provenance", golden, f"{two} CROSS JOIN {fields}"),
    ]


def _touches(pen: Pen) -> list[str]:
    """Interactions: number n is of customer n * step modulo the customers, so that nobody's lie together."""
    total = pen.customers * pen.each
    owner = f"(n * {pen.step} % {pen.customers} + 1)"
    at = f"{LAST - 540 * DAY} + n * {540 * DAY // total} - {rolled('n', 1)} % 1000000"
    kinds = rows_of(KINDS_OF_TOUCH, ["k", "type", "channel", "lane", "source", "summary"])
    values = {
        "fact_no": "n * 65536", "landing_no": "n", "source": "t.source", "stream": "'records'", "stale": "FALSE",
        "profile_no": "owner * 2", "at": "at", "type": "t.type", "channel": "t.channel", "lane": "t.lane",
        "direction": either("n % 2", "INBOUND", "OUTBOUND"), "summary": "t.summary || ' ' || n",
        "text": "CASE WHEN t.source = 'zendesk' THEN 'It has stopped working and we cannot go on like this.' END",
        "sentiment": f"CASE WHEN t.type = 'survey.answered' THEN {rolled('n', 5)} % 2000000 - 1000000 END",
        "object_type": "'invoice'", "object_key": "'in_' || n", "customer_no": "owner",
        "organization_no": "CASE WHEN owner > 20 AND owner % 10 = 3 THEN owner / 20 * 20"
        " WHEN owner % 20 = 0 THEN owner END",
    }  # fmt: skip
    inner = f"SELECT n, {owner} AS owner, {at} AS at, {rolled('n', 0)} % 100 AS share FROM {pen.series(total)}"
    rows = f"({inner}) AS i JOIN {kinds} ON t.k = i.share ORDER BY n"
    return [pen.insert("interaction", values, rows)]


def _money(pen: Pen) -> list[str]:
    """Entries of invoices, payments and replies, in each currency, and their sums a customer."""
    entries = [
        ("invoice.issued", "REVENUE", "fact_no", 50_000_000), ("invoice.issued", "TAX", "fact_no + 1", 9_500_000),
        ("invoice.issued", "COGS", "fact_no + 2", 20_000_000), ("payment.succeeded", "FEE", "fact_no", 900_000),
        ("case.reply", "COST_TO_SERVE", "-fact_no", 12_000_000),
    ]  # fmt: skip
    values = {
        "entry_no": "", "customer_no": "customer_no", "organization_no": "organization_no", "at": "at", "kind": "",
        "basis": "", "amount": "", "currency": "'EUR'", "rule": "", "source": "source", "stream": "stream",
        "key": "object_key", "interaction_no": "fact_no", "stage": "'LIVING'", "channel": "channel",
    }  # fmt: skip
    made = []
    for type_, kind, number, most in entries:
        cost = kind == "COST_TO_SERVE"
        values["basis"], values["rule"] = ("'ESTIMATED'", "'reply'") if cost else ("'ACTUAL'", "NULL")
        values |= {"entry_no": number, "kind": f"'{kind}'", "amount": f"landing_no * 7919 % {most} + 100000"}
        made.append(pen.insert("entry", values, f"interaction WHERE type = '{type_}'"))
    currencies = rows_of(CURRENCIES, ["currency", "per_mille", "rate"])
    worth = {"entry_no": "entry_no", "currency": "t.currency", "customer_no": "customer_no"}
    worth |= {"amount": "amount * t.per_mille / 1000", "rate": "t.rate"}
    return [*made, pen.insert("entry_value", worth, f"entry CROSS JOIN {currencies}"), _sums(pen)]


def _sums(pen: Pen) -> str:
    def total(*kinds: str) -> str:
        these = ", ".join(f"'{kind}'" for kind in kinds)
        return f"CAST(SUM(CASE WHEN e.kind IN ({these}) THEN v.amount END) AS BIGINT)"

    revenue, costs = total("REVENUE"), total("COGS", "FEE", "COST_TO_SERVE")
    values = {
        "customer_no": "v.customer_no", "currency": "v.currency", "revenue": revenue, "refunds": total("REFUND"),
        "direct_cost": total("COGS", "FEE"), "cost_to_serve": total("COST_TO_SERVE"),
        "contribution": f"COALESCE({revenue}, 0) - COALESCE({costs}, 0)",
        "margin": f"(COALESCE({revenue}, 0) - COALESCE({costs}, 0)) * 1000 / NULLIF({revenue} / 1000, 0)",
        "coverage": "1000000",
    }  # fmt: skip
    these = ", ".join(f"'{kind}'" for kind in sorted(CONTRIBUTION_KINDS))
    rows = f"entry_value v JOIN entry e ON e.entry_no = v.entry_no WHERE e.kind IN ({these})"
    return pen.insert("profitability", values, f"{rows} GROUP BY v.customer_no, v.currency")


def _ways(pen: Pen) -> list[str]:
    """One journey of four steps a customer; the interactions in it, a quarter a step."""
    began = str(LAST - 540 * DAY)
    journey = {"journey_no": "n * 8", "customer_no": "n", "ordinal": "1", "definition": "'Customer'"}
    steps = rows_of(STEPS, ["k", "stage"])
    step = {
        "step_no": "n * 8 + k", "journey_no": "n * 8", "customer_no": "n", "ordinal": "k", "stage": "t.stage",
        "entered_at": f"{began} + (k - 1) * {135 * DAY}", "expected_days": "30", "overdue": "k = 2",
        "left_at": f"CASE WHEN k < 4 THEN {began} + k * {135 * DAY} END",
        "customer_interaction_count": "3", "brand_interaction_count": "2", "channels": "'[\"BILLING\",\"EMAIL\"]'",
    }  # fmt: skip
    place = f"(landing_no - 1) / {max(pen.customers * pen.each // 4, 1)} + 1"
    within = {"interaction_no": "fact_no", "step_no": f"customer_no * 8 + {place}", "customer_no": "customer_no"}
    within |= {"at": "at", "stage": "t.stage"}
    everybody = pen.series(pen.customers)
    return [
        pen.insert("journey", journey | {"started_at": began}, everybody),
        pen.insert("journey_step", step, f"{everybody} CROSS JOIN {steps}"),
        pen.insert("step_interaction", within, f"interaction JOIN {steps} ON t.k = {place}"),
    ]
