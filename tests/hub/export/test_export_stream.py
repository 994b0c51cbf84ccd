"""What an export writes: exact bytes from both databases, read back by others, in memory that does not grow."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from hub.export.column import As
from hub.export.reading import Asked
from hub.export.statement import Form, every_row, written
from hub.export.stream import FORMATS, Export, UnknownExport
from hub.export.views import VIEWS
from hub.store.engine import Store
from mappings.converting.currencies import DECIMALS

CUSTOMERS = (
    "customer_id,state,redirects_to,kind,display_name,country,language,market_state,stage,stage_since,first_seen,"
    "last_seen,updated_at,open_case_count,interaction_count,sentiment,risk_points,risk_band,currency,revenue,refunds,"
    "direct_cost,cost_to_serve,contribution,coverage,value_at_risk\n"
    'cus_ada,CURRENT,,PERSON,"Ada ""Countess"", née\r\nByron",GB,en,ACTIVE,LIVING,2026-06-29T12:00:00Z,,,'
    "2026-06-30T12:00:00Z,0,0,-0.250000,0,LOW,EUR,25.80001,,,0.01234,25.78767,0.857142,\n"
    "cus_old,MERGED,cus_ada,PERSON,,,,,,,,,,,,,,,EUR,,,,,,,\n"
    "cus_acme,CURRENT,,ORGANIZATION,'=1+1,,,ACTIVE,,,,,2026-06-30T12:00:00Z,0,0,,0,LOW,EUR,,,,,,,1200.50000\n"
    "cus_erased,GONE,,PERSON,,,,,,,,,,,,,,,EUR,,,,,,,\n"
)
MONEY = (
    "entry_id,customer_id,organization_id,at,kind,basis,amount,currency,reporting_amount,reporting_currency,rate,"
    "source,stream,key,rule,interaction_id,stage,channel\n"
    "ent_-65536,cus_ada,,2026-06-30T12:00:00Z,COST_TO_SERVE,ESTIMATED,0.01234,EUR,0.01234,EUR,1,books,lines,r1,mail,"
    "int_65536,LIVING,EMAIL\n"
    "ent_131072,cus_acme,cus_acme,2026-06-30T12:00:00Z,REVENUE,ACTUAL,999999999999.99999,EUR,999999999999.99999,EUR,1,"
    "books,lines,r1,,,,\n"
    "ent_131073,cus_ada,,2026-06-30T12:00:00Z,REVENUE,ACTUAL,4300.000,JPY,25.80001,EUR,0.006,books,lines,r1,,,,\n"
    "ent_131074,cus_ada,,2026-06-30T12:00:00Z,REVENUE,ACTUAL,1.250000,KWD,,,,books,lines,r1,,,,\n"
    "ent_131075,cus_ada,,2026-06-30T12:00:00Z,REVENUE,ACTUAL,-0.0000005,CLF,,,,books,lines,r1,,,,\n"
    "ent_131076,cus_ada,,2026-06-30T12:00:00Z,FEE,ACTUAL,0.0000000,CLF,,,,books,lines,r1,,,,\n"
    "ent_131077,cus_ada,,2026-06-30T12:00:00Z,COGS,ACTUAL,,,,,,books,lines,'-7,unknown,,,\n"
)
INTERACTIONS = (
    "interaction_id,customer_id,organization_id,at,type,channel,lane,stage,source,stream,summary,intent,sentiment,"
    "duration_s,object_type,object_key\n"
    "int_65536,cus_ada,,2026-06-30T12:00:00Z,case.opened,EMAIL,CUSTOMER,BUYING,desk,tickets,'\tTabbed,,1.000000,90,,\n"
    "int_196608,,,2026-06-30T12:00:00Z,visit.made,WEB,CUSTOMER,,desk,tickets,,,,,,\n"
)
FLAGS = (
    '{"flag_id":"flg_1","customer_id":"cus_acme","state":"CLEARED","rule":"silence","raised_at":"2026-06-29T12:00:00Z",'
    '"cleared_at":"2026-06-30T12:00:00Z","since":null,"severity":null,"points":null,"message":null,'
    '"value_at_risk":null,"currency":"EUR","action_kind":null,"action_channel":null,"action_not_before":null,'
    '"action_not_after":null,"action_blocked_by":null}\n'
    '{"flag_id":"flg_2","customer_id":"cus_acme","state":"OPEN","rule":"unpaid","raised_at":"2026-06-29T12:00:00Z",'
    '"cleared_at":null,"since":"2026-06-29T12:00:00Z","severity":"HIGH","points":40,"message":"+49 called, twice",'
    '"value_at_risk":null,"currency":"EUR","action_kind":"CALL","action_channel":"PHONE",'
    '"action_not_before":"2026-06-30T12:00:00Z","action_not_after":"2026-07-01T12:00:00Z","action_blocked_by":null}\n'
    '{"flag_id":"flg_3","customer_id":"cus_ada","state":"CLEARED","rule":"silence","raised_at":"2026-06-29T12:00:00Z",'
    '"cleared_at":"2026-06-30T12:00:00Z","since":null,"severity":null,"points":null,"message":null,'
    '"value_at_risk":null,"currency":"EUR","action_kind":null,"action_channel":null,"action_not_before":null,'
    '"action_not_after":null,"action_blocked_by":null}\n'
)
STEPS = (
    '{"step_id":"stp_65536","journey_id":"jrn_65536","customer_id":"cus_ada","journey_ordinal":1,"ordinal":1,'
    '"stage":"BUYING","entered_at":"2026-06-29T12:00:00Z","left_at":"2026-06-30T12:00:00Z","expected_days":14,'
    '"overdue":true,"customer_interaction_count":2,"brand_interaction_count":0,"sentiment":null,"currency":"EUR",'
    '"revenue":null,"cost":"0.01234","contribution":null}\n'
    '{"step_id":"stp_65537","journey_id":"jrn_65536","customer_id":"cus_ada","journey_ordinal":1,"ordinal":2,'
    '"stage":"LIVING","entered_at":"2026-06-29T12:00:00Z","left_at":null,"expected_days":null,'
    '"overdue":false,"customer_interaction_count":0,"brand_interaction_count":1,"sentiment":null,"currency":null,'
    '"revenue":null,"cost":null,"contribution":null}\n'
    '{"step_id":"stp_65538","journey_id":"jrn_65536","customer_id":"cus_ada","journey_ordinal":1,"ordinal":3,'
    '"stage":"RENEWAL","entered_at":"2026-06-29T12:00:00Z","left_at":null,"expected_days":null,'
    '"overdue":null,"customer_interaction_count":0,"brand_interaction_count":0,"sentiment":null,"currency":null,'
    '"revenue":null,"cost":null,"contribution":null}\n'
)


def whole(store: Store, view: str, format_: str = "csv") -> str:
    with Export(store, Asked(view), format_) as export:
        return b"".join(export).decode()


def records(store: Store, view: str, format_: str) -> list[dict[str, Any]]:
    """The export as another program reads it; in CSV every value is text and null is empty."""
    if format_ == "ndjson":
        return [json.loads(line) for line in whole(store, view, "ndjson").splitlines()]
    return list(csv.DictReader(io.StringIO(whole(store, view), newline=""), strict=True))


@pytest.mark.parametrize(
    ("view", "format_", "expected"),
    [
        pytest.param("bi_customers", "csv", CUSTOMERS, id="customers"),
        pytest.param("bi_money", "csv", MONEY, id="money"),
        pytest.param("bi_interactions", "csv", INTERACTIONS, id="interactions"),
        pytest.param("bi_risk_flags", "ndjson", FLAGS, id="flags"),
        pytest.param("bi_journey_steps", "ndjson", STEPS, id="steps"),
    ],
)
def test_both_databases_give_these_bytes(company: Store, view: str, format_: str, expected: str) -> None:
    assert whole(company, view, format_) == expected


@pytest.mark.parametrize("view", VIEWS)
def test_csv_and_ndjson_read_back_say_the_same(company: Store, view: str) -> None:
    as_csv, as_json = (records(company, view, format_) for format_ in ("csv", "ndjson"))
    assert [list(row) for row in as_csv] == [list(VIEWS[view].columns)] * len(as_json)
    spelt = {None: "", True: "true", False: "false"}
    for cells, row in zip(as_csv, as_json, strict=True):
        for name, value in row.items():
            said = spelt[value] if value is None or isinstance(value, bool) else str(value)
            assert cells[name] in (said, f"'{said}")


@pytest.mark.parametrize("view", VIEWS)
def test_an_export_is_the_view(company: Store, view: str) -> None:
    with company.read() as connection:
        rows = connection.execute(text(f"SELECT * FROM {view}")).mappings().all()  # noqa: S608
    exported = records(company, view, "ndjson")
    assert len(rows) == len(exported) > 1
    decimals = [n for n, column in VIEWS[view].columns.items() if column.as_ in (As.MONEY, As.RATIO)]
    plain = [n for n, column in VIEWS[view].columns.items() if column.as_ in (As.TEXT, As.WORD, As.WHOLE)]
    key = plain[0]
    by_key = {row[key]: row for row in rows}
    for said in exported:
        row = by_key[said[key]]
        assert {n: row[n] for n in plain} == {n: said[n] for n in plain}
        assert {n: None if row[n] is None else Decimal(row[n]) for n in decimals} == {
            n: None if said[n] is None else Decimal(said[n]) for n in decimals
        }


@pytest.mark.parametrize("format_", FORMATS)
def test_sums_of_an_export_are_those_of_the_store_to_the_last_unit(company: Store, format_: str) -> None:
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in records(company, "bi_money", format_):
        if row["amount"]:
            sums[row["kind"], row["currency"]] += Decimal(row["amount"])
    with company.read() as connection:
        held = connection.execute(text("SELECT kind, currency, SUM(amount) FROM entry GROUP BY kind, currency"))
        expected = {(kind, code): int(amount) for kind, code, amount in held if amount is not None}
    assert {(kind, code): sum_.scaleb(DECIMALS[code] + 3) for (kind, code), sum_ in sums.items()} == expected


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        pytest.param("=HYPERLINK(1)", "'=HYPERLINK(1)", id="equals"),
        pytest.param("+1", "'+1", id="plus"),
        pytest.param("-1", "'-1", id="minus"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="at"),
        pytest.param("\t=1", "'\t=1", id="tab"),
        pytest.param("\r=1", "'\r=1", id="carriage return"),
        pytest.param("\nx", "'\nx", id="line feed"),
        pytest.param("  =1", "'  =1", id="after blanks"),
        pytest.param("＝1", "'＝1", id="full width"),
        pytest.param("Jean-Luc = 1", "Jean-Luc = 1", id="harmless inside"),
        pytest.param('O\'Neil, "Pat"', 'O\'Neil, "Pat"', id="quotes and comma"),
        pytest.param("two\nlines", "two\nlines", id="two lines"),
        pytest.param("two\rlines", "two\rlines", id="old two lines"),
        pytest.param("李雷 🙂", "李雷 🙂", id="beyond ASCII"),
    ],
)
def test_a_name_comes_back_and_no_spreadsheet_runs_it(company: Store, name: str, cell: str) -> None:
    with company.write() as connection:
        connection.execute(text("UPDATE customer_card SET display_name = :name"), {"name": name})
    assert {row["display_name"] for row in records(company, "bi_customers", "csv")} == {cell, ""}
    assert {row["display_name"] for row in records(company, "bi_customers", "ndjson")} == {name, None}


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        pytest.param(-2_578_767, "-25.78767", id="negative"),
        pytest.param(-1, "-0.00001", id="a trifle less than nothing"),
        pytest.param(0, "0.00000", id="nothing"),
        pytest.param(2**62 - 1, "46116860184273.87903", id="more than a double or a quotient can hold"),
    ],
)
def test_an_amount_is_exact_and_stays_a_number(company: Store, amount: int, said: str) -> None:
    with company.write() as connection:
        connection.execute(text("UPDATE profitability SET contribution = :amount"), {"amount": amount})
    assert records(company, "bi_customers", "csv")[0]["contribution"] == said
    with company.read() as connection:
        shown = connection.execute(text("SELECT contribution FROM bi_customers WHERE customer_id = 'cus_ada'")).scalar()
    assert str(shown) == said


@pytest.mark.parametrize(
    ("view", "format_", "message"),
    [
        ("bi_nothing", "csv", f"no view 'bi_nothing'; choose one of {', '.join(VIEWS)}"),
        ("bi_money", "xlsx", "no format 'xlsx'; choose one of csv, ndjson, parquet, arrow"),
    ],
    ids=["view", "format"],
)
def test_an_unknown_word_is_refused_before_the_first_chunk(store: Store, view: str, format_: str, message: str) -> None:
    with pytest.raises(UnknownExport) as refusal:
        Export(store, Asked(view), format_)
    assert str(refusal.value) == message


def test_an_empty_view_is_its_header_in_csv_and_nothing_in_ndjson(store: Store) -> None:
    assert whole(store, "bi_money") == ",".join(VIEWS["bi_money"].columns) + "\n"
    assert whole(store, "bi_money", "ndjson") == ""


@pytest.mark.parametrize("format_", [name for name, each in FORMATS.items() if each.is_text])
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_memory_does_not_grow_with_the_rows(many: Callable[[str, int], Store], dialect: str, format_: str) -> None:
    peaks = [_peak(many(dialect, count), format_) for count in (4_000, 16_000)]
    assert peaks[1] < 1.5 * peaks[0]


def _peak(store: Store, format_: str) -> int:
    tracemalloc.start()
    try:
        with Export(store, Asked("bi_customers"), format_) as export:
            assert sum(piece.count(b"\n") for piece in export) >= 4_000
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("view", VIEWS)
def test_sqlite_sorts_no_export_in_memory(new_store: Callable[[str], Store], view: str) -> None:
    statement = written(every_row(VIEWS[view], VIEWS[view].columns, "sqlite", ()), Form.CSV, "sqlite")
    with new_store("sqlite").read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    assert "TEMP B-TREE" not in " ".join(row.detail for row in plan)
