"""Contribution against an independent sum of its lines, in Python integers and fractions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from hub.insight.journey import journeys
from hub.insight.profitability import entries, profitability
from hub.store.batch import fill_batch
from hub.store.engine import Store
from mappings.rulebook import Rulebook
from tests.hub.insight.told import Told, day

RATES = {"EUR": Fraction(1), "USD": Fraction(9, 10), "JPY": Fraction(6, 1000), "KWD": Fraction(3)}
UNIT = {"EUR": 100_000, "USD": 100_000, "JPY": 1_000, "KWD": 1_000_000, "CHF": 100_000}  # amount of one major unit
KINDS = ["REVENUE", "TAX", "REFUND", "COGS", "FEE", "COST_TO_SERVE", "ACQUISITION"]


@pytest.fixture
def rules(rulebook: Rulebook) -> Rulebook:
    """The shipped rules with round rates, none for the franc, and dollars beside the reporting currency."""
    rates = {code: {date(2025, 1, 1): Decimal(rate.numerator) / rate.denominator} for code, rate in RATES.items()}
    said = {"rates": rates, "reporting_currency": "EUR", "currencies": ["EUR", "USD"]}
    company = rulebook.company.model_copy(update=said)
    return rulebook.model_copy(update={"company": company})


def worth(connection: Connection, rules: Rulebook, customers: Sequence[int], as_of: int = day(400)) -> None:
    fill_batch(connection, customers)
    journeys(connection, rules, as_of)
    entries(connection, rules, as_of)
    profitability(connection)


def found(
    connection: Connection, columns: str, table: str = "profitability", currency: str = "EUR"
) -> list[tuple[Any, ...]]:
    query = f"SELECT {columns} FROM {table} WHERE currency = :c ORDER BY 1"  # noqa: S608
    return [tuple(row) for row in connection.execute(text(query), {"c": currency})]


line = st.tuples(st.sampled_from(KINDS), st.sampled_from([*UNIT]), st.integers(-(10**9), 10**14))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(books=st.lists(st.lists(line, max_size=8), min_size=1, max_size=8), to=st.sampled_from(["EUR", "USD"]))
def test_a_contribution_is_the_sum_of_its_known_lines(
    store: Store, rules: Rulebook, books: list[list[tuple[str, str, int]]], to: str
) -> None:
    with store.engine.connect() as connection:
        told = Told(connection)
        expected = []
        for lines in books:
            who = told.customer()
            for kind, currency, amount in lines:
                told.money(who, kind, amount, currency, day(5))
            counted = [part for part in lines if part[0] not in ("TAX", "ACQUISITION")]
            known = [(kind, _converted(amount, code, to)) for kind, code, amount in counted if code in RATES]
            if counted:
                expected.append((who, *_sums(known), round(Fraction(len(known) * 10**6, len(counted)))))
        worth(connection, rules, range(1, 10_000))
        columns = "customer_no, revenue, refunds, direct_cost, cost_to_serve, contribution, margin, coverage"
        assert found(connection, columns, currency=to) == expected
        connection.rollback()


def _converted(amount: int, currency: str, to: str) -> int:
    rate = RATES[currency] / RATES[to]
    return round(Fraction(amount, UNIT[currency]) * rate * UNIT[to])


def _sums(known: list[tuple[str, int]]) -> tuple[int | None, ...]:
    def of(*kinds: str) -> int | None:
        amounts = [amount for kind, amount in known if kind in kinds]
        return sum(amounts) if amounts else None

    revenue, refunds, direct, serve = of("REVENUE"), of("REFUND"), of("COGS", "FEE"), of("COST_TO_SERVE")
    contribution = (revenue or 0) - (refunds or 0) - (direct or 0) - (serve or 0) if known else None
    net = (revenue or 0) - (refunds or 0)
    margin = None if contribution is None or net <= 0 else round(Fraction(contribution * 10**6, net))
    return revenue, refunds, direct, serve, contribution, margin


def test_an_entry_without_a_rate_is_unknown_and_lowers_the_coverage(store: Store, rules: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        told.money(who, "REVENUE", 300_000, "EUR")
        told.money(who, "REVENUE", 100_000, "CHF")
        told.money(who, "COGS", 100_000, "CHF")
        worth(connection, rules, [who])
        assert found(connection, "revenue, direct_cost, contribution, coverage") == [(300_000, None, 300_000, 333_333)]
        query = "SELECT amount, rate FROM entry_value WHERE currency = 'EUR' ORDER BY entry_no"
        values = connection.execute(text(query))
        assert [tuple(row) for row in values] == [(300_000, "1"), (None, None), (None, None)]


def test_yen_and_dinar_arrive_in_euro(store: Store, rules: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        told.money(who, "REVENUE", 4_300_000, "JPY")
        told.money(who, "REVENUE", 1_250_000, "KWD")
        worth(connection, rules, [who])
        assert found(connection, "revenue") == [(25_80_000 + 3_75_000,)]


def test_nothing_known_is_null_and_not_zero(store: Store, rules: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        rich, poor = told.customer(), told.customer()
        told.money(rich, "TAX", 100)
        told.money(poor, "REVENUE", 100, "CHF")
        worth(connection, rules, [rich, poor])
        columns = "customer_no, revenue, contribution, margin, coverage"
        assert found(connection, columns) == [(poor, None, None, None, 0)]


def test_the_largest_amounts_add_up_exactly(store: Store, rules: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        for _ in range(3):
            told.money(who, "REVENUE", 10**17 - 1)
        told.money(who, "REFUND", 10**17)
        worth(connection, rules, [who])
        assert found(connection, "revenue, contribution") == [(3 * 10**17 - 3, 2 * 10**17 - 3)]


def test_money_stands_in_the_step_of_its_touch_or_of_its_date(store: Store, rules: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        opened = told.touch(who, "deal.opened", day(10))
        bill = told.touch(who, "invoice.issued", day(20), channel="BILLING")
        told.money(who, "REVENUE", 900, at=day(25), touch=bill)
        told.money(who, "COGS", 200, at=day(10), touch=bill)
        told.money(who, "FEE", 30, at=day(15))
        told.money(who, "FEE", 4, at=day(1))
        told.money(who, "FEE", 7, at=day(20))
        told.money(who, "REFUND", 100, at=day(300))
        worth(connection, rules, [who])
        columns = "step_no, stage, channel, interaction_no, amount"
        query = f"SELECT {columns} FROM entry WHERE entry_no > 0 ORDER BY entry_no"  # noqa: S608
        placed = [tuple(row) for row in connection.execute(text(query))]
        values = found(connection, "step_no, revenue, cost, contribution", "step_value")
    assert placed == [
        (bill, "BUYING", "BILLING", bill, 900), (bill, "BUYING", "BILLING", bill, 200),
        (opened, "CHOOSING", None, None, 30), (opened, "CHOOSING", None, None, 4), (bill, "BUYING", None, None, 7),
        (bill, "BUYING", None, None, 100),
    ]  # fmt: skip
    serve = 45 * 115_000  # the deal's forty-five minutes at 1.15 a minute
    assert values == [(opened, None, 34 + serve, -34 - serve), (bill, 800, 207, 593)]


def test_an_organization_is_worth_its_own_entries_and_not_its_people_s(store: Store, rules: Rulebook) -> None:
    with store.write() as connection:
        told = Told(connection)
        firm, ann = told.customer("ORGANIZATION"), told.customer()
        told.joins(ann, firm)
        told.money(firm, "REVENUE", 500)
        told.money(ann, "REVENUE", 70)
        worth(connection, rules, [firm, ann])
        assert found(connection, "customer_no, revenue") == [(firm, 500), (ann, 70)]
        owners = connection.execute(text("SELECT customer_no, organization_no FROM entry ORDER BY entry_no"))
        assert [tuple(row) for row in owners] == [(firm, firm), (ann, firm)]
