"""In: a record and the stream's `reconcile` blocks. Out: what the record itself says the money is.

A path of its own on purpose: it shares neither generated code nor amount conversion with the mapping it controls.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from mappings.conditions import Check, condition, same
from mappings.currencies import DECIMALS
from mappings.paths import steps_of, walk
from mappings.spec import Reconcile, Test, Value
from mappings.values import UnfitError


@dataclass(frozen=True, slots=True)
class Control:
    """A `reconcile` block with its conditions made ready."""

    block: Reconcile
    currency: Value
    checks: tuple[tuple[str, Check, Any], ...]

    @classmethod
    def of(cls, block: Reconcile) -> Control:
        """The control of a block."""
        currency = block.currency if isinstance(block.currency, Value) else Value(path=block.currency)
        checks = tuple((path, condition(said, "*" in path), said) for path, said in (block.when or {}).items())
        return cls(block, currency, checks)


def controlled(record: Any, controls: tuple[Control, ...]) -> list[tuple[int, str, int]]:
    """(number of the block, currency, thousandths of the minor unit) for each block that has something to sum.

    A block sums one currency a record. Raises UnfitError where an amount or a currency cannot be read.
    """
    sums: list[tuple[int, str, int]] = []
    for number, control in enumerate(controls):
        by_currency: dict[str, Decimal] = {}
        for item in _items(record, control):
            amount = _amount(item, record, control)
            if amount is not None:
                currency, thousandths = amount
                by_currency[currency] = by_currency.get(currency, Decimal(0)) + thousandths
        if len(by_currency) > 1:
            raise UnfitError("control: several currencies in one record")
        sums += [(number, currency, int(total)) for currency, total in by_currency.items()]
    return sums


def _items(record: Any, control: Control) -> list[Any]:
    each = control.block.each
    found = [record] if each is None else walk(record, steps_of(each))
    if found is None:
        return []
    if not isinstance(found, list):
        raise UnfitError("control: no list to sum over")
    return [item for item in found if _holds(item, record, control)]


def _holds(item: Any, record: Any, control: Control) -> bool:
    for path, check, said in control.checks:
        found = _at(item, record, path, control.block)
        if not check(found):
            return False
        if isinstance(said, Test):
            if said.same_as is not None and not same(found, _at(item, record, said.same_as, control.block)):
                return False
            if said.other_than is not None and same(found, _at(item, record, said.other_than, control.block)):
                return False
    return True


def _at(item: Any, record: Any, path: str, block: Reconcile) -> Any:
    if block.each is not None and path.startswith("parent."):
        return walk(record, steps_of(path.removeprefix("parent.")))
    return walk(item, steps_of(path))


def _amount(item: Any, record: Any, control: Control) -> tuple[str, Decimal] | None:
    block, value = control.block, control.block.amount
    found = _first(item, record, value, block)
    if found is None or found == "":
        found = value.default
    if found is None:
        return None
    currency = _currency(item, record, control)
    places = 3 if value.minor is not None else 3 + DECIMALS[currency]
    thousandths = _exact(found).scaleb(places)
    if value.times is not None and (count := _at(item, record, value.times, block)) is not None:
        thousandths *= _exact(count)
    if thousandths != thousandths.to_integral_value() or abs(thousandths) > 10**17:
        raise UnfitError("control: an amount that is too fine or too large")
    return currency, thousandths


def _first(item: Any, record: Any, value: Value, block: Reconcile) -> Any:
    if value.const is not None:
        return value.const
    for inner in [value.path] if value.path is not None else value.first or []:
        found = _first(item, record, inner, block) if isinstance(inner, Value) else _at(item, record, inner, block)
        if found not in (None, ""):
            return found
    return None


def _currency(item: Any, record: Any, control: Control) -> str:
    code = str(_first(item, record, control.currency, control.block) or control.currency.default or "").strip().upper()
    if code not in DECIMALS:
        raise UnfitError("control: no ISO 4217 currency")
    return code


def _exact(found: Any) -> Decimal:
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        raise UnfitError("control: no amount")
    if isinstance(found, int):
        return Decimal(found)
    try:
        number = Decimal(str(found).strip())
    except InvalidOperation:
        raise UnfitError("control: letters in an amount") from None
    if not number.is_finite() or abs(number.adjusted()) > 40:
        raise UnfitError("control: no amount")
    return number
