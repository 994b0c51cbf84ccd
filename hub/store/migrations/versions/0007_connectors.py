"""Connectors: what is gone at the source, children that are due, who pulls what, renewed credentials, shapes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Text

revision = "0007"
down_revision = "0006"

Words = Text().with_variant(Text(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer, "sqlite")
TABLES = ("parent_due", "read_key", "lease", "credential", "stream_path", "drift")


def _of_stream() -> list[Column[str]]:
    return [Column("source", Words, primary_key=True), Column("stream", Words, primary_key=True)]


def upgrade() -> None:
    op.add_column("landing", Column("deleted_at", BigInteger))
    op.add_column("stream_state", Column("due_at", BigInteger))
    op.add_column("stream_state", Column("pulled_at", BigInteger))
    op.create_table("parent_due", *_of_stream(), Column("parent_no", BigInteger, primary_key=True))
    op.create_table("read_key", *_of_stream(), Column("key", Words, primary_key=True))
    op.create_table(
        "lease", *_of_stream(), Column("holder", Words, nullable=False), Column("until", BigInteger, nullable=False)
    )
    op.create_table(
        "credential",
        Column("source", Words, primary_key=True),
        Column("name", Words, primary_key=True),
        Column("secret", LargeBinary, nullable=False),
        Column("renewed_at", BigInteger, nullable=False),
    )
    op.create_table(
        "stream_path",
        *_of_stream(),
        Column("path", Words, primary_key=True),
        Column("kinds", Words, nullable=False),
        Column("records", BigInteger, nullable=False),
        Column("first_seen_at", BigInteger, nullable=False),
        Column("last_seen_at", BigInteger, nullable=False),
    )
    _create_drift()


def _create_drift() -> None:
    op.create_table(
        "drift",
        Column("drift_no", Number, primary_key=True),
        Column("source", Words, nullable=False),
        Column("stream", Words, nullable=False),
        Column("path", Words, nullable=False),
        Column("change", Words, nullable=False),
        Column("was", Words),
        Column("now", Words),
        Column("mapped", Boolean, nullable=False),
        Column("at", BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("drift_by_stream", "drift", ["source", "stream", "drift_no"])


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
    op.drop_column("stream_state", "pulled_at")
    op.drop_column("stream_state", "due_at")
    op.drop_column("landing", "deleted_at")
