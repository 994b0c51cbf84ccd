"""What the migrations make is what the code means, compared by what each database says of itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, insert, make_url, text

from hub.store.derived import DERIVED, OWNED_BY_CUSTOMER
from hub.store.engine import Store
from hub.store.kept import customer_ledger, metadata
from hub.store.mapped import MAPPED, fact_no
from hub.store.schema import SCHEMA, migrate_schema

KEPT = {
    "sync_run",
    "stream_run",
    "stream_state",
    "landing",
    "dead_letter",
    "parent_due",
    "read_key",
    "lease",
    "credential",
    "stream_path",
    "drift",
    "profile_ledger",
    "customer_ledger",
    "judgement",
    "identity_log",
    "score_log",
    "flag_log",
    "tombstone",
    "residual_money",
    "outbox",
    "api_key",
    "audit_log",
    "hub_meta",
}

CATALOGUE = {
    "columns": "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default,"
    " collation_name FROM information_schema.columns WHERE table_schema = 'public'"
    " AND table_name <> 'alembic_version' ORDER BY 1, 2",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    " ORDER BY 1",
}
SQLITE = (
    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '%alembic%' AND name NOT LIKE 'sqlite_%'"
)


def described(connection: Connection) -> Iterator[Any]:
    if connection.dialect.name == "postgresql":
        for sql in CATALOGUE.values():
            yield [tuple(row) for row in connection.execute(text(sql))]
    else:
        yield sorted(re.sub(r"\s+", "", sql).replace('"', "") for sql in connection.execute(text(SQLITE)).scalars())


def test_migrations_make_what_the_tables_say(empty_url: str, new_store: Callable[[str], Store]) -> None:
    migrated = new_store(make_url(empty_url).drivername)
    declared = Store(make_url(empty_url).set(drivername=migrated.engine.url.drivername))
    with declared.write() as connection:
        metadata.create_all(connection)
    with migrated.read() as one, declared.read() as other:
        assert list(described(one)) == list(described(other))
    declared.close()


def test_the_newest_step_is_the_schema_that_the_code_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", "hub.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA


def test_steps_can_be_undone(store: Store) -> None:
    config = Config()
    config.set_main_option("script_location", "hub.store:migrations")
    with store.write() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with store.write() as connection:
        assert migrate_schema(connection, store.place)


def test_cards_keep_their_rows_and_get_their_sums_when_lists_come(store: Store) -> None:
    config = Config()
    config.set_main_option("script_location", "hub.store:migrations")
    card: dict[str, Any] = {
        "public_id": "cus_a",
        "kind": "PERSON",
        "display_name_key": "ann",
        "emails": "[]",
        "phones": "[]",
    }
    card |= {"market_state": "ACTIVE", "risk_band": "LOW", "risk_reasons": "[]", "risk_band_rank": 1}
    card |= dict.fromkeys(("updated_at", "open_case_count", "interaction_count", "sentiment_count", "risk_points"), 7)
    names = ", ".join(("customer_no", "risk_as_of", *card))
    marks = ", ".join(f":{name}" for name in card)
    with store.write() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0005")
        connection.execute(text("INSERT INTO hub_meta (name, value) VALUES ('reporting_currency', 'EUR')"))
        for number in (1, 2):
            row = card | {"public_id": f"cus_{number}"}
            connection.execute(text(f"INSERT INTO customer_card ({names}) VALUES ({number}, 7, {marks})"), row)  # noqa: S608
        for currency, revenue in (("EUR", 5), ("USD", 6)):
            values = {"currency": currency, "revenue": revenue}
            connection.execute(
                text("INSERT INTO profitability (customer_no, currency, revenue) VALUES (1, :currency, :revenue)"),
                values,
            )
        connection.execute(
            text(
                "INSERT INTO identity_log (customer_no, at, event, customer_ids, reason)"
                """ VALUES (1, 7, 'MERGED', '["cus_1", "cus_2"]', '')"""
            )
        )
        assert migrate_schema(connection, store.place)
    with store.read() as connection:
        found = "SELECT public_id, updated_at, revenue, has_profitability, flags, latest FROM customer_card ORDER BY 1"
        assert [tuple(row) for row in connection.execute(text(found))] == [
            ("cus_1", 7, 5, True, None, None),
            ("cus_2", 7, None, False, None, None),
        ]
        assert connection.scalar(text("SELECT customer_ids FROM identity_log")) == '["cus_1","cus_2"]'


def test_a_second_migration_has_nothing_to_do(store: Store) -> None:
    with store.write() as connection:
        assert not migrate_schema(connection, store.place)


def test_postgresql_knows_what_tables_and_columns_mean(new_store: Callable[[str], Store]) -> None:
    with new_store("postgresql").read() as connection:
        said = connection.execute(
            text(
                "SELECT obj_description('risk_flag'::regclass), col_description("
                "'landing'::regclass, (SELECT attnum FROM pg_attribute WHERE attrelid = 'landing'::regclass AND"
                " attname = 'state'))"
            )
        ).one()
    assert said[1] == "0 pending, 1 mapped, 2 dead letter"


def test_every_table_belongs_to_one_class() -> None:
    derived, mapped = {table.name for table in DERIVED}, {*MAPPED, "control"}
    assert not derived & mapped
    assert set(OWNED_BY_CUSTOMER) <= derived
    assert metadata.tables.keys() - derived - mapped == KEPT


@pytest.mark.parametrize(
    ("landing_no", "item", "expected"),
    [(1, 0, 65_536), (1, 65_535, 131_071), (2**46, 3, 2**62 + 3)],
    ids=["first", "last item of a record", "landing numbers up to 2^46"],
)
def test_a_fact_number_is_its_record_and_item(landing_no: int, item: int, expected: int) -> None:
    assert fact_no(landing_no, item) == expected


def test_a_number_is_not_given_twice(store: Store) -> None:
    row = {"public_id": "a", "kind": "PERSON", "minted_at": 1}
    with store.write() as connection:
        first = connection.execute(
            insert(customer_ledger).values(row).returning(customer_ledger.c.customer_no)
        ).scalar()
        connection.execute(delete(customer_ledger))
        second = connection.execute(
            insert(customer_ledger).values(row).returning(customer_ledger.c.customer_no)
        ).scalar()
    assert (first, second) == (1, 2)
