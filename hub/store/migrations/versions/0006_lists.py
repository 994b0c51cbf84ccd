"""Lists: what a card shows of others, indexes in the order that is asked for, and lists of text in one form."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0006"
down_revision = "0005"

_CARD = {  # the new columns: their type, and what they are until the customer is derived
    "revenue": ("BIGINT", None),
    "refunds": ("BIGINT", None),
    "direct_cost": ("BIGINT", None),
    "cost_to_serve": ("BIGINT", None),
    "margin": ("BIGINT", None),
    "coverage": ("BIGINT", None),
    "has_profitability": ("BOOLEAN", "FALSE"),
    "open_flag_count": ("BIGINT", "0"),
    "flags": ("JSONB", None),
    "timeline_count": ("BIGINT", "0"),
    "latest": ("JSONB", None),
}
_WORTH = ("revenue", "refunds", "direct_cost", "cost_to_serve", "margin", "coverage")
_TOP = (
    ("customer_card_by_value", "customer_card", "", "value_at_risk", "customer_no"),
    ("customer_card_by_contribution", "customer_card", "", "contribution", "customer_no"),
    ("risk_flag_by_value", "risk_flag", "state, ", "value_at_risk", "flag_no"),
)
_FILL = f"""
UPDATE customer_card SET has_profitability = TRUE, {", ".join(f"{name} = w.{name}" for name in _WORTH)}
FROM profitability w WHERE w.customer_no = customer_card.customer_no
AND w.currency = (SELECT value FROM hub_meta WHERE name = 'reporting_currency')
"""  # noqa: S608
_ONE_FORM = """UPDATE {table} SET {column} = REPLACE({column}, '", "', '","') WHERE {column} LIKE '%", "%'"""


def upgrade() -> None:
    for name in (
        "customer_card_by_value",
        "risk_flag_by_value",
        "interaction_by_customer",
        "interaction_by_organization",
    ):
        op.drop_index(name)
    _widen()
    op.execute(_FILL)
    op.execute(_ONE_FORM.format(table="identity_log", column="customer_ids"))
    op.execute(_ONE_FORM.format(table="link", column="reasons"))
    nulls = " NULLS LAST" if _postgresql() else ""
    for name, table, before, most, key in _TOP:
        op.execute(f"CREATE INDEX {name} ON {table} ({before}{most} DESC{nulls}, {key} DESC)")
    op.create_index("customer_card_by_points", "customer_card", ["risk_points", "customer_no"])
    op.create_index("customer_card_by_band", "customer_card", ["risk_band", "kind", "country", "last_seen"])
    op.create_index("risk_flag_by_severity", "risk_flag", ["state", "severity", "contactable"])
    op.create_index("interaction_by_customer", "interaction", ["customer_no", "at", "fact_no"])
    op.create_index("interaction_by_organization", "interaction", ["organization_no", "at", "fact_no"])


def _postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _widen() -> None:
    if _postgresql():
        for name, (kind, until) in _CARD.items():
            said = "" if until is None else f" NOT NULL DEFAULT {until}"
            op.execute(f"ALTER TABLE customer_card ADD COLUMN {name} {kind}{said}")
            if until is not None:
                op.execute(f"ALTER TABLE customer_card ALTER COLUMN {name} DROP DEFAULT")
        return
    _remake_card()


def _remake_card() -> None:
    """SQLite adds no column that must hold something: the rows go aside and into a new table, with its indexes."""
    listed = "".join(
        f"{name} {kind.replace('JSONB', 'TEXT')}{'' if until is None else ' NOT NULL'}, "
        for name, (kind, until) in _CARD.items()
    )
    begun = ", ".join(until or "NULL" for _, until in _CARD.values())
    found = text("SELECT sql FROM sqlite_master WHERE tbl_name = 'customer_card' AND type = :type AND sql IS NOT NULL")
    made, indexes = (op.get_bind().scalars(found, {"type": kind}).all() for kind in ("table", "index"))
    op.execute("CREATE TEMP TABLE aside AS SELECT * FROM customer_card")
    op.execute("DROP TABLE customer_card")
    op.execute(made[0].replace("PRIMARY KEY", f"{listed}PRIMARY KEY"))
    op.execute(f"INSERT INTO customer_card SELECT *, {begun} FROM temp.aside")  # noqa: S608
    for statement in indexes:
        op.execute(statement)
    op.execute("DROP TABLE temp.aside")


def downgrade() -> None:
    for name in (
        "interaction_by_customer",
        "interaction_by_organization",
        "risk_flag_by_severity",
        "customer_card_by_band",
        "customer_card_by_points",
        *(name for name, *_ in _TOP),
    ):
        op.drop_index(name)
    for name in reversed(_CARD):
        op.execute(f"ALTER TABLE customer_card DROP COLUMN {name}")
    op.create_index("customer_card_by_value", "customer_card", ["value_at_risk", "customer_no"])
    op.create_index("risk_flag_by_value", "risk_flag", ["state", "value_at_risk", "flag_no"])
    op.create_index("interaction_by_customer", "interaction", ["customer_no", "at"])
    op.create_index("interaction_by_organization", "interaction", ["organization_no"])
