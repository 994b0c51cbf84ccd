"""JSON as SQL. In: columns and expressions. Out: expressions whose value is the JSON of them, for either database.

What is null stays null until `filled` says how a missing value is written. Enums and ids are written as they stand:
their texts are ours and hold nothing that JSON would escape.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Text,
    case,
    cast,
    func,
    literal_column,
    null,
)
from sqlalchemy.sql.elements import ColumnClause, ExpressionClauseList, Grouping
from sqlalchemy.sql.operators import concat_op
from sqlalchemy.types import TypeEngine

from hub.api.asked.selection import TYPE_NAME, Selected
from hub.api.scope import Scope
from mappings.converting.currencies import DECIMALS

Sql = ColumnElement[Any]

MISSING = '"\\u0001"'  # the JSON of a text that nobody writes: null, where the schema allows none
HOLE = "\\u0002"  # how JSON writes the sign that a hole begins with
SAFE_TYPES = ("ID",)  # besides enums: texts of ours
MILLION = 1_000_000


@dataclass(frozen=True)
class Hole:
    """A value that only Python can finish: money in another currency, at a dated rate. `keys` are answer key, field."""

    scope: Scope
    keys: tuple[tuple[str, str], ...]


@dataclass
class Writer(ABC):
    """What both databases share. One a plan: it collects the plan's holes."""

    safe: Callable[[str], bool]
    holes: list[Hole] = field(default_factory=list)
    token: str = field(default_factory=lambda: token_hex(6))

    def chosen(self, column: Sql, words: Mapping[str, str | None]) -> Sql:
        """What a table says about a word."""
        known = {word: text for word, text in words.items() if text is not None}
        if not known:
            return null()
        return self.text(case({word: quoted(text) for word, text in known.items()}, value=column))

    def named(self, prefix: str, column: Sql) -> Sql:
        """A number behind a prefix."""
        return self.word(joined(quoted(f"{prefix}_"), cast(column, Text)))

    def money(self, selected: Selected, amount: Sql, currency: str) -> Sql:
        """The Money of an amount in one currency."""
        return self._money(selected, amount, self._decimal(amount, DECIMALS[currency]), quoted(currency))

    def own_money(self, selected: Selected, amount: Sql, currency: Sql) -> Sql:
        """The Money of an amount in the currency that a column names."""
        codes = {places: [c for c, n in DECIMALS.items() if n == places] for places in set(DECIMALS.values()) - {2}}
        odd = [(currency.in_(codes[places]), self._decimal(amount, places)) for places in sorted(codes)]
        text = case(*odd, else_=self._decimal(amount, 2))
        known = case((currency.is_not(None), amount))
        return self._money(selected, known, text, currency)

    def _money(self, selected: Selected, amount: Sql, text: Sql, currency: Sql) -> Sql:
        parts = {"amount": self.word(text), "currency": self.word(currency), TYPE_NAME: self.word(quoted("Money"))}
        pairs = [(child.key, parts[child.name]) for child in selected.below()]
        return case((amount.is_not(None), self.object(pairs)))

    def hole(self, scope: Scope, selected: Selected, amount: Sql, currency: Sql, at: Sql) -> Sql:
        """A text that `finish` replaces by the Money of an amount in the scope's currency; null where one is null."""
        self.holes.append(Hole(scope, tuple((child.key, child.name) for child in selected.below())))
        bar, begin = quoted("|"), quoted(f"{self.token}|{len(self.holes) - 1}|")
        return self._hole(joined(begin, cast(amount, Text), bar, currency, bar, cast(at, Text)))

    def as_is(self, type_name: str, column: Sql) -> Sql:
        """A value of a scalar type or enum."""
        match type_name:
            case "Int":
                return self.whole(column)
            case "Boolean":
                return self.flag(column)
            case "Float":
                raise NotImplementedError("a Float is rendered as a ratio")
        return self.word(column) if type_name in SAFE_TYPES or self.safe(type_name) else self.text(column)

    # what each database says in its own way
    @abstractmethod
    def text(self, column: Sql) -> Sql:
        """Any text."""

    @abstractmethod
    def word(self, column: Sql) -> Sql:
        """A text that holds nothing that JSON would escape."""

    @abstractmethod
    def whole(self, column: Sql) -> Sql:
        """An integer."""

    @abstractmethod
    def flag(self, column: Sql) -> Sql:
        """A boolean."""

    @abstractmethod
    def instant(self, column: Sql) -> Sql:
        """Microseconds as an instant, as render.instant says it."""

    @abstractmethod
    def ratio(self, column: Sql) -> Sql:
        """Millionths as a decimal, as the JSON encoder writes a float."""

    @abstractmethod
    def constant(self, json: str) -> Sql:
        """JSON of ours."""

    @abstractmethod
    def stored(self, selected: Selected, column: Sql) -> Sql:
        """A stored list: as it is, or the selected fields of its objects."""

    @abstractmethod
    def cursor(self, mark: str, values: Sequence[Sql]) -> Sql:
        """The cursor of a row, as pages.write_cursor writes it."""

    @abstractmethod
    def filled(self, json: Sql, missing: str) -> Sql:
        """The JSON, or other JSON where it is null."""

    @abstractmethod
    def object(self, pairs: Sequence[tuple[str, Sql]]) -> Sql:
        """An object by keys; every value is filled."""

    @abstractmethod
    def array(self, *items: Sql) -> Sql:
        """A list of so many items."""

    @abstractmethod
    def listed(self, item: Sql, within: Sql | None = None) -> Sql:
        """The list of the items of all rows, or of those for which a condition holds: an aggregate."""

    @abstractmethod
    def items(self, stored: Sql) -> Any:
        """The rows of a stored list of lists, to select from; they come in the order of the list."""

    @abstractmethod
    def item(self, items: Any, place: int, kind: TypeEngine[Any]) -> Sql:
        """What stands at a place, from 0, of a stored row."""

    @abstractmethod
    def strung(self, text: Sql) -> Sql:
        """The texts of all rows with commas between them; null where there are none: an aggregate."""

    def response(self, roots: Sequence[tuple[str, Sql]]) -> Sql:
        """The response with its root fields, whose JSON is plain text by now."""
        parts = [p for i, (key, json) in enumerate(roots) for p in (quoted(f'{"," if i else ""}"{key}":'), json)]
        return joined(quoted('{"data":{'), *parts, quoted("}}"))

    @abstractmethod
    def _hole(self, said: Sql) -> Sql:
        """JSON of a text that begins with a sign that no stored token follows."""

    @abstractmethod
    def _decimal(self, amount: Sql, places: int) -> Sql:
        """An amount in thousandths of the minor unit as a decimal, half-even, as `currencies.render` says it."""


def quoted(text: str) -> Sql:
    """A text of ours as an SQL literal."""
    return literal_column("'" + text.replace("'", "''") + "'", Text())


def merged(parts: Sequence[Sql]) -> list[Sql]:
    """The parts, literals beside each other as one: one costs the database less than two."""
    some: list[Any] = []
    for part in parts:
        if some and _is_quoted(some[-1]) and _is_quoted(part):
            some[-1] = literal_column(some[-1].name[:-1] + str(part)[1:], Text())
        else:
            some.append(part)
    return some


def _is_quoted(part: Sql) -> bool:
    return isinstance(part, ColumnClause) and part.is_literal and part.name.startswith("'")


def number(value: int) -> Sql:
    """A number of ours as an SQL literal."""
    return literal_column(str(value), Integer())


def joined(*texts: Sql) -> Sql:
    """Texts, one behind the other; null where one is."""
    flat = [part for text in texts for part in (text if isinstance(text, ExpressionClauseList) else (text,))]
    parts = merged(flat)
    return ExpressionClauseList(concat_op, *parts, type_=Text()) if len(parts) > 1 else parts[0]


def json_of(value: Sql, writer: Writer) -> Sql:
    """The JSON of a column, as its type wants it."""
    match value.type:
        case Boolean():
            return writer.flag(value)
        case Integer():
            return writer.whole(value)
    return writer.text(value)


def whole_seconds(micros: Sql) -> Sql:
    """Cut off towards the past; both databases divide towards 0."""
    cut = case((micros < number(0), micros.op("-")(number(MILLION - 1))), else_=micros)
    return cut.op("/")(number(MILLION))


def whole_units(amount: Sql) -> Sql:
    """Thousandths as whole units, halves to the even neighbour; both databases divide towards 0."""
    size, thousand = func.abs(amount), number(1_000)
    odd = size.op("/")(thousand).op("%")(number(2))
    whole = Grouping(size.op("+")(number(499)).op("+")(odd)).op("/")(thousand)
    return case((amount < number(0), number(0).op("-")(whole)), else_=whole)
