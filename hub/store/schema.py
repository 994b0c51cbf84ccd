"""The schema's version and how it gets there. In: a connection. Out: the same, with the tables of this code.

Alembic runs the steps in migrations/versions inside the caller's transaction, so that a broken step leaves nothing.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.schema import SetColumnComment, SetTableComment
from sqlalchemy.sql import column, table

from hub.store.derived import DERIVED
from hub.store.errors import SchemaError
from hub.store.kept import metadata
from hub.store.mapped import MAPPED

SCHEMA = "0008"  # the newest step in migrations/versions; steps are numbered so that text order is their order

_LOCK = 7_242_001  # any number, the same in every process that migrates


def schema_version(connection: Connection) -> str | None:
    """The step that the database stands at; None where it has no tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(select(column("version_num")).select_from(table("alembic_version"))).scalar()
    return None if found is None else str(found)


def check_schema(connection: Connection, place: str) -> None:
    """Raises SchemaError, with the remedy, unless the database stands where this code does."""
    found = schema_version(connection)
    if found == SCHEMA:
        return
    _refuse_newer(found, place)
    state = "has no tables yet" if found is None else f"has schema {found}, this hub needs {SCHEMA}"
    raise SchemaError(f"{place}: {state}; run `hub migrate`")


def migrate_schema(connection: Connection, place: str) -> bool:
    """Brings the schema to this code's and says whether there was anything to do. Raises SchemaError if newer."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    found = schema_version(connection)
    if found == SCHEMA:
        return False
    _refuse_newer(found, place)
    _upgrade(connection)
    if connection.dialect.name == "postgresql":
        _comment(connection)
    return True


def _upgrade(connection: Connection) -> None:
    from alembic import command  # a tenth of a second that only a migration has to pay
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "hub.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _comment(connection: Connection) -> None:
    """What the tables and columns mean, as this code says it, for whoever looks at the database itself."""
    for each in {*metadata.tables.values(), *DERIVED, *MAPPED.values()}:
        if each.comment:
            connection.execute(SetTableComment(each))
        for named in each.columns:
            if named.comment:
                connection.execute(SetColumnComment(named))


def _refuse_newer(found: str | None, place: str) -> None:
    if found is not None and found > SCHEMA:
        raise SchemaError(
            f"{place}: has schema {found}, newer than this hub's {SCHEMA}; upgrade customer-hub or restore a backup"
        )
