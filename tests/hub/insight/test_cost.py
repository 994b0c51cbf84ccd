"""Time-driven activity-based costing: the published example, and costs of what happened."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import text

from hub.insight.cost import check_cost, costs_to_serve, tariff
from hub.store.batch import fill_batch
from hub.store.engine import Store
from mappings.converting.currencies import render
from mappings.rulebook import Capacity, Cost, CostRate, CostRule, Rulebook
from tests.hub.insight.told import Told, day

# Kaplan, Anderson: Time-Driven Activity-Based Costing. Harvard Business Review, November 2004.
PUBLISHED = CostRate(
    about="Customer service, a quarter", currency="USD",
    capacity=Capacity(costs=Decimal(560_000), minutes=Decimal(700_000)),
)  # fmt: skip
ACTIVITIES = {"order": (8, 49_000), "inquiry": (44, 1_400), "credit check": (50, 2_500)}


@pytest.mark.parametrize(
    ("minutes", "expected"), [(1, "0.80"), (8, "6.40"), (44, "35.20"), (50, "40.00")],
    ids=["minute", "order", "inquiry", "credit-check"],
)  # fmt: skip
def test_published_costs_of_an_activity(minutes: int, expected: str) -> None:
    assert render(tariff(PUBLISHED).cost(Fraction(minutes)), "USD") == expected


def test_published_cost_of_what_was_used_and_of_what_was_not() -> None:
    used = sum(minutes * times for minutes, times in ACTIVITIES.values())
    assert render(tariff(PUBLISHED).cost(Fraction(used)), "USD") == "462880.00"
    unused = tariff(PUBLISHED).unused(Fraction(used))
    assert unused is not None
    assert render(unused, "USD") == "97120.00"


def test_a_rate_that_is_said_knows_no_unused_capacity() -> None:
    assert tariff(CostRate(about="", per_minute=Decimal(1), currency="EUR")).unused(Fraction(1)) is None


@pytest.mark.parametrize("said", [{}, {"per_minute": 1, "capacity": {"costs": 1, "minutes": 1}}], ids=["none", "both"])
def test_a_rate_says_its_minute_or_its_capacity(said: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="exactly one of per_minute, capacity"):
        CostRate.model_validate({"about": "", "currency": "EUR"} | said)


@pytest.mark.parametrize(
    ("currency", "expected"), [("EUR", 750_000), ("JPY", 7_500), ("KWD", 7_500_000)], ids=["EUR", "JPY", "KWD"]
)
def test_a_cost_stands_in_thousandths_of_the_minor_unit(currency: str, expected: int) -> None:
    assert tariff(CostRate(about="", per_minute=Decimal("0.75"), currency=currency)).cost(Fraction(10)) == expected


def _rules() -> Cost:
    def rule(when: str, minutes: str | None = None) -> CostRule:
        return CostRule(about="", when=when, minutes=minutes and Decimal(minutes), rate="desk")

    return Cost(
        rates={"desk": CostRate(about="", per_minute=Decimal("0.80"), currency="EUR")},
        rules={
            "call": rule("type = 'case.reply' and channel = 'PHONE'"),
            "reply": rule("type = 'case.reply'", "8"),
            "read": rule("type in ('case.opened', 'case.comment')", "1.5"),
        },
    )


@pytest.mark.parametrize(
    ("type_", "channel", "seconds", "expected"),
    [
        pytest.param("case.reply", "EMAIL", None, ("reply", 640_000), id="fixed-minutes"),
        pytest.param("case.reply", "EMAIL", 10, ("reply", 640_000), id="fixed-minutes-whatever-was-measured"),
        pytest.param("case.reply", "PHONE", 600, ("call", 800_000), id="measured-and-the-first-rule"),
        pytest.param("case.reply", "PHONE", 1, ("call", 1_333), id="a-second-rounded"),
        pytest.param("case.reply", "PHONE", None, ("call", None), id="not-measured-is-unknown"),
        pytest.param("case.comment", "CHAT", None, ("read", 120_000), id="half-minutes"),
        pytest.param("visit.made", "WEB", 300, None, id="no-rule"),
    ],
)
def test_the_first_rule_that_holds_says_the_cost(
    store: Store, type_: str, channel: str, seconds: int | None, expected: tuple[str, int | None] | None
) -> None:
    with store.write() as connection:
        told = Told(connection)
        who = told.customer()
        touch = told.touch(who, type_, day(3), channel=channel, duration_s=seconds)
        told.touch(who, type_, day(9), channel=channel, duration_s=seconds)
        fill_batch(connection, [who])
        costs_to_serve(connection, _rules(), day(5))
        query = "SELECT entry_no, interaction_no, customer_no, rule, amount, kind, basis FROM entry"
        found = [tuple(row) for row in connection.execute(text(query))]
    assert found == ([] if expected is None else [(-touch, touch, who, *expected, "COST_TO_SERVE", "ESTIMATED")])


@pytest.mark.parametrize(
    ("change", "place", "what"),
    [
        pytest.param({"rate": "deks"}, ("rules", "r", "rate"), "`deks` is no rate; allowed: desk", id="unknown-rate"),
        pytest.param({"when": "typ = 'a.b'"}, ("rules", "r", "when"), "`typ` is unknown", id="unknown-name"),
        pytest.param({"when": "at > as_of - 3d"}, ("rules", "r", "when"), "as_of may not stand here", id="clock"),
        pytest.param({"when": "1; DROP TABLE entry"}, ("rules", "r", "when"), "`;` is not part", id="injection"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named(change: dict[str, str], place: tuple[str, ...], what: str) -> None:
    rule = {"about": "", "when": "type = 'a.b'", "minutes": "1", "rate": "desk"} | change
    ((found, message),) = check_cost(Cost.model_validate({"rates": _rules().rates, "rules": {"r": rule}}))
    assert found == place
    assert what in message


def test_a_currency_that_is_none_is_named() -> None:
    rates = {"desk": {"about": "", "per_minute": 1, "currency": "EURO"}}
    assert list(check_cost(Cost.model_validate({"rates": rates, "rules": {}}))) == [
        (("rates", "desk", "currency"), "`EURO` is no currency; did you mean `EUR`?")
    ]


def test_the_shipped_rules_are_fine(rulebook: Rulebook) -> None:
    assert list(check_cost(rulebook.cost)) == []
