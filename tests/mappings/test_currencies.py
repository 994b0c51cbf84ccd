"""Decimals and rendering of amounts, by currency."""

from __future__ import annotations

import pytest

from mappings.converting.currencies import DECIMALS, decimals, render


@pytest.mark.parametrize(("code", "count"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_its_own_decimals(code: str, count: int) -> None:
    assert decimals(code) == count


@pytest.mark.parametrize(
    ("amount", "code", "shown"),
    [
        (120_050_000, "EUR", "1200.50"),
        (4_300_000, "JPY", "4300"),
        (1_234_000, "KWD", "1.234"),
        (5_000, "EUR", "0.05"),
        (-5_000, "EUR", "-0.05"),
        (0, "EUR", "0.00"),
        (2_500, "EUR", "0.02"),
        (3_500, "EUR", "0.04"),
        (-400, "EUR", "0.00"),
        (10**17, "EUR", "1000000000000.00"),
    ],
)
def test_an_amount_is_written_with_them_half_even(amount: int, code: str, shown: str) -> None:
    assert render(amount, code) == shown


def test_codes_are_three_capital_letters_and_none_is_unknown() -> None:
    assert all(len(code) == 3 and code.isupper() for code in DECIMALS)
    with pytest.raises(KeyError):
        decimals("XXX")
