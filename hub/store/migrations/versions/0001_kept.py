"""What no rebuild touches: runs, cursors, landing, ledgers, judgements, logs, tombstones, outbox."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Text, text

revision = "0001"
down_revision = None

Words = Text().with_variant(Text(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer, "sqlite")
PENDING = text("state = 0")


def upgrade() -> None:
    _sync()
    _people()
    _logs()


def _sync() -> None:
    op.create_table(
        "sync_run",
        Column("run_no", Number, primary_key=True),
        Column("command", Words, nullable=False),
        Column("as_of", BigInteger, nullable=False),
        Column("started_at", BigInteger, nullable=False),
        Column("finished_at", BigInteger),
        Column("status", Words, nullable=False),
        Column("customers_derived", BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "stream_run",
        Column("run_no", BigInteger, primary_key=True, autoincrement=False),
        Column("source", Words, primary_key=True),
        Column("stream", Words, primary_key=True),
        Column("started_at", BigInteger, nullable=False),
        Column("finished_at", BigInteger),
        Column("status", Words, nullable=False),
        Column("pages", BigInteger, nullable=False),
        Column("pulled", BigInteger, nullable=False),
        Column("changed", BigInteger, nullable=False),
        Column("unchanged", BigInteger, nullable=False),
        Column("failed", BigInteger, nullable=False),
        Column("error", Words),
    )
    op.create_table(
        "stream_state",
        Column("source", Words, primary_key=True),
        Column("stream", Words, primary_key=True),
        Column("cursor", Words),
        Column("mapping_version", Words),
        Column("fresh_until", BigInteger),
        Column("record_count", BigInteger, nullable=False),
    )
    op.create_table(
        "landing",
        Column("landing_no", Number, primary_key=True),
        Column("source", Words, nullable=False),
        Column("stream", Words, nullable=False),
        Column("key", Words, nullable=False),
        Column("raw_hash", LargeBinary, nullable=False),
        Column("content_hash", LargeBinary),
        Column("first_seen_at", BigInteger, nullable=False),
        Column("changed_at", BigInteger, nullable=False),
        Column("state", Integer, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "dead_letter",
        Column("landing_no", BigInteger, primary_key=True, autoincrement=False),
        Column("source", Words, nullable=False),
        Column("stream", Words, nullable=False),
        Column("path", Words, nullable=False),
        Column("reason", Words, nullable=False),
        Column("mapping_version", Words, nullable=False),
        Column("first_seen_at", BigInteger, nullable=False),
        Column("last_seen_at", BigInteger, nullable=False),
    )


def _people() -> None:
    op.create_table(
        "profile_ledger",
        Column("profile_no", Number, primary_key=True),
        Column("source", Words, nullable=False),
        Column("stream", Words, nullable=False),
        Column("key", Words, nullable=False),
        Column("customer_no", BigInteger),
        Column("previous_no", BigInteger),
        Column("pending", Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "customer_ledger",
        Column("customer_no", Number, primary_key=True),
        Column("public_id", Words, nullable=False),
        Column("kind", Words, nullable=False),
        Column("minted_at", BigInteger, nullable=False),
        Column("merged_into", BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "judgement",
        Column("judgement_no", Number, primary_key=True),
        Column("left_profile_no", BigInteger, nullable=False),
        Column("right_profile_no", BigInteger, nullable=False),
        Column("verdict", Words, nullable=False),
        Column("reason", Words, nullable=False),
        Column("decided_by", Words, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("withdrawn_at", BigInteger),
        Column("withdrawn_reason", Words),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "identity_log",
        Column("log_no", Number, primary_key=True),
        Column("customer_no", BigInteger, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("event", Words, nullable=False),
        Column("customer_ids", Words, nullable=False),
        Column("reason", Words, nullable=False),
        sqlite_autoincrement=True,
    )


def _logs() -> None:
    op.create_table(
        "score_log",
        Column("log_no", Number, primary_key=True),
        Column("customer_no", BigInteger, nullable=False),
        Column("as_of", BigInteger, nullable=False),
        Column("points", BigInteger, nullable=False),
        Column("band", Words, nullable=False),
        Column("reasons", Words, nullable=False),
        Column("rules_version", Words, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "flag_log",
        Column("flag_no", Number, primary_key=True),
        Column("customer_no", BigInteger, nullable=False),
        Column("rule", Words, nullable=False),
        Column("raised_at", BigInteger, nullable=False),
        Column("cleared_at", BigInteger),
        Column("rules_version", Words, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tombstone",
        Column("digest", Words, primary_key=True),
        Column("what", Words, nullable=False),
        Column("at", BigInteger, nullable=False),
    )
    op.create_table(
        "residual_money",
        Column("residual_no", Number, primary_key=True),
        Column("source", Words, nullable=False),
        Column("stream", Words, nullable=False),
        Column("kind", Words, nullable=False),
        Column("currency", Words, nullable=False),
        Column("amount", BigInteger, nullable=False),
        Column("at", BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "outbox",
        Column("outbox_no", Number, primary_key=True),
        Column("at", BigInteger, nullable=False),
        Column("topic", Words, nullable=False),
        Column("customer_no", BigInteger),
        Column("payload", Words, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "hub_meta",
        Column("name", Words, primary_key=True),
        Column("value", Words, nullable=False),
    )
    op.create_index("stream_run_by_stream", "stream_run", ["source", "stream", "run_no"])
    op.create_index("landing_by_key", "landing", ["source", "stream", "key"], unique=True)
    op.create_index(
        "landing_by_pending",
        "landing",
        ["source", "stream", "landing_no"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
    op.create_index("dead_letter_by_stream", "dead_letter", ["source", "stream", "last_seen_at"])
    op.create_index("profile_ledger_by_customer", "profile_ledger", ["customer_no"])
    op.create_index("profile_ledger_by_key", "profile_ledger", ["source", "stream", "key"], unique=True)
    op.create_index("profile_ledger_by_pending", "profile_ledger", ["pending"])
    op.create_index("customer_ledger_by_merged_into", "customer_ledger", ["merged_into"])
    op.create_index("customer_ledger_by_public_id", "customer_ledger", ["public_id"], unique=True)
    op.create_index("judgement_by_left", "judgement", ["left_profile_no"])
    op.create_index("judgement_by_right", "judgement", ["right_profile_no"])
    op.create_index("identity_log_by_customer", "identity_log", ["customer_no", "log_no"])
    op.create_index("score_log_by_customer", "score_log", ["customer_no", "log_no"])
    op.create_index("flag_log_by_customer", "flag_log", ["customer_no", "rule", "flag_no"])


def downgrade() -> None:
    for name in (
        "hub_meta",
        "outbox",
        "residual_money",
        "tombstone",
        "flag_log",
        "score_log",
        "identity_log",
        "judgement",
        "customer_ledger",
        "profile_ledger",
        "dead_letter",
        "landing",
        "stream_state",
        "stream_run",
        "sync_run",
    ):
        op.drop_table(name)
