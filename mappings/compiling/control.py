"""In: a record and the stream's `reconcile` blocks. Out: what the record itself says the money is.

A path of its own on purpose: it shares neither generated code nor amount conversion with the mapping it controls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from mappings.conditions import Condition, conditions, hold
from mappings.converting.currencies import DECIMALS
from mappings.paths import UP, lists_of, steps_of, walk
from mappings.spec import Reconcile, Scalar, Value
from mappings.values import UnfitError

Scopes = tuple[Any, ...]  # an item, what it stands in, and so on up to the record


@dataclass(frozen=True, slots=True)
class Control:
    """A `reconcile` block with its conditions made ready."""

    block: Reconcile
    currency: Value
    checks: tuple[Condition, ...]
    nothing: tuple[Scalar, ...]

    @classmethod
    def of(cls, block: Reconcile, nothing: Sequence[Scalar] = ()) -> Control:
        """The control of a block; `nothing` is what the system writes where it has no value."""
        currency = block.currency if isinstance(block.currency, Value) else Value(path=block.currency)
        return cls(block, currency, conditions(block.when), tuple(nothing))


def controlled(record: Any, controls: tuple[Control, ...]) -> list[tuple[int, str, int]]:
    """(number of the block, currency, thousandths of the minor unit) for each block that has something to sum.

    A block sums one currency a record. Raises UnfitError where an amount or a currency cannot be read.
    """
    sums: list[tuple[int, str, int]] = []
    for number, control in enumerate(controls):
        by_currency: dict[str, Decimal] = {}
        for item in _items(record, control):
            amount = _amount(item, control)
            if amount is not None:
                currency, thousandths = amount
                by_currency[currency] = by_currency.get(currency, Decimal(0)) + thousandths
        if len(by_currency) > 1:
            raise UnfitError("control: several currencies in one record")
        sums += [(number, currency, int(total)) for currency, total in by_currency.items()]
    return sums


def _items(record: Any, control: Control) -> list[Scopes]:
    items: list[Scopes] = [(record,)]
    for path in lists_of(control.block.each):
        items = [(item, *around) for around in items for item in _listed(_at(around, path))]
    return [item for item in items if hold(control.checks, partial(_at, item))]


def _listed(found: Any) -> list[Any]:
    if found is not None and not isinstance(found, list):
        raise UnfitError("control: no list to sum over")
    return found or []


def _at(item: Scopes, path: str) -> Any:
    while len(item) > 1 and path.startswith(UP):
        item, path = item[1:], path.removeprefix(UP)
    return walk(item[0], steps_of(path))


def _amount(item: Scopes, control: Control) -> tuple[str, Decimal] | None:
    value = control.block.amount
    found = _first(item, value, control.nothing)
    if found is None:
        found = value.default
    if found is None:
        return None
    currency = _currency(item, control)
    places = 3 if value.minor is not None else 3 + DECIMALS[currency]
    amount = _exact(found, value)
    if value.times is not None:
        count = _at(item, value.times) if isinstance(value.times, str) else value.times
        amount *= 1 if count is None else _exact(count)
    for path in lists_of(value.minus):
        taken = _at(item, path)
        for said in taken if isinstance(taken, list) else [taken]:
            amount -= 0 if _is_nothing(said, control.nothing) else _exact(said, value)
    thousandths = amount.scaleb(places)
    if thousandths != thousandths.to_integral_value() or abs(thousandths) > 10**17:
        raise UnfitError("control: an amount that is too fine or too large")
    return currency, thousandths


def _first(item: Scopes, value: Value, nothing: Sequence[Scalar]) -> Any:
    if value.const is not None:
        return value.const
    for inner in [value.path] if value.path is not None else value.first or []:
        found = _first(item, inner, nothing) if isinstance(inner, Value) else _at(item, inner)
        if not _is_nothing(found, nothing):
            return found
    return None


def _is_nothing(found: Any, nothing: Sequence[Scalar]) -> bool:
    return found in (None, "") or any(found.__class__ is said.__class__ and found == said for said in nothing)


def _currency(item: Scopes, control: Control) -> str:
    said = _first(item, control.currency, control.nothing) or control.currency.default or ""
    code = str(said).strip().upper()
    if code not in DECIMALS:
        raise UnfitError("control: no ISO 4217 currency")
    return code


def _exact(found: Any, value: Value | None = None) -> Decimal:
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        raise UnfitError("control: no amount")
    if isinstance(found, int):
        return Decimal(found)
    text = str(found).strip()
    if isinstance(found, str) and value is not None and value.decimal is not None:
        text = "".join(text.replace("." if value.decimal == "," else ",", "").split())
        text = text.replace("'", "").replace("\u2019", "").replace(",", ".")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise UnfitError("control: letters in an amount") from None
    if not number.is_finite() or abs(number.adjusted()) > 40:
        raise UnfitError("control: no amount")
    return number
