"""Conversion and allocation, against amounts worked out by hand and against fractions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.insight.money import Rates, allocate, half_even
from mappings.rulebook import Company

RATES = {
    "USD": {date(2025, 1, 1): Decimal("0.92"), date(2025, 3, 1): Decimal("0.95")},
    "GBP": {date(2025, 1, 1): Decimal("1.18")},
    "JPY": {date(2025, 1, 1): Decimal("0.0061")},
    "KWD": {date(2025, 1, 1): Decimal("3.05")},
}
COMPANY = Company(
    name="Test",
    reporting_currency="EUR",
    currencies=["EUR", "USD"],
    time_zone="Europe/Berlin",
    region="DE",
    language="de",
    sources={},
    rates=RATES,
)  # fmt: skip


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


MAY, BEFORE = at("2025-05-05T10:00"), at("2024-12-31T22:59:59")


@pytest.mark.parametrize(
    ("amount", "currency", "to", "when", "expected"),
    [
        pytest.param(100_000, "EUR", "EUR", MAY, 100_000, id="itself"),
        pytest.param(100_000, "XAF", "XAF", MAY, 100_000, id="itself-without-any-rate"),
        pytest.param(100_000, "USD", "EUR", MAY, 95_000, id="a-dollar"),
        pytest.param(100_000, "EUR", "GBP", MAY, 84_746, id="a-euro-in-pounds-84.7457"),
        pytest.param(100_000, "USD", "GBP", MAY, 80_508, id="crossed-through-the-euro-80.5084"),
        pytest.param(1_000_000, "JPY", "EUR", MAY, 610_000, id="1000-yen-are-6.10-euro"),
        pytest.param(610_000, "EUR", "JPY", MAY, 1_000_000, id="6.10-euro-are-1000-yen"),
        pytest.param(1_000_000, "KWD", "EUR", MAY, 305_000, id="1-dinar-is-3.05-euro"),
        pytest.param(305_000, "EUR", "KWD", MAY, 1_000_000, id="3.05-euro-are-1-dinar"),
        pytest.param(-100_000, "USD", "EUR", MAY, -95_000, id="negative"),
        pytest.param(10**17, "USD", "EUR", MAY, 95 * 10**15, id="the-largest-entry"),
        pytest.param(50, "USD", "EUR", at("2025-02-01T00:00"), 46, id="46.0"),
        pytest.param(25, "KWD", "EUR", MAY, 8, id="7.625-up"),
        pytest.param(10, "USD", "EUR", MAY, 10, id="9.5-to-the-even-10"),
        pytest.param(30, "USD", "EUR", MAY, 28, id="28.5-to-the-even-28"),
        pytest.param(1_000, "CHF", "EUR", MAY, None, id="no-rate-at-all"),
        pytest.param(1_000, "EUR", "CHF", MAY, None, id="no-rate-to-it"),
        pytest.param(1_000, "USD", "EUR", BEFORE, None, id="before-the-first-rate"),
        pytest.param(1_000, "EUR", "EUR", BEFORE, 1_000, id="itself-before-the-first-rate"),
    ],
)
def test_an_amount_in_another_currency(amount: int, currency: str, to: str, when: int, expected: int | None) -> None:
    assert Rates(COMPANY).convert(amount, currency, to, when) == expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2025-02-28T22:59:59", "0.92"),
        ("2025-02-28T23:00:00", "0.95"),
        ("2024-12-31T22:59:59", None),
        ("2024-12-31T23:00:00", "0.92"),
    ],
)
def test_a_rate_begins_at_midnight_where_the_company_is(when: str, expected: str | None) -> None:
    assert Rates(COMPANY).rate("USD", "EUR", at(when)) == (None if expected is None else Decimal(expected))


def test_a_rate_that_is_a_quotient_is_shown_with_twelve_digits() -> None:
    assert Rates(COMPANY).rate("USD", "GBP", MAY) == Decimal("0.805084745763")


@given(st.integers(-(10**17), 10**17), st.sampled_from(["USD", "GBP", "EUR"]))
def test_conversion_is_the_exact_quotient_rounded_half_even(amount: int, to: str) -> None:
    rates = {"EUR": Fraction(1), "USD": Fraction(95, 100), "GBP": Fraction(118, 100)}
    assert Rates(COMPANY).convert(amount, "USD", to, MAY) == round(amount * rates["USD"] / rates[to])


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**12))
def test_half_even_is_what_fractions_do(numerator: int, denominator: int) -> None:
    assert half_even(numerator, denominator) == round(Fraction(numerator, denominator))


@given(st.integers(-(10**17), 10**17), st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any))
def test_allocated_parts_add_up_and_are_within_one_unit_of_their_share(amount: int, weights: list[int]) -> None:
    parts = allocate(amount, weights)
    assert sum(parts) == amount
    assert all(abs(part - Fraction(amount * w, sum(weights))) < 1 for part, w in zip(parts, weights, strict=True))


@pytest.mark.parametrize(
    ("amount", "weights", "expected"),
    [
        pytest.param(100, [1, 1, 1], [34, 33, 33], id="ties-to-the-first"),
        pytest.param(-100, [1, 1, 1], [-34, -33, -33], id="negative-mirrors"),
        pytest.param(10, [1, 0, 2], [3, 0, 7], id="largest-remainder"),
        pytest.param(0, [5], [0], id="nothing"),
    ],
)
def test_allocation_by_hand(amount: int, weights: list[int], expected: list[int]) -> None:
    assert allocate(amount, weights) == expected


@pytest.mark.parametrize("weights", [[0, 0], [1, -1, 2], [-1]], ids=["all-zero", "negative", "only-negative"])
def test_weights_that_say_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        allocate(1, weights)
