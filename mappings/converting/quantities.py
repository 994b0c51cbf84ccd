"""In: a source's way to write a number, a yes, an interval or money. Out: exact integers, never a float."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from mappings.converting.currencies import DECIMALS, THOUSANDTHS
from mappings.values import UnfitError, decimal_of, kind_of, plain

LARGEST_AMOUNT = 10**17
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_INTERVAL = re.compile(r"(\d{1,4})?\s*(month|quarter|year)(?:s|ly)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,5}):([0-5]\d)(?::([0-5]\d))?")
_BETWEEN = "[ \u00a0\u2009\u202f'\u2019{}]"  # what may stand between groups of three digits
_WRITTEN = {
    mark: re.compile(
        rf"([+-]?)(\d{{1,3}}(?:({_BETWEEN.format(other)})\d{{3}}(?:\3\d{{3}})*)?|\d+)(?:{re.escape(mark)}(\d+))?",
        re.ASCII,
    )
    for mark, other in ((",", "."), (".", ","))
}
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


def written(value: Any, decimal: str) -> Any:
    """A number as people write it, `1.234,56` or `1,234.56`, as an exact text; what is no text stays as it is.

    `decimal` stands before the fraction; the other mark, a blank or an apostrophe may part groups of three digits.
    """
    if value.__class__ is not str or not value.strip():
        return value
    found = _WRITTEN[decimal].fullmatch(value.strip())
    if found is None or len(value) > 60:
        raise UnfitError(f"a text that is no number with `{decimal}` before its fraction")
    whole = re.sub(r"\D", "", found[2])
    return f"{found[1]}{whole}.{found[4] or '0'}"


def clock(value: Any) -> int | None:
    """Seconds of a length as a clock shows it: hours and minutes, maybe seconds (01:30 is 5400)."""
    said = plain(value)
    found = _CLOCK.fullmatch(said or "")
    if said is not None and found is None:
        raise UnfitError("a text that is no length of hours and minutes")
    return None if found is None else int(found[1]) * 3_600 + int(found[2]) * 60 + int(found[3] or 0)


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


def less(
    amount: int | None, unit: Callable[[Any, Any], int | None], code: Any, decimal: str | None, *taken: Any
) -> int | None:
    """An amount without others in the same unit; a list counts with all of its items, nothing counts as 0."""
    if amount is None:
        return None
    for found in taken:
        for value in found if found.__class__ is list else (found,):
            said = value if decimal is None else written(value, decimal)
            amount -= (None if said is None else unit(said, code)) or 0
    return _bounded(Decimal(amount))


def times(amount: int | None, value: Any) -> int | None:
    """An amount or a number times a whole number; nothing to multiply by leaves it as it is."""
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
