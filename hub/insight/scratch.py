"""Temporary tables of one derivation: what its set-based statements hand to one another.

In: the name of one of TABLES. Out: that table, empty, seen by this connection only.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

TABLES = {
    "touch": """
        owner BIGINT NOT NULL, seq BIGINT NOT NULL, interaction_no BIGINT NOT NULL, person_no BIGINT,
        at BIGINT NOT NULL, type TEXT NOT NULL, lane TEXT NOT NULL, channel TEXT NOT NULL, sentiment BIGINT,
        stage TEXT, PRIMARY KEY (owner, seq)""",
    "walk": """
        owner BIGINT NOT NULL, seq BIGINT NOT NULL, interaction_no BIGINT NOT NULL, at BIGINT NOT NULL,
        lane TEXT NOT NULL, channel TEXT NOT NULL, sentiment BIGINT, stage TEXT NOT NULL, journey BIGINT NOT NULL,
        step BIGINT NOT NULL, journey_no BIGINT NOT NULL, step_no BIGINT NOT NULL""",
    "gone": "customer_no BIGINT PRIMARY KEY",
}


def empty(connection: Connection, name: str) -> None:
    """Makes the temporary table `name` exist and hold nothing."""
    connection.execute(text(f"CREATE TEMP TABLE IF NOT EXISTS {name} ({TABLES[name]})"))
    clear = "DELETE FROM temp.{}" if connection.dialect.name == "sqlite" else "TRUNCATE pg_temp.{}"
    connection.execute(text(clear.format(name)))


def measure(connection: Connection, name: str) -> None:
    """Tells the database's planner how many rows the temporary table has; nobody else does."""
    schema = "temp" if connection.dialect.name == "sqlite" else "pg_temp"
    connection.execute(text(f"ANALYZE {schema}.{name}"))
