"""The BI views: flat, described column by column, with keys that last across merges.

In: the store's tables. Out: VIEWS, and `create_views`, which (re)creates them in the database where they changed.
Instants are timestamptz and amounts numeric on PostgreSQL, ISO 8601 and decimal text on SQLite, which has neither.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from hub.export.column import As, Column, View, select_view
from hub.store.errors import UnusableError

REPORTING = "(SELECT value FROM hub_meta WHERE name = 'reporting_currency')"
STATE = "CASE WHEN c.merged_into IS NOT NULL THEN 'MERGED' WHEN k.customer_no IS NULL THEN 'GONE' ELSE 'CURRENT' END"
CURRENT_ID = "COALESCE(t.public_id, c.public_id)"
CUSTOMER = "LEFT JOIN customer_ledger c ON c.customer_no = {0}.customer_no"


def _customer_id(alias: str = "c") -> Column:
    return Column("The customer's lasting id.", f"{alias}.public_id", As.WORD)


VIEWS: dict[str, View] = {
    "bi_customers": View(
        "One row for every customer id ever given; a merged one names the id that took its place.",
        {
            "customer_id": _customer_id(),
            "state": Column("CURRENT, MERGED, or GONE: erased, or no record speaks of it any more.", STATE, As.WORD),
            "redirects_to": Column(
                "The id that took the place of a MERGED one; null for the others.", "t.public_id", As.WORD
            ),
            "kind": Column("PERSON or ORGANIZATION.", "c.kind", As.WORD),
            "display_name": Column("Name to show.", "k.display_name"),
            "country": Column("ISO 3166-1 alpha-2.", "k.country"),
            "language": Column("ISO 639-1.", "k.language"),
            "market_state": Column("ADDRESSABLE, OBTAINABLE or ACTIVE.", "k.market_state", As.WORD),
            "stage": Column("Current stage of the journey.", "k.stage", As.WORD),
            "stage_since": Column("Since when it is in the stage.", "k.stage_since", As.INSTANT),
            "first_seen": Column("First sign of it in any source.", "k.first_seen", As.INSTANT),
            "last_seen": Column("Last sign of it in any source.", "k.last_seen", As.INSTANT),
            "updated_at": Column("Instant of the run that last changed this row.", "k.updated_at", As.INSTANT),
            "open_case_count": Column("Cases not closed.", "k.open_case_count", As.WHOLE),
            "interaction_count": Column("Interactions over the whole relationship.", "k.interaction_count", As.WHOLE),
            "sentiment": Column("From -1 to 1; null where nobody said.", "k.sentiment", As.RATIO),
            "risk_points": Column("Points of the risk score.", "k.risk_points", As.WHOLE),
            "risk_band": Column("LOW, MEDIUM, HIGH or CRITICAL.", "k.risk_band", As.WORD),
            "currency": Column("The reporting currency, of the amounts that follow.", REPORTING, As.WORD),
            "revenue": Column("Revenue so far; null is unknown.", "p.revenue", As.MONEY, REPORTING),
            "refunds": Column("Refunds so far, positive.", "p.refunds", As.MONEY, REPORTING),
            "direct_cost": Column("Cost of goods and fees.", "p.direct_cost", As.MONEY, REPORTING),
            "cost_to_serve": Column("Cost to serve.", "p.cost_to_serve", As.MONEY, REPORTING),
            "contribution": Column("Sum of what is known.", "p.contribution", As.MONEY, REPORTING),
            "coverage": Column("Share of entries whose amount is known.", "p.coverage", As.RATIO),
            "value_at_risk": Column("What is at stake; null where unknown.", "k.value_at_risk", As.MONEY, REPORTING),
        },
        "customer_ledger c LEFT JOIN customer_ledger t ON t.customer_no = c.merged_into"
        " LEFT JOIN customer_card k ON k.customer_no = c.customer_no"
        f" LEFT JOIN profitability p ON p.customer_no = c.customer_no AND p.currency = {REPORTING}",
        "c.customer_no",
        "c.customer_no",
    ),
    "bi_money": View(
        "One row for every line of a customer's contribution, in its own and in the reporting currency.",
        {
            "entry_id": Column("Lasting id of the entry.", "'ent_' || CAST(e.entry_no AS TEXT)", As.WORD),
            "customer_id": _customer_id(),
            "organization_id": Column("The organization that it counts for, if any.", "o.public_id", As.WORD),
            "at": Column("The date that the books give it; of a cost, the interaction's.", "e.at", As.INSTANT),
            "kind": Column("REVENUE, TAX, REFUND, COGS, FEE, COST_TO_SERVE, ACQUISITION.", "e.kind", As.WORD),
            "basis": Column("ACTUAL, ALLOCATED or ESTIMATED.", "e.basis", As.WORD),
            "amount": Column("The amount, positive as its kind says.", "e.amount", As.MONEY, "e.currency"),
            "currency": Column("ISO 4217.", "e.currency", As.WORD),
            "reporting_amount": Column(
                "The same in the reporting currency; null without a rate.", "v.amount", As.MONEY, "v.currency"
            ),
            "reporting_currency": Column("The reporting currency.", "v.currency", As.WORD),
            "rate": Column("Reporting units for one unit, on that day; decimal text.", "v.rate", As.WORD),
            "source": Column("The source whose record says so.", "e.source"),
            "stream": Column("The stream of that record.", "e.stream"),
            "key": Column("The record's key at the source.", "e.key"),
            "rule": Column("The rule that estimated it; null for the books.", "e.rule"),
            "interaction_id": Column(
                "The interaction it belongs to.", "'int_' || CAST(e.interaction_no AS TEXT)", As.WORD
            ),
            "stage": Column("Stage of the journey at that time.", "e.stage", As.WORD),
            "channel": Column("Channel of the interaction.", "e.channel", As.WORD),
        },
        f"entry e {CUSTOMER.format('e')} LEFT JOIN customer_ledger o ON o.customer_no = e.organization_no"
        f" LEFT JOIN entry_value v ON v.entry_no = e.entry_no AND v.currency = {REPORTING}",
        "e.entry_no",
        "e.customer_no",
    ),
    "bi_interactions": View(
        "One row for every touch on every channel; customer_id is null for a visitor nobody knows yet.",
        {
            "interaction_id": Column("Lasting id.", "'int_' || CAST(i.fact_no AS TEXT)", As.WORD),
            "customer_id": _customer_id(),
            "organization_id": Column("The organization that it counts for, if any.", "o.public_id", As.WORD),
            "at": Column("When it happened.", "i.at", As.INSTANT),
            "type": Column("What happened, as object.event.", "i.type"),
            "channel": Column("On which channel.", "i.channel", As.WORD),
            "lane": Column("CUSTOMER or BRAND: who acted.", "i.lane", As.WORD),
            "stage": Column("Stage of the journey.", "s.stage", As.WORD),
            "source": Column("The source.", "i.source"),
            "stream": Column("The stream.", "i.stream"),
            "summary": Column("One line for a reader.", "i.summary"),
            "intent": Column("What the customer wants, by the lexicon in rules/risk.yml.", "i.intent", As.WORD),
            "sentiment": Column("From -1 to 1; null where nobody said.", "i.sentiment", As.RATIO),
            "duration_s": Column("How long it took, in seconds.", "i.duration_s", As.WHOLE),
            "object_type": Column("What it is about.", "i.object_type"),
            "object_key": Column("The key of that at the source.", "i.object_key"),
        },
        f"interaction i {CUSTOMER.format('i')} LEFT JOIN customer_ledger o ON o.customer_no = i.organization_no"
        " LEFT JOIN step_interaction s ON s.interaction_no = i.fact_no",
        "i.fact_no",
        "i.customer_no",
        nobodys=True,
    ),
    "bi_risk_flags": View(
        "One row for every flag ever raised; from since on null where its customer has been merged.",
        {
            "flag_id": Column("Lasting id.", "'flg_' || CAST(l.flag_no AS TEXT)", As.WORD),
            "customer_id": Column(
                "The customer's lasting id; after a merge, the one that took its place.", CURRENT_ID, As.WORD
            ),
            "state": Column(
                "OPEN or CLEARED.", "CASE WHEN l.cleared_at IS NULL THEN 'OPEN' ELSE 'CLEARED' END", As.WORD
            ),
            "rule": Column("The rule in rules/risk.yml.", "l.rule"),
            "raised_at": Column("Instant of the run that raised it.", "l.raised_at", As.INSTANT),
            "cleared_at": Column("Instant of the run that cleared it; null while open.", "l.cleared_at", As.INSTANT),
            "since": Column("When what it warns of began.", "f.since", As.INSTANT),
            "severity": Column("LOW, MEDIUM, HIGH or CRITICAL.", "f.severity", As.WORD),
            "points": Column("Its share of the score.", "f.points", As.WHOLE),
            "message": Column("For a reader.", "f.message"),
            "value_at_risk": Column("What is at stake; null where unknown.", "f.value_at_risk", As.MONEY, REPORTING),
            "currency": Column("The reporting currency.", REPORTING, As.WORD),
            "action_kind": Column("What to do.", "f.action_kind"),
            "action_channel": Column("On which channel.", "f.action_channel"),
            "action_not_before": Column("The window opens.", "f.action_not_before", As.INSTANT),
            "action_not_after": Column("The window closes.", "f.action_not_after", As.INSTANT),
            "action_blocked_by": Column("Why not now, if so.", "f.action_blocked_by"),
        },
        f"flag_log l {CUSTOMER.format('l')} LEFT JOIN customer_ledger t ON t.customer_no = c.merged_into"
        " LEFT JOIN risk_flag f ON f.flag_no = l.flag_no",
        "l.flag_no",
        "l.customer_no",
        owner="COALESCE(c.merged_into, c.customer_no)",
    ),
    "bi_journey_steps": View(
        "One row for every step of every journey, with its money in the reporting currency.",
        {
            "step_id": Column("Lasting id.", "'stp_' || CAST(s.step_no AS TEXT)", As.WORD),
            "journey_id": Column("The journey.", "'jrn_' || CAST(s.journey_no AS TEXT)", As.WORD),
            "customer_id": _customer_id(),
            "journey_ordinal": Column("First, second … journey of the customer, from 1.", "j.ordinal", As.WHOLE),
            "ordinal": Column("First, second … step of the journey, from 1.", "s.ordinal", As.WHOLE),
            "stage": Column("The stage.", "s.stage", As.WORD),
            "entered_at": Column("From.", "s.entered_at", As.INSTANT),
            "left_at": Column("Until; null for the current step.", "s.left_at", As.INSTANT),
            "expected_days": Column("How long it should take.", "s.expected_days", As.WHOLE),
            "overdue": Column("Whether it takes longer than that.", "s.overdue", As.FLAG),
            "customer_interaction_count": Column("What the customer did.", "s.customer_interaction_count", As.WHOLE),
            "brand_interaction_count": Column("What the brand did.", "s.brand_interaction_count", As.WHOLE),
            "sentiment": Column("From -1 to 1.", "s.sentiment", As.RATIO),
            "currency": Column("The reporting currency.", "v.currency", As.WORD),
            "revenue": Column("Revenue of the step.", "v.revenue", As.MONEY, "v.currency"),
            "cost": Column("Cost of the step.", "v.cost", As.MONEY, "v.currency"),
            "contribution": Column("Sum of what is known.", "v.contribution", As.MONEY, "v.currency"),
        },
        f"journey_step s {CUSTOMER.format('s')} LEFT JOIN journey j ON j.journey_no = s.journey_no"
        f" LEFT JOIN step_value v ON v.step_no = s.step_no AND v.currency = {REPORTING}",
        "s.step_no",
        "s.customer_no",
    ),
}


def views_fit(connection: Connection, reporting_currency: str) -> bool:
    """Whether the views in the database are what VIEWS says, in this reporting currency."""
    kept: dict[str, str] = dict(connection.execute(text("SELECT name, value FROM hub_meta")).all())
    return _wanted(connection.dialect.name, reporting_currency).items() <= kept.items()


def create_views(connection: Connection, reporting_currency: str) -> None:
    """Make the views in the database what VIEWS says; nothing is done where they are so already.

    A grant on a view lasts as long as its columns only grow in number. Raises UnusableError where a view that is not
    ours stands on one that has to be made anew.
    """
    if views_fit(connection, reporting_currency):
        return
    for name, value in _wanted(connection.dialect.name, reporting_currency).items():
        connection.execute(text("DELETE FROM hub_meta WHERE name = :name"), {"name": name})
        connection.execute(text("INSERT INTO hub_meta VALUES (:name, :value)"), {"name": name, "value": value})
    for name, view in VIEWS.items():
        _create(connection, name, view)


def _wanted(dialect: str, reporting_currency: str) -> dict[str, str]:
    said = [(name, select_view(view, dialect), _comments(name, view)) for name, view in VIEWS.items()]
    version = hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()
    return {"reporting_currency": reporting_currency, "views_version": version}


def _create(connection: Connection, name: str, view: View) -> None:
    statement = select_view(view, connection.dialect.name)
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
        connection.execute(text(f"CREATE VIEW {name} AS {statement}"))
        return
    try:
        with connection.begin_nested():
            connection.execute(text(f"CREATE OR REPLACE VIEW {name} AS {statement}"))
    except DBAPIError:  # a column went, moved or became another type
        _drop(connection, name)
        connection.execute(text(f"CREATE VIEW {name} AS {statement}"))
    for comment in _comments(name, view):
        connection.execute(text(comment))


def _drop(connection: Connection, name: str) -> None:
    try:
        with connection.begin_nested():
            connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
    except DBAPIError as error:
        detail = " ".join(str(error.orig).split())
        raise UnusableError(
            f"{name} has to be made anew and cannot: {detail}; drop what stands on it, run `hub migrate`, make it again"
        ) from None


def _comments(name: str, view: View) -> list[str]:
    said = {f"VIEW {name}": view.about}
    said |= {f'COLUMN {name}."{column}"': meaning.about for column, meaning in view.columns.items()}
    return [f"COMMENT ON {what} IS '{_quoted(about)}'" for what, about in said.items()]


def _quoted(about: str) -> str:
    return about.replace("'", "''").replace(":", "\\:")
