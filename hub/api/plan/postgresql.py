"""JSON as SQL for PostgreSQL. In: columns and expressions. Out: pieces of text, joined by concat().

Its JSON functions cost twice that, and joining with || copies the whole text at every piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, TIMESTAMP, Integer, Text, case, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql.elements import ExpressionClauseList
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import concat_op
from sqlalchemy.types import TypeEngine

from hub.api.asked.selection import TYPE_NAME, Selected
from hub.api.plan.write import (
    HOLE,
    MILLION,
    Sql,
    Writer,
    joined,
    json_of,
    merged,
    number,
    quoted,
    whole_seconds,
    whole_units,
)
from hub.api.render import LIST_CAP


class PostgresqlWriter(Writer):
    """JSON by joining texts."""

    def text(self, column: Sql) -> Sql:
        return column if isinstance(column.type, JSONB) else func.to_json(cast(column, Text))

    def word(self, column: Sql) -> Sql:
        if isinstance(column.type, JSONB):
            return column
        return joined(quoted('"'), column, quoted('"'))

    def whole(self, column: Sql) -> Sql:
        return cast(column, Text)

    def flag(self, column: Sql) -> Sql:
        return cast(column, Text)

    def instant(self, column: Sql) -> Sql:
        at = cast(func.to_timestamp(whole_seconds(column)), TIMESTAMP)  # of a session that lives in UTC
        return joined(quoted('"'), func.replace(cast(at, Text), quoted(" "), quoted("T")), quoted('Z"'))

    def ratio(self, column: Sql) -> Sql:
        whole = joined(cast(column.op("/")(number(MILLION)), Text), quoted(".0"))
        usual = cast(func.trim_scale(column.op("*")(literal_column("0.000001"))), Text)
        return _by_size(column, whole, joined(cast(column, Text), quoted("e-6")), usual)

    def constant(self, json: str) -> Sql:
        return quoted(json)

    def stored(self, selected: Selected, column: Sql) -> Sql:
        if not (fields := selected.below()):
            return column
        items = (
            func.json_array_elements(cast(column, JSON)).table_valued("value", with_ordinality="place").render_derived()
        )
        pairs = [(child.key, self._within(selected, child, items.c.value)) for child in fields]
        query = select(self.listed(self.object(pairs))).where(items.c.place <= number(LIST_CAP))
        return case((column.is_not(None), query.scalar_subquery()))

    def _within(self, selected: Selected, child: Selected, item: Sql) -> Sql:
        """A field of a stored object."""
        if child.name == TYPE_NAME:
            return self.word(quoted(selected.type_name))
        return self.filled(self.as_is(child.type_name, item.op("->>")(quoted(child.name))), "null")

    def cursor(self, mark: str, values: Sequence[Sql]) -> Sql:
        if all(isinstance(value.type, Integer) for value in values):  # concat() takes a null for nothing
            numbers = [part for value in values for part in (quoted("~"), value)]
            return pieces(quoted(f'"{mark}'), *numbers, quoted('"'))
        parts = [self.filled(json_of(value, self), "null") for value in values]
        said = self.array(quoted(f'"{mark}"'), *parts)
        return self.word(func.encode(func.convert_to(said, quoted("UTF8")), quoted("hex")))

    def filled(self, json: Sql, missing: str) -> Sql:
        return func.coalesce(json, quoted(missing))

    def object(self, pairs: Sequence[tuple[str, Sql]]) -> Sql:
        parts: list[Sql] = []
        for place, (key, value) in enumerate(pairs):
            parts += [quoted(f'{"," if place else "{"}"{key}":'), value]
        return pieces(*parts, quoted("}")) if parts else quoted("{}")

    def array(self, *items: Sql) -> Sql:
        parts = [part for item in items for part in (quoted(","), item)][1:]
        return pieces(quoted("["), *parts, quoted("]"))

    def listed(self, item: Sql, within: Sql | None = None) -> Sql:
        every = func.string_agg(cast(item, Text), quoted(","))
        return pieces(quoted("["), every if within is None else every.filter(within), quoted("]"))

    def nth(self, column: Sql, place: Sql) -> Sql:
        """The column in the row at a place, from 1: an aggregate."""
        listed: Any = func.array_agg(column, type_=ARRAY(column.type))
        nth: Sql = listed[place]
        return nth

    def response(self, roots: Sequence[tuple[str, Sql]]) -> Sql:
        return func.convert_to(super().response(roots), quoted("UTF8"))

    def items(self, stored: Sql) -> Any:
        return func.jsonb_array_elements(stored).table_valued("value").render_derived()

    def item(self, items: Any, place: int, kind: TypeEngine[Any]) -> Sql:
        value: Sql = items.c.value
        if isinstance(kind, Text):  # is JSON already
            return value.op("->", return_type=JSONB())(number(place))
        return cast(value.op("->>", return_type=Text())(number(place)), kind)

    def strung(self, text: Sql) -> Sql:
        return func.string_agg(text, quoted(","))

    def _hole(self, said: Sql) -> Sql:
        return joined(quoted(f'"{HOLE}'), said, quoted('"'))

    def _decimal(self, amount: Sql, places: int) -> Sql:
        minor = whole_units(amount)
        unit: Sql = literal_column(f"0.{'1'.zfill(places)}" if places else "1")
        return cast(minor.op("*")(unit), Text)


def pieces(*parts: Sql) -> Sql:
    """The pieces as one text, for PostgreSQL: a null is nothing, so whatever may be null has been filled."""
    flat: list[Sql] = []
    for part in parts:
        if isinstance(part, ExpressionClauseList) and part.operator is concat_op:
            flat += part.clauses
        else:
            flat += part.clauses if isinstance(part, FunctionElement) and part.name == "concat" else [part]
    return func.concat(*merged(flat), type_=Text())


def _by_size(column: Sql, whole: Sql, tiny: Sql, usual: Sql) -> Sql:
    """How a ratio is written: 2.0, 5e-6, 0.25."""
    is_whole = column.op("%")(number(MILLION)) == number(0)
    return case((is_whole, whole), (func.abs(column) < number(10), tiny), else_=usual)
