"""Every format, read by a library that is not ours: typed, and to the cent what the database and GraphQL say."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import runpy
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet
import pytest
from sqlalchemy import text

from connectors.sandbox.company import generate
from connectors.sandbox.server import serve
from hub.demo import DEMO_AS_OF
from hub.export import arrow, stream
from hub.export.column import As
from hub.export.reading import Asked
from hub.export.refusals import MissingExtra
from hub.export.stream import FORMATS, Export
from hub.export.views import VIEWS, create_views
from hub.run import Hub
from hub.server import create_app
from hub.settings import Settings
from hub.store.engine import Store
from hub.sync import sync
from mappings.loader import load_sources, shipped
from mappings.rulebook import Rulebook

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "bi.py"
FIVE_PLACES = 10**5  # an amount of the euro in thousandths of a cent


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path, rulebook: Rulebook) -> Hub:
    """A synced company."""
    from hub.store.engine import open_store

    path = tmp_path_factory.mktemp("synced") / "hub.db"
    path.write_bytes(migrated_file.read_bytes())
    store = open_store(f"sqlite:///{path}")
    with serve(generate(60), faults=False) as servers:
        with store.write() as connection:
            create_views(connection, rulebook.company.reporting_currency)
        hub = Hub(store, rulebook, load_sources(rulebook, [shipped()], servers.environment()))
        assert sync(hub, DEMO_AS_OF).errors == {}
    return hub


def written(store: Store, view: str, format_: str, folder: Path) -> Path:
    path = folder / f"{view}.{format_}"
    with Export(store, Asked(view), format_) as export, path.open("wb") as file:
        file.writelines(export)
    return path


def _by_csv(path: Path) -> dict[str, Decimal]:
    with path.open(encoding="utf-8", newline="") as file:
        return _summed([(row["kind"], row["reporting_amount"]) for row in csv.DictReader(file, strict=True)])


def _by_json(path: Path) -> dict[str, Decimal]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return _summed([(row["kind"], row["reporting_amount"]) for row in rows])


def _by_pyarrow(path: Path) -> dict[str, Decimal]:
    table = ipc.open_stream(path.read_bytes()).read_all()
    grouped = table.group_by("kind").aggregate([("reporting_amount", "sum")])
    return dict(zip(grouped["kind"].to_pylist(), grouped["reporting_amount_sum"].to_pylist(), strict=True))


def _by_pandas(path: Path) -> dict[str, Decimal]:
    sums = pd.read_parquet(path, dtype_backend="pyarrow").groupby("kind")["reporting_amount"].sum()
    return dict(sums.items())


def _by_polars(path: Path) -> dict[str, Decimal]:
    frame = pl.read_parquet(path).group_by("kind").agg(pl.col("reporting_amount").sum())
    return dict(frame.iter_rows())


def _by_duckdb(path: Path) -> dict[str, Decimal]:
    reader = {"csv": "read_csv('{}', all_varchar=true)", "ndjson": "read_ndjson_auto('{}')", "parquet": "'{}'"}
    source = reader[path.suffix[1:]].format(path)
    rows = duckdb.sql(f"SELECT kind, SUM(CAST(reporting_amount AS DECIMAL(38,7))) FROM {source} GROUP BY kind")  # noqa: S608
    assert rows is not None
    return dict(rows.fetchall())


def _summed(pairs: list[tuple[str, str | None]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for kind, amount in pairs:
        sums[kind] = sums.get(kind, Decimal(0)) + Decimal(amount or 0)
    return sums


READERS: dict[str, tuple[str, Callable[[Path], dict[str, Decimal]]]] = {
    "csv module": ("csv", _by_csv),
    "json module": ("ndjson", _by_json),
    "pyarrow": ("arrow", _by_pyarrow),
    "pandas": ("parquet", _by_pandas),
    "polars": ("parquet", _by_polars),
    "duckdb csv": ("csv", _by_duckdb),
    "duckdb ndjson": ("ndjson", _by_duckdb),
    "duckdb parquet": ("parquet", _by_duckdb),
}


@pytest.mark.parametrize("reader", READERS)
def test_sums_are_those_of_the_books_to_the_cent(synced: Hub, reader: str, tmp_path: Path) -> None:
    format_, read = READERS[reader]
    sums = read(written(synced.store, "bi_money", format_, tmp_path))
    with synced.store.read() as connection:
        sql = "SELECT e.kind, SUM(v.amount) FROM entry e JOIN entry_value v ON v.entry_no = e.entry_no"
        rows = connection.execute(text(f"{sql} AND v.currency = 'EUR' GROUP BY e.kind")).all()
    assert {kind: total for kind, total in sums.items() if total} == {
        kind: Decimal(total) / FIVE_PLACES for kind, total in rows if total
    }
    assert {"REVENUE", "COST_TO_SERVE"} <= set(sums)


def test_contributions_are_those_that_graphql_answers(synced: Hub, tmp_path: Path) -> None:
    document = "{ customers(first: 200) { edges { node { id profitability { contribution { amount currency } } } } } }"

    async def asked() -> Any:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(synced, Settings())), base_url="http://localhost"
        ) as client:
            return (await client.post("/graphql", json={"query": document})).json()

    answer = asyncio.run(asked())
    assert "errors" not in answer, answer["errors"]
    nodes = [edge["node"] for edge in answer["data"]["customers"]["edges"]]
    said = {node["id"]: (node["profitability"] or {}).get("contribution") for node in nodes}
    frame = pl.read_parquet(written(synced.store, "bi_customers", "parquet", tmp_path)).filter(state="CURRENT")
    read = dict(frame.select("customer_id", "contribution").iter_rows())
    assert set(read) == set(said)
    assert any(said.values())
    cent = Decimal("0.01")
    for public_id, amount in said.items():
        mine = read[public_id]
        assert (amount and Decimal(amount["amount"])) == (None if mine is None else mine.quantize(cent)), public_id


@pytest.mark.parametrize("format_", ["parquet", "arrow"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_value_arrives_typed_and_is_the_one_of_the_csv(
    company: Store, view: str, format_: str, tmp_path: Path
) -> None:
    path = written(company, view, format_, tmp_path)
    table = parquet.read_table(path) if format_ == "parquet" else ipc.open_stream(path.read_bytes()).read_all()
    columns = VIEWS[view].columns
    assert {field.name: field.type for field in table.schema} == {n: arrow.TYPES[c.as_] for n, c in columns.items()}
    assert {field.name: field.metadata[b"description"].decode() for field in table.schema} == {
        name: column.about for name, column in columns.items()
    }
    parse: dict[As, Callable[[str], Any]] = {
        As.WHOLE: int,
        As.FLAG: "true".__eq__,
        As.INSTANT: datetime.fromisoformat,
        As.RATIO: Decimal,
        As.MONEY: Decimal,
    }
    with Export(company, Asked(view), "csv") as export:
        rows = list(csv.DictReader(io.StringIO(b"".join(export).decode(), newline=""), strict=True))
    assert len(rows) == table.num_rows > 1
    for cells, row in zip(rows, table.to_pylist(), strict=True):
        for name, value in row.items():
            cell = cells[name].removeprefix("'")
            assert value == (parse.get(columns[name].as_, str)(cell) if cell else None), (name, cell)


def test_null_and_the_empty_text_differ(company: Store, tmp_path: Path) -> None:
    with company.write() as connection:
        connection.execute(text("UPDATE customer_card SET display_name = '' WHERE customer_no = 1"))
    table = parquet.read_table(written(company, "bi_customers", "parquet", tmp_path))
    assert table["display_name"].to_pylist() == ["", None, "=1+1", None]
    csv_lines = written(company, "bi_customers", "csv", tmp_path).read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[4] for line in csv_lines[1:]] == ['""', "", "'=1+1", ""]


def test_an_instant_is_utc(company: Store, tmp_path: Path) -> None:
    at = pl.read_parquet(written(company, "bi_money", "parquet", tmp_path))["at"]
    assert at.dtype == pl.Datetime("us", "UTC")
    assert at[0] == datetime(2026, 6, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize("format_", ["parquet", "arrow"])
def test_an_empty_view_is_a_file_with_its_columns(store: Store, format_: str, tmp_path: Path) -> None:
    path = written(store, "bi_money", format_, tmp_path)
    table = parquet.read_table(path) if format_ == "parquet" else ipc.open_stream(path.read_bytes()).read_all()
    assert (table.num_rows, table.column_names) == (0, list(VIEWS["bi_money"].columns))


def test_a_file_says_from_where_to_read_on(company: Store, tmp_path: Path) -> None:
    said = parquet.read_schema(written(company, "bi_money", "parquet", tmp_path)).metadata
    assert (said[b"view"], said[b"complete"]) == (b"bi_money", b"true")
    with Export(company, Asked("bi_money", since=said[b"watermark"].decode()), "ndjson") as export:
        assert b"".join(export) == b""


def test_a_large_file_is_written_group_by_group(
    many: Callable[[str, int], Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrow, "ROWS_A_GROUP", 2_000)
    monkeypatch.setattr(arrow, "BYTES_A_PARSE", 20_000)
    file = parquet.ParquetFile(written(many("sqlite", 9_000), "bi_customers", "parquet", tmp_path))
    assert file.num_row_groups >= 3
    assert file.metadata.num_rows == 9_000
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    ids = pa.chunked_array(file.read(["customer_id"])["customer_id"]).to_pylist()
    assert ids == [f"cus_{number}" for number in range(9_000)]


@pytest.mark.parametrize("format_", ["parquet", "arrow"])
def test_a_missing_extra_is_named(store: Store, format_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install customer-hub\[bi\]"):
        Export(store, Asked("bi_money"), format_)
    assert set(FORMATS) == {"csv", "ndjson", "parquet", "arrow"}


def test_the_notebook_runs(
    synced: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for view in ("bi_money", "bi_customers"):
        written(synced.store, view, "parquet", tmp_path)
    monkeypatch.chdir(tmp_path)
    made = runpy.run_path(str(EXAMPLE))
    by_pandas = made["money"].groupby("kind")["reporting_amount"].sum()
    assert dict(made["by_kind"].iter_rows()) == dict(by_pandas.items())
    assert len(made["best"].fetchall()) == 5
    assert "REVENUE" in capsys.readouterr().out
