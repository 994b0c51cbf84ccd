"""Derived tables: from mapped and kept, customer by customer; a remap deletes and writes them anew.

Serving reads these (customer_card first) and the mapped facts. Amounts that stand in a currency carry one row a
configured currency, already converted, so that no request converts or multiplies.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text, false, text
from sqlalchemy.dialects.postgresql import JSONB

from hub.store.kept import Number, Words, metadata

# A list that is read item by item; compact JSON text where the database has no type for it.
Items = Text().with_variant(JSONB(none_as_null=True), "postgresql")


def _from_the_top(name: str, *before: str, most: str, key: str) -> tuple[Index, Index]:
    """The index of a list that begins with the most and ends with what is not known; SQLite has nulls there anyway."""
    ends = {"postgresql": "DESC NULLS LAST", "sqlite": "DESC"}
    one, other = (
        Index(name, *before, text(f"{most} {end}"), text(f"{key} DESC")).ddl_if(dialect=dialect)
        for dialect, end in ends.items()
    )
    return one, other


link = Table(
    "link",
    metadata,
    Column("left_profile_no", BigInteger, primary_key=True, autoincrement=False),
    Column("right_profile_no", BigInteger, primary_key=True, autoincrement=False),
    Column("verdict", Words, nullable=False, comment="MATCH, NO_MATCH or UNSURE"),
    Column("rule", Words, nullable=False),
    Column("score", BigInteger, nullable=False, comment="millionths"),
    Column("reasons", Words, nullable=False, comment="JSON list of text"),
    Column("at", BigInteger, nullable=False),
    Column("review", Boolean, nullable=False, server_default=false(), comment="a person should look at the pair"),
    Index("link_by_right", "right_profile_no"),
    Index(
        "link_by_review",
        "score",
        "left_profile_no",
        "right_profile_no",
        sqlite_where=text("review = 1"),
        postgresql_where=text("review"),
    ),
    sqlite_with_rowid=False,
    comment="The hub's own judgement about a pair of profiles, with its evidence. left < right.",
)

portrait = Table(
    "portrait",
    metadata,
    Column("profile_no", Number, primary_key=True, autoincrement=False),
    Column("said", Words, nullable=False, comment="JSON list: what the profile says of itself, in comparison form"),
    Column("keys", LargeBinary, nullable=False, comment="its keys in match_key, 8 bytes each, in ascending order"),
    comment="A profile as identity sees it; rewritten when the profile changes.",
)

match_key = Table(
    "match_key",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False, comment="what may join profiles: means and hash"),
    Column("profile_no", BigInteger, primary_key=True, autoincrement=False),
    Column("own", Boolean, nullable=False, comment="the id of the profile's own record, which only others can carry"),
    sqlite_with_rowid=False,  # read by its key alone: without a rowid 0.8 of the time to write and half the space
    comment="By what profiles find each other. Which keys a profile has is in portrait.",
)

unresolved = Table(
    "unresolved",
    metadata,
    Column("profile_no", Number, primary_key=True, autoincrement=False),
    Column("changed", Boolean, nullable=False, comment="the profile itself changed, not only its neighbourhood"),
    comment="Profiles whose keys are written and whose component is to be resolved next.",
)

customer = Table(
    "customer",
    metadata,
    Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
    Column("dirty", Boolean, nullable=False, comment="a fact changed or identity moved it since it was derived"),
    Column("due_at", BigInteger, comment="the earliest instant at which a window or threshold may flip"),
    Column("derived_as_of", BigInteger),
    Column("rules_version", Words),
    Index("customer_by_dirty", "dirty", "customer_no"),
    Index("customer_by_due", "due_at"),
    Index("customer_by_rules", "rules_version"),
    comment="Which customers are to be derived, and when next.",
)

member = Table(
    "member",
    metadata,
    Column("organization_no", BigInteger, primary_key=True, autoincrement=False),
    Column("person_no", BigInteger, primary_key=True, autoincrement=False),
    Column("role", Words),
    Column("since", BigInteger),
    Column("until", BigInteger),
    Index("member_by_person", "person_no"),
    comment="People of organizations, as customers.",
)

provenance = Table(
    "provenance",
    metadata,
    Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
    Column("field", Words, primary_key=True, comment="DISPLAY_NAME, EMAILS …"),
    Column("rank", Integer, primary_key=True, autoincrement=False, comment="0 won; the others lost, in order"),
    Column("value", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("stream", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("observed_at", BigInteger),
    Column("strategy", Words, nullable=False),
    comment="Where every golden value comes from, and what it won over.",
)

entry = Table(
    "entry",
    metadata,
    Column(
        "entry_no",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="a money entry's fact_no; -fact_no of the interaction for a cost",
    ),
    Column("customer_no", BigInteger, nullable=False),
    Column("organization_no", BigInteger),
    Column("at", BigInteger, nullable=False),
    Column("kind", Words, nullable=False),
    Column("basis", Words, nullable=False),
    Column("amount", BigInteger, comment="null where the cost is not known"),
    Column("currency", Words),
    Column("rule", Words, comment="the rule in rules/cost.yml that made it; null for the books' own"),
    Column("source", Words, nullable=False),
    Column("stream", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("interaction_no", BigInteger),
    Column("step_no", BigInteger),
    Column("stage", Words),
    Column("channel", Words),
    Index("entry_by_customer", "customer_no", "at"),
    Index("entry_by_interaction", "interaction_no"),
    comment="Every line of a customer's contribution: the books' money entries and the cost to serve.",
)

entry_value = Table(
    "entry_value",
    metadata,
    Column("entry_no", BigInteger, primary_key=True, autoincrement=False),
    Column("currency", Words, primary_key=True),
    Column("customer_no", BigInteger, nullable=False),
    Column("amount", BigInteger, comment="null where a rate is missing"),
    Column("rate", Words, comment="decimal: units of this currency for one of the entry's"),
    Index("entry_value_by_customer", "customer_no"),
    comment="An entry in each configured currency.",
)

profitability = Table(
    "profitability",
    metadata,
    Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
    Column("currency", Words, primary_key=True),
    Column("revenue", BigInteger),
    Column("refunds", BigInteger),
    Column("direct_cost", BigInteger),
    Column("cost_to_serve", BigInteger),
    Column("contribution", BigInteger),
    Column("margin", BigInteger, comment="millionths of revenue less refunds; null where that is 0"),
    Column("coverage", BigInteger, comment="millionths: the share of entries whose amount is known"),
    comment="What a customer is worth so far: the sum of what is known. Null is unknown.",
)

journey = Table(
    "journey",
    metadata,
    Column("journey_no", BigInteger, primary_key=True, autoincrement=False, comment="fact_no of its first interaction"),
    Column("customer_no", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("definition", Words, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("outcome", Words, comment="WON, LOST, ENDED; null while it goes on"),
    Index("journey_by_customer", "customer_no", "ordinal"),
)

journey_step = Table(
    "journey_step",
    metadata,
    Column("step_no", BigInteger, primary_key=True, autoincrement=False, comment="fact_no of its first interaction"),
    Column("journey_no", BigInteger, nullable=False),
    Column("customer_no", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("stage", Words, nullable=False),
    Column("entered_at", BigInteger, nullable=False),
    Column("left_at", BigInteger),
    Column("expected_days", BigInteger),
    Column("overdue", Boolean),
    Column("customer_interaction_count", BigInteger, nullable=False),
    Column("brand_interaction_count", BigInteger, nullable=False),
    Column("channels", Words, nullable=False, comment="JSON list, sorted"),
    Column("sentiment", BigInteger, comment="millionths"),
    Index("journey_step_by_journey", "journey_no", "ordinal"),
    Index("journey_step_by_customer", "customer_no"),
    Index("journey_step_by_time", "entered_at"),
)

step_value = Table(
    "step_value",
    metadata,
    Column("step_no", BigInteger, primary_key=True, autoincrement=False),
    Column("currency", Words, primary_key=True),
    Column("customer_no", BigInteger, nullable=False),
    Column("revenue", BigInteger),
    Column("cost", BigInteger),
    Column("contribution", BigInteger),
    Index("step_value_by_customer", "customer_no"),
)

step_interaction = Table(
    "step_interaction",
    metadata,
    Column("interaction_no", BigInteger, primary_key=True, autoincrement=False),
    Column("step_no", BigInteger, nullable=False),
    Column("customer_no", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("stage", Words, nullable=False),
    Index("step_interaction_by_step", "step_no", "at"),
    Index("step_interaction_by_customer", "customer_no"),
    comment="Which step an interaction belongs to; in an organization's step its people's have negative numbers.",
)

deviation = Table(
    "deviation",
    metadata,
    Column("step_no", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Words, primary_key=True, comment="SKIPPED, BACKWARD, LATE"),
    Column("customer_no", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("message", Words, nullable=False),
    Index("deviation_by_customer", "customer_no"),
    comment="Where the actual step differs from the planned one.",
)

buying_group_member = Table(
    "buying_group_member",
    metadata,
    Column("organization_no", BigInteger, primary_key=True, autoincrement=False),
    Column("person_no", BigInteger, primary_key=True, autoincrement=False),
    Column("role", Words),
    Column("interaction_count", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    comment="Members of an organization that showed interest within the window of rules/journey.yml.",
)

metric = Table(
    "metric",
    metadata,
    Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Words, primary_key=True),
    Column("value", BigInteger, comment="a count, an instant, an amount or millionths, as rules/metrics.yml says"),
)

risk_flag = Table(
    "risk_flag",
    metadata,
    Column("flag_no", BigInteger, primary_key=True, autoincrement=False, comment="of flag_log"),
    Column("customer_no", BigInteger, nullable=False),
    Column("rule", Words, nullable=False),
    Column("severity", Words, nullable=False),
    Column("severity_rank", Integer, nullable=False, comment="1 LOW … 4 CRITICAL"),
    Column("state", Words, nullable=False, comment="OPEN or CLEARED"),
    Column("since", BigInteger, nullable=False, comment="when what it warns of began"),
    Column("points", BigInteger, nullable=False),
    Column("message", Words, nullable=False),
    Column("clears_when", Words, nullable=False),
    Column("value_at_risk", BigInteger, comment="in the reporting currency; null where not known"),
    Column("contactable", Boolean, comment="whether consent allows the action's channel"),
    Column("action_kind", Words, nullable=False),
    Column("action_channel", Words, nullable=False),
    Column("action_not_before", BigInteger, nullable=False),
    Column("action_not_after", BigInteger, nullable=False),
    Column("action_skill", Words, nullable=False),
    Column("action_why", Words, nullable=False),
    Column("action_blocked_by", Words, comment="why the action must not be taken now"),
    Index("risk_flag_by_customer", "customer_no", "severity_rank"),
    Index("risk_flag_by_severity", "state", "severity", "contactable"),
    *_from_the_top("risk_flag_by_value", "state", most="value_at_risk", key="flag_no"),
)

flag_evidence = Table(
    "flag_evidence",
    metadata,
    Column("flag_no", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("customer_no", BigInteger, nullable=False),
    Column("interaction_no", BigInteger, nullable=False),
    Index("flag_evidence_by_customer", "customer_no"),
    comment="The interactions behind a flag, the newest first.",
)

customer_card = Table(
    "customer_card",
    metadata,
    Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
    Column("public_id", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("display_name", Words),
    Column("display_name_key", Words, nullable=False, comment="folded for sorting, binary collation"),
    Column("birth_date", Words),
    Column("country", Words),
    Column("language", Words),
    Column("emails", Words, nullable=False, comment="JSON list, best first"),
    Column("phones", Words, nullable=False, comment="JSON list, best first"),
    Column("market_state", Words, nullable=False, comment="ADDRESSABLE, OBTAINABLE or ACTIVE"),
    Column("stage", Words),
    Column("stage_since", BigInteger),
    Column("first_seen", BigInteger),
    Column("last_seen", BigInteger),
    Column("updated_at", BigInteger, nullable=False, comment="as_of of the run that last changed the card"),
    Column("open_case_count", BigInteger, nullable=False),
    Column("interaction_count", BigInteger, nullable=False),
    Column("sentiment", BigInteger, comment="millionths, mean of the observations"),
    Column("sentiment_count", BigInteger, nullable=False),
    Column("sentiment_trend", Words, comment="RISING, FALLING, STEADY; null below two observations"),
    Column("sentiment_at", BigInteger),
    Column("risk_points", BigInteger, nullable=False),
    Column("risk_band", Words, nullable=False),
    Column("risk_band_rank", Integer, nullable=False, comment="1 LOW … 4 CRITICAL"),
    Column("risk_as_of", BigInteger, nullable=False),
    Column("risk_reasons", Words, nullable=False, comment="JSON list of {rule, points, text}"),
    Column("value_at_risk", BigInteger, comment="in the reporting currency"),
    Column("contribution", BigInteger, comment="in the reporting currency, as all below"),
    Column("revenue", BigInteger),
    Column("refunds", BigInteger),
    Column("direct_cost", BigInteger),
    Column("cost_to_serve", BigInteger),
    Column("margin", BigInteger, comment="millionths"),
    Column("coverage", BigInteger, comment="millionths"),
    Column("has_profitability", Boolean, nullable=False, default=False, comment="whether any money is on record"),
    Column("open_flag_count", BigInteger, nullable=False, default=0, comment="goes with flags"),
    Column("flags", Items, comment="the worst open flags; null: ask risk_flag"),
    Column("timeline_count", BigInteger, nullable=False, default=0, comment="goes with latest"),
    Column("latest", Items, comment="the newest interactions; null: ask interaction"),
    Index("customer_card_by_public_id", "public_id", unique=True),
    *_from_the_top("customer_card_by_value", most="value_at_risk", key="customer_no"),
    *_from_the_top("customer_card_by_contribution", most="contribution", key="customer_no"),
    Index("customer_card_by_points", "risk_points", "customer_no"),
    Index("customer_card_by_band", "risk_band", "kind", "country", "last_seen"),
    Index("customer_card_by_name", "display_name_key", "customer_no"),
    Index("customer_card_by_last_seen", "last_seen", "customer_no"),
    Index("customer_card_by_updated", "updated_at", "customer_no"),
    comment="The read model: one row a customer.",
)

customer_token = Table(
    "customer_token",
    metadata,
    Column("token", Words, primary_key=True, comment="a folded word of a name, an e-mail or a phone"),
    Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
    Index("customer_token_by_customer", "customer_no"),
    comment="What search looks a customer up by, prefix by prefix.",
)

customer_identifier = Table(
    "customer_identifier",
    metadata,
    Column("type", Words, primary_key=True, comment="EMAIL, PHONE, ADDRESS, DEVICE, SOCIAL, or the issuing system"),
    Column("value", Words, primary_key=True, comment="normalised"),
    Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
    Column("sources", Words, nullable=False, comment="JSON list of the sources that say it, sorted"),
    Index("customer_identifier_by_customer", "customer_no"),
    comment="Whose a contact point or another system's id is; several rows where several customers share it.",
)

# Every derived table with the column that says whose rows they are: what a derivation of some customers replaces.
OWNED_BY_CUSTOMER: dict[str, str] = {
    "entry": "customer_no",
    "entry_value": "customer_no",
    "profitability": "customer_no",
    "journey": "customer_no",
    "journey_step": "customer_no",
    "step_value": "customer_no",
    "step_interaction": "customer_no",
    "deviation": "customer_no",
    "buying_group_member": "organization_no",
    "metric": "customer_no",
    "risk_flag": "customer_no",
    "flag_evidence": "customer_no",
    "provenance": "customer_no",
    "customer_card": "customer_no",
    "customer_token": "customer_no",
    "customer_identifier": "customer_no",
}
DERIVED: tuple[Table, ...] = (
    link,
    portrait,
    match_key,
    unresolved,
    customer,
    member,
    *(metadata.tables[name] for name in OWNED_BY_CUSTOMER),
)
