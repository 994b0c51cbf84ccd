"""In: a source's way to write a number, a yes, an interval or money. Out: exact integers, never a float."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from mappings.currencies import DECIMALS, THOUSANDTHS
from mappings.values import UnfitError, decimal_of, kind_of, plain

LARGEST_AMOUNT = 10**17
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_INTERVAL = re.compile(r"(\d{1,4})?\s*(month|quarter|year)(?:s|ly)?", re.IGNORECASE)
_TRUE, _FALSE = {"true", "yes", "y", "1", "on"}, {"false", "no", "n", "0", "off"}


def currency(value: Any) -> str | None:
    """ISO 4217 code."""
    if value.__class__ is str and value.upper() in DECIMALS:
        return str(value.upper())
    code = (plain(value) or "").upper() or None
    if code is not None and code not in DECIMALS:
        raise UnfitError(
            f"`{code}` is no ISO 4217 currency" if len(code) <= 3 else "a text that is no ISO 4217 currency"
        )
    return code


def number(value: Any) -> int | None:
    """A whole number."""
    if value.__class__ is int:
        said = Decimal(value)
    elif value.__class__ is str and not value.strip():
        return None
    else:
        said = decimal_of(value, "a whole number")
    if said != said.to_integral_value() or abs(said) >= 2**63:
        raise UnfitError("a number that is not whole or too large")
    return int(said)


def ratio(value: Any) -> int | None:
    """A number in millionths: 0.25 is 250,000."""
    if value.__class__ is str and not value.strip():
        return None
    said = decimal_of(value, "a number")
    if abs(said) > 10**9:
        raise UnfitError("a ratio that is too large")
    return int((said * 1_000_000).to_integral_value(ROUND_HALF_EVEN))


def flag(value: Any) -> bool | None:
    """Yes or no: true and false, 1 and 0, yes and no."""
    said = (plain(value) or "").lower() or None
    if said is None or said in _TRUE or said in _FALSE:
        return None if said is None else said in _TRUE
    raise UnfitError(f"{kind_of(value)} that is neither yes nor no")


def months(value: Any) -> int | None:
    """Months of an interval: month 1, quarter 3, year 12, `3 months` 3; one not in months gives nothing."""
    found = _INTERVAL.fullmatch(plain(value) or "")
    return int(found[1] or 1) * _MONTHS[found[2].lower()] if found else None


def minor(value: Any, code: Any) -> int | None:
    """Thousandths of the minor unit, of an amount in minor units (cents, yen)."""
    _decimals(code)
    if value.__class__ is int and -LARGEST_AMOUNT < value * THOUSANDTHS < LARGEST_AMOUNT:
        return int(value) * THOUSANDTHS
    return _amount(value, 0)


def major(value: Any, code: Any) -> int | None:
    """Thousandths of the minor unit, of an amount in major units (euros, yen)."""
    return _amount(value, _decimals(code))


def times(amount: int | None, value: Any) -> int | None:
    """An amount times a whole number; nothing to multiply by leaves it as it is."""
    count = None if value is None else number(value)
    if amount is None or count is None:
        return amount
    return _bounded(Decimal(amount) * count)


def _decimals(code: Any) -> int:
    found = DECIMALS.get(code) if code.__class__ is str else None
    if found is None:
        said = None if code is None else currency(code)
        if said is None:
            raise UnfitError("an amount without a currency")
        found = DECIMALS[said]
    return found


def _amount(value: Any, places: int) -> int | None:
    if value.__class__ is str and not value.strip():
        return None
    return _bounded(decimal_of(value, "an amount").scaleb(places) * THOUSANDTHS)


def _bounded(thousandths: Decimal) -> int:
    if abs(thousandths) > LARGEST_AMOUNT:
        raise UnfitError("an amount that is too large")
    if thousandths != thousandths.to_integral_value():
        raise UnfitError("an amount with fractions below a thousandth of the minor unit")
    return int(thousandths)
