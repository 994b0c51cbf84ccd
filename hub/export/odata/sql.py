"""Conditions and order as SQL. In: a tree of conditions, columns. Out: SQL whose values are all bound parameters.

Comparisons are those of OData, which knows no third truth value: null equals null only, and is less than nothing.
Amounts compare as integers, exactly, on both databases.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from sqlalchemy import TextClause, text

from hub.export.column import PLACES_OF_A_RATIO, PLACES_OF_A_THOUSANDTH, PLACES_OF_ANY_MONEY, USUAL_DECIMALS, As, Column
from hub.export.odata.filter import Comparison, Condition, Holds, Instant, Joined, Literal, Match, Not, OneOf
from hub.export.refusals import UnknownExport
from mappings.converting.currencies import DECIMALS

MOST = 2**63 - 1
SIGNS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
# What a value between two whole numbers is beside a whole number: the sign to compare its floor by.
BETWEEN = {"gt": ">", "ge": ">", "lt": "<=", "le": "<="}
TEXTS = (As.TEXT, As.WORD)
_MARKED = re.compile("\ue000(\\d+)\ue001")


class Binds:
    """The values of a statement. SQL is written with marks in their place, since a colon may stand in it."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def __call__(self, value: Any) -> str:
        """The mark that stands for the value."""
        self.values[f"v{len(self.values)}"] = value
        return f"\ue000{len(self.values) - 1}\ue001"

    def statement(self, sql: str) -> TextClause:
        """The SQL as a statement with those of the values bound that it has a mark for."""
        used = {f"v{number}" for number in _MARKED.findall(sql)}
        marked = _MARKED.sub(r":v\1", sql.replace(":", "\\:"))
        return text(marked).bindparams(**{name: value for name, value in self.values.items() if name in used})


def comparable(column: Column, dialect: str) -> str:
    """The column as text, whole number or flag, as it is compared and sorted; amounts need `sort_keys`."""
    match column.as_:
        case As.INSTANT:
            return f"({column.sql} / 1000000 * 1000000)"
        case As.TEXT | As.WORD if dialect == "postgresql":
            return f'CAST({column.sql} AS TEXT) COLLATE "C"'
    return f"({column.sql})"


def sort_keys(column: Column, dialect: str) -> list[str]:
    """The whole numbers or texts that sort as the column's shown values do."""
    if column.as_ is not As.MONEY:
        return [comparable(column, dialect)]
    whole = _by_places(column, lambda places: f"{column.sql} / {10**places}")
    rest = _by_places(column, lambda places: f"{column.sql} % {10**places} * {10 ** (PLACES_OF_ANY_MONEY - places)}")
    return [f"({whole})", f"({rest})"]


def where(condition: Condition, columns: Mapping[str, Column], dialect: str, binds: Binds) -> str:
    """The condition. Raises UnknownExport where a column is compared with what it never is."""
    match condition:
        case Not(inner):
            return f"NOT ({where(inner, columns, dialect, binds)})"
        case Joined(operator, left, right):
            sides = (where(side, columns, dialect, binds) for side in (left, right))
            return f" {operator.upper()} ".join(f"({side})" for side in sides)
        case OneOf(name, literals):
            each = (_compare(name, columns[name], "eq", literal, dialect, binds) for literal in literals)
            return " OR ".join(each)
        case Match(function, name, wanted):
            return _match(function, name, columns[name], wanted, dialect, binds)
        case Holds(name):
            return _compare(name, columns[name], "eq", True, dialect, binds)
        case Comparison(name, operator, literal):
            return _compare(name, columns[name], operator, literal, dialect, binds)


def _compare(name: str, column: Column, operator: str, literal: Literal, dialect: str, binds: Binds) -> str:
    shown = comparable(column, dialect)
    if literal is None:
        alone = {"eq": f"{shown} IS NULL", "ne": f"{shown} IS NOT NULL"}
        return alone.get(operator, "1 = 0")
    match column.as_, literal:
        case ((As.TEXT | As.WORD), str()):
            test = f"{shown} {SIGNS[operator]} {binds(literal)}"
        case As.FLAG, bool() if operator in ("eq", "ne"):
            test = f"{shown} {SIGNS[operator]} {'TRUE' if literal else 'FALSE'}"
        case As.INSTANT, Instant():
            test = f"{shown} {SIGNS[operator]} {binds(int(literal))}"
        case As.WHOLE, Decimal():
            test = _beside(shown, operator, literal, 0, binds)
        case As.RATIO, Decimal():
            test = _beside(shown, operator, literal, PLACES_OF_A_RATIO, binds)
        case As.MONEY, Decimal():
            test = _by_places(column, lambda places: f"({_beside(shown, operator, literal, places, binds)})")
        case _:
            raise UnknownExport(f"$filter: {name} is {_SAID[column.as_]} and cannot be compared so")
    return f"COALESCE({test}, {'TRUE' if operator == 'ne' else 'FALSE'})"


_SAID = {
    As.TEXT: "a text",
    As.WORD: "a text",
    As.WHOLE: "a number",
    As.FLAG: "true or false",
    As.INSTANT: "an instant",
    As.RATIO: "a number",
    As.MONEY: "a number",
}


def _beside(shown: str, operator: str, literal: Decimal, places: int, binds: Binds) -> str:
    """A whole number of 10^-places beside a decimal."""
    scaled = Fraction(literal) * 10**places
    whole = floor(scaled)
    bound = binds(max(-MOST, min(MOST, whole)))
    if whole == scaled and abs(whole) <= MOST:
        return f"{shown} {SIGNS[operator]} {bound}"
    if operator in ("eq", "ne"):
        return f"{shown} IS NULL AND {bound} IS NULL" if operator == "eq" else f"{bound} IS NOT NULL"
    return f"{shown} {BETWEEN[operator]} {bound}"


def _match(function: str, name: str, column: Column, wanted: str, dialect: str, binds: Binds) -> str:
    if column.as_ not in TEXTS:
        raise UnknownExport(f"$filter: {function}() looks into texts, {name} is {_SAID[column.as_]}")
    shown, mark, length = comparable(column, dialect), binds(wanted), len(wanted)
    match function:
        case "contains":
            return f"{'instr' if dialect == 'sqlite' else 'strpos'}({shown}, {mark}) > 0"
        case "startswith":
            return f"substr({shown}, 1, {length}) = {mark}"
    end = f"substr({shown}, -{length})" if dialect == "sqlite" else f"right({shown}, {length})"
    return f"{end} = {mark}" if wanted else f"{shown} IS NOT NULL AND {mark} = ''"


def _by_places(column: Column, of: Any) -> str:
    """An expression that depends on how many decimal places the currency's thousandths have."""
    others: defaultdict[int, list[str]] = defaultdict(list)
    for code, decimals in DECIMALS.items():
        if decimals != USUAL_DECIMALS:
            others[decimals + PLACES_OF_A_THOUSANDTH].append(f"'{code}'")
    cases = (f"WHEN {column.currency} IN ({', '.join(codes)}) THEN {of(places)}" for places, codes in others.items())
    return f"CASE {' '.join(cases)} ELSE {of(USUAL_DECIMALS + PLACES_OF_A_THOUSANDTH)} END"


def beyond(keys: Sequence[tuple[str, bool]], last: Sequence[Any], binds: Binds) -> str:
    """The rows behind one whose sort keys are `last`. Each key says whether it descends; null is the least."""
    tests, same = [], ["1 = 1"]
    for (key, descends), value in zip(keys, last, strict=True):
        further = _further(key, descends, value, binds)
        if further is not None:
            tests.append(f"({' AND '.join([*same, further])})")
        same.append(f"{key} IS NULL" if value is None else f"{key} = {binds(value)}")
    return f"({' OR '.join(tests)})"


def _further(key: str, descends: bool, value: Any, binds: Binds) -> str | None:
    if value is None:
        return None if descends else f"{key} IS NOT NULL"
    if descends:
        return f"({key} < {binds(value)} OR {key} IS NULL)"
    return f"{key} > {binds(value)}"
