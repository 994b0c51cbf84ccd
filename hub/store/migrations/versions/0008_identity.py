"""What identity compares: portraits, keys as numbers, and pairs that a person should look at.

What is dropped is derived: the next resolve goes by another version of the rules, and so makes it anew for everybody.
"""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Text, false, text

revision = "0008"
down_revision = "0007"

Words = Text().with_variant(Text(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer, "sqlite")


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _evidence() -> list[Column[Any]]:
    columns: list[Column[Any]] = [Column(name, Words, nullable=False) for name in ("verdict", "rule")]
    columns.append(Column("score", BigInteger, nullable=False))
    columns.append(Column("reasons", Words, nullable=False))
    columns.append(Column("at", BigInteger, nullable=False))
    return [_number("left_profile_no"), _number("right_profile_no"), *columns]


def upgrade() -> None:
    op.drop_index("profile_ledger_by_pending", "profile_ledger")
    op.create_index("profile_ledger_by_pending", "profile_ledger", ["pending", "profile_no"])
    for name in ("link", "match_key", "unresolved"):
        op.drop_table(name)
    review = Column("review", Boolean, nullable=False, server_default=false())
    op.create_table("link", *_evidence(), review, sqlite_with_rowid=False)
    op.create_index("link_by_right", "link", ["right_profile_no"])
    op.create_index(
        "link_by_review",
        "link",
        ["score", "left_profile_no", "right_profile_no"],
        sqlite_where=text("review = 1"),
        postgresql_where=text("review"),
    )
    own = Column("own", Boolean, nullable=False)
    op.create_table("match_key", _number("key"), _number("profile_no"), own, sqlite_with_rowid=False)
    op.create_table(
        "portrait",
        Column("profile_no", Number, primary_key=True, autoincrement=False),
        Column("said", Words, nullable=False),
        Column("keys", LargeBinary, nullable=False),
    )
    op.create_table(
        "unresolved",
        Column("profile_no", Number, primary_key=True, autoincrement=False),
        Column("changed", Boolean, nullable=False),
    )


def downgrade() -> None:
    op.drop_index("profile_ledger_by_pending", "profile_ledger")
    op.create_index("profile_ledger_by_pending", "profile_ledger", ["pending"])
    for name in ("link", "match_key", "portrait", "unresolved"):
        op.drop_table(name)
    op.create_table("link", *_evidence())
    op.create_index("link_by_right", "link", ["right_profile_no"])
    op.create_table(
        "match_key",
        Column("key", Words, primary_key=True),
        _number("profile_no"),
        Column("own", Boolean, nullable=False),
    )
    op.create_index("match_key_by_profile", "match_key", ["profile_no"])
    op.create_table("unresolved", _number("profile_no"), Column("changed", Boolean, nullable=False))
