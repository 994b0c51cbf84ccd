"""One table an entity, made from landing and the mapping."""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, Text

revision = "0002"
down_revision = "0001"

Words = Text().with_variant(Text(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    _parties()
    _doings()
    _books()


def _parties() -> None:
    _party(
        "profile",
        Column("profile_no", BigInteger),
        Column("kind", Words, nullable=False),
        Column("given_name", Words),
        Column("family_name", Words),
        Column("display_name", Words),
        Column("birth_date", Words),
        Column("language", Words),
        Column("country", Words),
        Column("created_at", BigInteger),
        Column("updated_at", BigInteger),
        Column("attributes", Words),
    )
    _party(
        "contact_point",
        Column("profile_no", BigInteger),
        Column("type", Words, nullable=False),
        Column("value", Words, nullable=False),
        Column("raw", Words),
    )
    _party(
        "identifier",
        Column("profile_no", BigInteger),
        Column("system", Words, nullable=False),
        Column("value", Words, nullable=False),
    )
    _party(
        "membership",
        Column("profile_no", BigInteger),
        Column("organization_profile_no", BigInteger),
        Column("role", Words),
        Column("since", BigInteger),
        Column("until", BigInteger),
    )
    op.create_index("contact_point_by_value", "contact_point", ["type", "value"])
    op.create_index("identifier_by_value", "identifier", ["system", "value"])
    op.create_index("membership_by_organization", "membership", ["organization_profile_no"])


def _doings() -> None:
    _fact(
        "interaction",
        "at",
        Column("profile_no", BigInteger),
        Column("at", BigInteger, nullable=False),
        Column("type", Words, nullable=False),
        Column("channel", Words, nullable=False),
        Column("lane", Words, nullable=False),
        Column("direction", Words),
        Column("function", Words),
        Column("stage", Words),
        Column("duration_s", BigInteger),
        Column("summary", Words),
        Column("text", Words),
        Column("language", Words),
        Column("intent", Words),
        Column("sentiment", BigInteger),
        Column("solicited", Boolean),
        Column("object_type", Words),
        Column("object_key", Words),
    )
    _fact(
        "case",
        "opened_at",
        Column("profile_no", BigInteger),
        Column("status", Words, nullable=False),
        Column("opened_at", BigInteger, nullable=False),
        Column("closed_at", BigInteger),
        Column("priority", Words),
        Column("channel", Words),
        Column("subject", Words),
    )
    _fact(
        "promise",
        "made_at",
        Column("profile_no", BigInteger),
        Column("made_at", BigInteger, nullable=False),
        Column("due_at", BigInteger, nullable=False),
        Column("kept_at", BigInteger),
        Column("text", Words),
    )
    _fact(
        "survey_answer",
        "at",
        Column("profile_no", BigInteger),
        Column("at", BigInteger, nullable=False),
        Column("measure", Words, nullable=False),
        Column("raw", BigInteger, nullable=False),
        Column("scale_min", BigInteger, nullable=False),
        Column("scale_max", BigInteger, nullable=False),
        Column("text", Words),
    )
    _fact(
        "consent",
        "at",
        Column("profile_no", BigInteger),
        Column("channel", Words, nullable=False),
        Column("purpose", Words, nullable=False),
        Column("granted", Boolean, nullable=False),
        Column("at", BigInteger, nullable=False),
    )


def _books() -> None:
    _fact(
        "order",
        "placed_at",
        Column("profile_no", BigInteger),
        Column("number", Words),
        Column("status", Words, nullable=False),
        Column("placed_at", BigInteger, nullable=False),
        Column("decided_at", BigInteger),
        Column("amount", BigInteger),
        Column("currency", Words),
    )
    _fact(
        "agreement",
        "starts_at",
        Column("profile_no", BigInteger),
        Column("status", Words, nullable=False),
        Column("starts_at", BigInteger, nullable=False),
        Column("ends_at", BigInteger),
        Column("renews_at", BigInteger),
        Column("recurring_amount", BigInteger),
        Column("currency", Words),
        Column("period_months", BigInteger),
    )
    _fact(
        "invoice",
        "issued_at",
        Column("profile_no", BigInteger),
        Column("number", Words),
        Column("status", Words, nullable=False),
        Column("issued_at", BigInteger, nullable=False),
        Column("due_at", BigInteger),
        Column("paid_at", BigInteger),
        Column("amount", BigInteger),
        Column("amount_open", BigInteger),
        Column("currency", Words),
    )
    _fact(
        "money_entry",
        "at",
        Column("profile_no", BigInteger),
        Column("at", BigInteger, nullable=False),
        Column("kind", Words, nullable=False),
        Column("basis", Words, nullable=False),
        Column("amount", BigInteger, nullable=False),
        Column("currency", Words, nullable=False),
        Column("interaction_item", BigInteger),
        Column("object_type", Words),
        Column("object_key", Words),
    )
    op.create_table(
        "control",
        Column("landing_no", BigInteger, primary_key=True, autoincrement=False),
        Column("item", BigInteger, primary_key=True, autoincrement=False),
        Column("source", Words, nullable=False),
        Column("stream", Words, nullable=False),
        Column("currency", Words, nullable=False),
        Column("amount", BigInteger, nullable=False),
    )
    op.create_index("control_by_stream", "control", ["source", "stream", "currency"])


def _fact(name: str, time: str, *columns: Column[Any]) -> None:
    """A table of what happened: it carries its customer and is read by time."""
    _party(name, *columns, Column("customer_no", BigInteger), Column("organization_no", BigInteger))
    op.create_index(f"{name}_by_customer", name, ["customer_no", time])
    op.create_index(f"{name}_by_organization", name, ["organization_no"])


def _party(name: str, *columns: Column[Any]) -> None:
    op.create_table(
        name,
        Column("fact_no", Number, primary_key=True, autoincrement=False),
        Column("landing_no", BigInteger, nullable=False),
        Column("source", Words, nullable=False),
        Column("stream", Words, nullable=False),
        Column("stale", Boolean, nullable=False),
        *columns,
    )
    op.create_index(f"{name}_by_landing", name, ["landing_no"])
    op.create_index(f"{name}_by_profile", name, ["profile_no"])


def downgrade() -> None:
    for name in (
        "control",
        "money_entry",
        "consent",
        "survey_answer",
        "promise",
        "invoice",
        "agreement",
        "order",
        "case",
        "interaction",
        "membership",
        "identifier",
        "contact_point",
        "profile",
    ):
        op.drop_table(name)
