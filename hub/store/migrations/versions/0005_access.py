"""Who may ask, and who has read whom."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text

revision = "0005"
down_revision = "0004"

Words = Text().with_variant(Text(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "api_key",
        Column("key_no", Number, primary_key=True),
        Column("prefix", Words, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("name", Words, nullable=False),
        Column("role", Words, nullable=False),
        Column("scopes", Words, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("revoked_at", BigInteger),
        Column("last_used", Words),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit_log",
        Column("log_no", Number, primary_key=True),
        Column("at", BigInteger, nullable=False),
        Column("principal", Words, nullable=False),
        Column("role", Words, nullable=False),
        Column("operation", Words, nullable=False),
        Column("root", Words, nullable=False),
        Column("customers", Words),
        Column("classes", Words, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("api_key_by_prefix", "api_key", ["prefix"], unique=True)
    op.create_index("audit_log_by_time", "audit_log", ["at"])


def downgrade() -> None:
    for name in ("audit_log", "api_key"):
        op.drop_table(name)
