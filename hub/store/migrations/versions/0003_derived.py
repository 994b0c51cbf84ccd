"""What insight writes customer by customer: who belongs together, worth, journeys."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, Text

revision = "0003"
down_revision = "0002"

Words = Text().with_variant(Text(collation="C"), "postgresql")


def upgrade() -> None:
    _identity()
    _worth()
    _journeys()


def _identity() -> None:
    op.create_table(
        "link",
        Column("left_profile_no", BigInteger, primary_key=True, autoincrement=False),
        Column("right_profile_no", BigInteger, primary_key=True, autoincrement=False),
        Column("verdict", Words, nullable=False),
        Column("rule", Words, nullable=False),
        Column("score", BigInteger, nullable=False),
        Column("reasons", Words, nullable=False),
        Column("at", BigInteger, nullable=False),
    )
    op.create_table(
        "unresolved",
        Column("profile_no", BigInteger, primary_key=True, autoincrement=False),
        Column("changed", Boolean, nullable=False),
    )
    op.create_table(
        "customer",
        Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
        Column("dirty", Boolean, nullable=False),
        Column("due_at", BigInteger),
        Column("derived_as_of", BigInteger),
        Column("rules_version", Words),
    )
    op.create_table(
        "member",
        Column("organization_no", BigInteger, primary_key=True, autoincrement=False),
        Column("person_no", BigInteger, primary_key=True, autoincrement=False),
        Column("role", Words),
        Column("since", BigInteger),
        Column("until", BigInteger),
    )
    op.create_table(
        "provenance",
        Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
        Column("field", Words, primary_key=True),
        Column("rank", Integer, primary_key=True, autoincrement=False),
        Column("value", Words, nullable=False),
        Column("source", Words, nullable=False),
        Column("stream", Words, nullable=False),
        Column("key", Words, nullable=False),
        Column("observed_at", BigInteger),
        Column("strategy", Words, nullable=False),
    )
    op.create_index("link_by_right", "link", ["right_profile_no"])
    op.create_index("customer_by_dirty", "customer", ["dirty", "customer_no"])
    op.create_index("customer_by_due", "customer", ["due_at"])
    op.create_index("customer_by_rules", "customer", ["rules_version"])
    op.create_index("member_by_person", "member", ["person_no"])


def _worth() -> None:
    op.create_table(
        "entry",
        Column("entry_no", BigInteger, primary_key=True, autoincrement=False),
        Column("customer_no", BigInteger, nullable=False),
        Column("organization_no", BigInteger),
        Column("at", BigInteger, nullable=False),
        Column("kind", Words, nullable=False),
        Column("basis", Words, nullable=False),
        Column("amount", BigInteger),
        Column("currency", Words),
        Column("rule", Words),
        Column("source", Words, nullable=False),
        Column("stream", Words, nullable=False),
        Column("key", Words, nullable=False),
        Column("interaction_no", BigInteger),
        Column("step_no", BigInteger),
        Column("stage", Words),
        Column("channel", Words),
    )
    op.create_table(
        "entry_value",
        Column("entry_no", BigInteger, primary_key=True, autoincrement=False),
        Column("currency", Words, primary_key=True),
        Column("customer_no", BigInteger, nullable=False),
        Column("amount", BigInteger),
        Column("rate", Words),
    )
    op.create_table(
        "profitability",
        Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
        Column("currency", Words, primary_key=True),
        Column("revenue", BigInteger),
        Column("refunds", BigInteger),
        Column("direct_cost", BigInteger),
        Column("cost_to_serve", BigInteger),
        Column("contribution", BigInteger),
        Column("margin", BigInteger),
        Column("coverage", BigInteger),
    )
    op.create_table(
        "metric",
        Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
        Column("name", Words, primary_key=True),
        Column("value", BigInteger),
    )
    op.create_index("entry_by_customer", "entry", ["customer_no", "at"])
    op.create_index("entry_by_interaction", "entry", ["interaction_no"])
    op.create_index("entry_value_by_customer", "entry_value", ["customer_no"])


def _journeys() -> None:
    op.create_table(
        "journey",
        Column("journey_no", BigInteger, primary_key=True, autoincrement=False),
        Column("customer_no", BigInteger, nullable=False),
        Column("ordinal", Integer, nullable=False),
        Column("definition", Words, nullable=False),
        Column("started_at", BigInteger, nullable=False),
        Column("ended_at", BigInteger),
        Column("outcome", Words),
    )
    op.create_table(
        "journey_step",
        Column("step_no", BigInteger, primary_key=True, autoincrement=False),
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
        Column("channels", Words, nullable=False),
        Column("sentiment", BigInteger),
    )
    op.create_table(
        "step_value",
        Column("step_no", BigInteger, primary_key=True, autoincrement=False),
        Column("currency", Words, primary_key=True),
        Column("customer_no", BigInteger, nullable=False),
        Column("revenue", BigInteger),
        Column("cost", BigInteger),
        Column("contribution", BigInteger),
    )
    op.create_table(
        "step_interaction",
        Column("interaction_no", BigInteger, primary_key=True, autoincrement=False),
        Column("step_no", BigInteger, nullable=False),
        Column("customer_no", BigInteger, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("stage", Words, nullable=False),
    )
    op.create_table(
        "deviation",
        Column("step_no", BigInteger, primary_key=True, autoincrement=False),
        Column("kind", Words, primary_key=True),
        Column("customer_no", BigInteger, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("message", Words, nullable=False),
    )
    op.create_table(
        "buying_group_member",
        Column("organization_no", BigInteger, primary_key=True, autoincrement=False),
        Column("person_no", BigInteger, primary_key=True, autoincrement=False),
        Column("role", Words),
        Column("interaction_count", BigInteger, nullable=False),
        Column("first_at", BigInteger, nullable=False),
    )
    op.create_index("journey_by_customer", "journey", ["customer_no", "ordinal"])
    op.create_index("journey_step_by_customer", "journey_step", ["customer_no"])
    op.create_index("journey_step_by_journey", "journey_step", ["journey_no", "ordinal"])
    op.create_index("journey_step_by_time", "journey_step", ["entered_at"])
    op.create_index("step_value_by_customer", "step_value", ["customer_no"])
    op.create_index("step_interaction_by_customer", "step_interaction", ["customer_no"])
    op.create_index("step_interaction_by_step", "step_interaction", ["step_no", "at"])
    op.create_index("deviation_by_customer", "deviation", ["customer_no"])


def downgrade() -> None:
    for name in (
        "buying_group_member",
        "deviation",
        "step_interaction",
        "step_value",
        "journey_step",
        "journey",
        "metric",
        "profitability",
        "entry_value",
        "entry",
        "provenance",
        "member",
        "customer",
        "unresolved",
        "link",
    ):
        op.drop_table(name)
