"""What is at risk, and the read model."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, Text

revision = "0004"
down_revision = "0003"

Words = Text().with_variant(Text(collation="C"), "postgresql")


def upgrade() -> None:
    _risk()
    _cards()


def _risk() -> None:
    op.create_table(
        "match_key",
        Column("key", Words, primary_key=True),
        Column("profile_no", BigInteger, primary_key=True, autoincrement=False),
        Column("own", Boolean, nullable=False),
    )
    op.create_table(
        "risk_flag",
        Column("flag_no", BigInteger, primary_key=True, autoincrement=False),
        Column("customer_no", BigInteger, nullable=False),
        Column("rule", Words, nullable=False),
        Column("severity", Words, nullable=False),
        Column("severity_rank", Integer, nullable=False),
        Column("state", Words, nullable=False),
        Column("since", BigInteger, nullable=False),
        Column("points", BigInteger, nullable=False),
        Column("message", Words, nullable=False),
        Column("clears_when", Words, nullable=False),
        Column("value_at_risk", BigInteger),
        Column("contactable", Boolean),
        Column("action_kind", Words, nullable=False),
        Column("action_channel", Words, nullable=False),
        Column("action_not_before", BigInteger, nullable=False),
        Column("action_not_after", BigInteger, nullable=False),
        Column("action_skill", Words, nullable=False),
        Column("action_why", Words, nullable=False),
        Column("action_blocked_by", Words),
    )
    op.create_table(
        "flag_evidence",
        Column("flag_no", BigInteger, primary_key=True, autoincrement=False),
        Column("ordinal", Integer, primary_key=True, autoincrement=False),
        Column("customer_no", BigInteger, nullable=False),
        Column("interaction_no", BigInteger, nullable=False),
    )
    op.create_index("match_key_by_profile", "match_key", ["profile_no"])
    op.create_index("risk_flag_by_customer", "risk_flag", ["customer_no", "severity_rank"])
    op.create_index("risk_flag_by_value", "risk_flag", ["state", "value_at_risk", "flag_no"])
    op.create_index("flag_evidence_by_customer", "flag_evidence", ["customer_no"])


def _cards() -> None:
    op.create_table(
        "customer_card",
        Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
        Column("public_id", Words, nullable=False),
        Column("kind", Words, nullable=False),
        Column("display_name", Words),
        Column("display_name_key", Words, nullable=False),
        Column("birth_date", Words),
        Column("country", Words),
        Column("language", Words),
        Column("emails", Words, nullable=False),
        Column("phones", Words, nullable=False),
        Column("market_state", Words, nullable=False),
        Column("stage", Words),
        Column("stage_since", BigInteger),
        Column("first_seen", BigInteger),
        Column("last_seen", BigInteger),
        Column("updated_at", BigInteger, nullable=False),
        Column("open_case_count", BigInteger, nullable=False),
        Column("interaction_count", BigInteger, nullable=False),
        Column("sentiment", BigInteger),
        Column("sentiment_count", BigInteger, nullable=False),
        Column("sentiment_trend", Words),
        Column("sentiment_at", BigInteger),
        Column("risk_points", BigInteger, nullable=False),
        Column("risk_band", Words, nullable=False),
        Column("risk_band_rank", Integer, nullable=False),
        Column("risk_as_of", BigInteger, nullable=False),
        Column("risk_reasons", Words, nullable=False),
        Column("value_at_risk", BigInteger),
        Column("contribution", BigInteger),
    )
    op.create_table(
        "customer_token",
        Column("token", Words, primary_key=True),
        Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
    )
    op.create_table(
        "customer_identifier",
        Column("type", Words, primary_key=True),
        Column("value", Words, primary_key=True),
        Column("customer_no", BigInteger, primary_key=True, autoincrement=False),
        Column("sources", Words, nullable=False),
    )
    op.create_index("customer_card_by_last_seen", "customer_card", ["last_seen", "customer_no"])
    op.create_index("customer_card_by_name", "customer_card", ["display_name_key", "customer_no"])
    op.create_index("customer_card_by_public_id", "customer_card", ["public_id"], unique=True)
    op.create_index("customer_card_by_updated", "customer_card", ["updated_at", "customer_no"])
    op.create_index("customer_card_by_value", "customer_card", ["value_at_risk", "customer_no"])
    op.create_index("customer_token_by_customer", "customer_token", ["customer_no"])
    op.create_index("customer_identifier_by_customer", "customer_identifier", ["customer_no"])


def downgrade() -> None:
    for name in ("customer_identifier", "customer_token", "customer_card", "flag_evidence", "risk_flag", "match_key"):
        op.drop_table(name)
