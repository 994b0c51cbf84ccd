"""What is at stake with a flag, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import text

from hub.insight.value import YEAR, Claim, recurring
from hub.store.engine import Store
from mappings.rulebook import Rulebook, Stake
from tests.hub.insight.dealt import Dealt, assess
from tests.hub.insight.told import DAY, day

EURO = 100_000  # thousandths of a cent
RAISED = 101


class Agreement:
    """A row as the query gives it."""

    def __init__(self, amount: int, months: int, starts: float, ends: float | None) -> None:
        self.amount, self.period_months = amount, months
        self.starts_at, self.ends_at = day(starts), None if ends is None else day(ends)


YEARS: dict[str, tuple[Agreement, tuple[Stake, ...], int]] = {
    "monthly, for a year": (Agreement(29 * EURO, 1, 0, None), ("RECURRING",), 12 * 29 * EURO),
    "yearly": (Agreement(290 * EURO, 12, 0, None), ("RECURRING",), 290 * EURO),
    "quarterly": (Agreement(100 * EURO, 3, 0, None), ("RECURRING",), 400 * EURO),
    "until it ends": (Agreement(365 * EURO, 12, 0, RAISED + 30), ("RECURRING",), 30 * EURO),
    "as if it did not end": (Agreement(365 * EURO, 12, 0, RAISED + 30), ("RENEWAL",), 365 * EURO),
    "it has ended": (Agreement(365 * EURO, 12, 0, RAISED - 1), ("RECURRING",), 0),
    "it begins later": (Agreement(365 * EURO, 12, RAISED + 65, None), ("RECURRING",), 300 * EURO),
    "rounded half to even": (Agreement(1, 24, 0, None), ("RECURRING",), 0),
    "rounded half to even, up": (Agreement(3, 24, 0, None), ("RECURRING",), 2),
    "beyond what a bigint multiplies": (Agreement(10**17, 1, 0, None), ("RECURRING",), 12 * 10**17),
}


@pytest.mark.parametrize(("agreement", "stakes", "expected"), YEARS.values(), ids=YEARS)
def test_a_years_recurring_revenue(agreement: Agreement, stakes: tuple[Stake, ...], expected: int) -> None:
    assert recurring(agreement, Claim(1, 1, stakes, day(RAISED)), YEAR) == expected


World = Callable[[Dealt, int], object]
FLAGS: dict[str, tuple[World, int | None]] = {
    "an agreement": (lambda w, c: w.agreement(c, day(0)), 12 * 29 * EURO),
    "two agreements": (lambda w, c: [w.agreement(c, day(0)), w.agreement(c, day(1))], 24 * 29 * EURO),
    "past due counts": (lambda w, c: w.agreement(c, day(0), status="PAST_DUE"), 12 * 29 * EURO),
    "paused does not": (lambda w, c: w.agreement(c, day(0), status="PAUSED"), None),
    "an open invoice": (lambda w, c: w.invoice(c, day(90), None, 5 * EURO), 5 * EURO),
    "both": (lambda w, c: [w.agreement(c, day(0)), w.invoice(c, day(90), None, EURO)], 349 * EURO),
    "a paid invoice": (lambda w, c: w.invoice(c, day(90), None, 0, status="PAID"), None),
    "an invoice that only says what it asks for": (
        lambda w, c: w.invoice(c, day(90), None, None, amount=5 * EURO), 5 * EURO,
    ),
    "nothing": (lambda w, c: None, None),
    "an agreement without an amount": (lambda w, c: w.agreement(c, day(0), recurring_amount=None), None),
    "an agreement without a period": (lambda w, c: w.agreement(c, day(0), period_months=None), None),
    "an unknown currency": (lambda w, c: w.agreement(c, day(0), currency="SEK"), None),
    "an unknown currency beside a known one": (
        lambda w, c: [w.agreement(c, day(0), currency="SEK"), w.agreement(c, day(0))], 12 * 29 * EURO,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("story", "expected"), FLAGS.values(), ids=FLAGS)
def test_the_value_at_risk_of_a_failed_payment(
    store: Store, rulebook: Rulebook, story: World, expected: int | None
) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        story(world, customer)
        world.touch(customer, "payment.failed", day(100), "BRAND")
        assess(connection, rulebook, day(RAISED), customer)
        query = text("SELECT value_at_risk FROM risk_flag WHERE rule = 'failed_payment'")
        assert connection.scalar(query) == expected


def test_the_value_at_risk_is_converted_at_the_rate_of_the_day_on_which_the_flag_was_raised(
    store: Store, rulebook: Rulebook
) -> None:
    dated = rulebook.company.rates["USD"]
    raised = max(first for first in dated if first.isoformat() <= "2025-04-17")  # day 101
    expected = 5 * EURO * dated[raised]
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.invoice(customer, day(90), None, 5 * EURO, currency="USD")
        world.touch(customer, "payment.failed", day(100), "BRAND")
        found = []
        for at in (RAISED, RAISED + 45):
            assess(connection, rulebook, day(at), customer)
            found.append(connection.scalar(text("SELECT value_at_risk FROM risk_flag")))
    assert found == [int(expected.to_integral_value("ROUND_HALF_EVEN"))] * 2
    assert expected != Decimal(5 * EURO)


def test_an_organization_has_its_own_agreements_at_stake_and_not_its_peoples(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        firm, person = world.customer("ORGANIZATION"), world.customer()
        world.joins(person, firm)
        world.agreement(person, day(0))
        world.agreement(firm, day(0), recurring_amount=100 * EURO)
        world.touch(person, "case.comment", day(100), intent="CANCEL")
        assess(connection, rulebook, day(RAISED), firm, person)
        query = text("SELECT customer_no, value_at_risk FROM risk_flag WHERE rule = 'cancel_intent'")
        found = {row.customer_no: row.value_at_risk for row in connection.execute(query)}
    assert found == {firm: 1_200 * EURO, person: 12 * 29 * EURO}


def test_an_agreement_that_ends_puts_the_year_after_it_at_stake(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.agreement(customer, day(0), ends_at=day(RAISED) + 10 * DAY)
        assess(connection, rulebook, day(RAISED), customer)
        assert connection.scalar(text("SELECT value_at_risk FROM risk_flag")) == 12 * 29 * EURO
