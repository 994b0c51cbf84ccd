"""JSON as SQL for SQLite. In: columns and expressions. Out: calls of its JSON functions.

They know JSON from a plain text by how it was made, also through a select within a statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Text, case, cast, func, literal_column, select
from sqlalchemy.types import TypeEngine

from hub.api.asked.selection import TYPE_NAME, Selected
from hub.api.plan.write import Sql, Writer, joined, number, quoted, whole_seconds, whole_units
from hub.api.render import LIST_CAP


class SqliteWriter(Writer):
    """JSON by JSON functions."""

    def text(self, column: Sql) -> Sql:
        return column

    def word(self, column: Sql) -> Sql:
        return column

    def whole(self, column: Sql) -> Sql:
        return column

    def flag(self, column: Sql) -> Sql:
        return func.json(case((column, quoted("true")), (~column, quoted("false"))))

    def instant(self, column: Sql) -> Sql:
        return func.strftime(quoted("%Y-%m-%dT%H:%M:%SZ"), whole_seconds(column), quoted("unixepoch"))

    def ratio(self, column: Sql) -> Sql:
        usual = column.op("/")(literal_column("1000000.0"))
        size = func.abs(column)
        digits = func.rtrim(func.printf(quoted("0.%06d"), size), quoted("0"))
        sign = case((column < number(0), quoted("-")), else_=quoted(""))
        tiny = case((size < number(10), joined(cast(column, Text), quoted("e-6"))), else_=joined(sign, digits))
        small = (size < number(100)) & (column != number(0))
        return case((small, func.json(tiny)), else_=usual)

    def constant(self, json: str) -> Sql:
        return func.json(quoted(json))

    def stored(self, selected: Selected, column: Sql) -> Sql:
        if not (fields := selected.below()):
            return func.json(column)
        items = func.json_each(column).table_valued("key", "value")
        pairs = [(child.key, self._within(selected, child, items.c.value)) for child in fields]
        query = select(self.listed(self.object(pairs))).where(items.c.key < number(LIST_CAP))
        return case((column.is_not(None), query.scalar_subquery()))

    def _within(self, selected: Selected, child: Selected, item: Sql) -> Sql:
        """A field of a stored object."""
        if child.name == TYPE_NAME:
            return self.word(quoted(selected.type_name))
        return self.as_is(child.type_name, func.json_extract(item, quoted(f"$.{child.name}")))

    def cursor(self, mark: str, values: Sequence[Sql]) -> Sql:
        if all(isinstance(value.type, Integer) for value in values):
            numbers = [part for value in values for part in (quoted("~"), func.ifnull(value, quoted("")))]
            return joined(quoted(mark), *numbers)
        return func.lower(func.hex(func.json_array(quoted(mark), *values)))

    def filled(self, json: Sql, missing: str) -> Sql:
        return json if missing == "null" else func.coalesce(json, func.json(quoted(missing)))

    def object(self, pairs: Sequence[tuple[str, Sql]]) -> Sql:
        return func.json_object(*(part for key, value in pairs for part in (quoted(key), value)))

    def array(self, *items: Sql) -> Sql:
        return func.json_array(*items)

    def listed(self, item: Sql, within: Sql | None = None) -> Sql:
        every = func.json_group_array(item)
        return every if within is None else every.filter(within)

    def items(self, stored: Sql) -> Any:
        return func.json_each(stored).table_valued("key", "value")

    def item(self, items: Any, place: int, kind: TypeEngine[Any]) -> Sql:
        return func.json_extract(items.c.value, quoted(f"$[{place}]"), type_=kind)

    def strung(self, text: Sql) -> Sql:
        return func.group_concat(text, quoted(","))

    def _hole(self, said: Sql) -> Sql:
        return joined(func.char(number(2)), said)

    def _decimal(self, amount: Sql, places: int) -> Sql:
        minor = whole_units(amount)
        if not places:
            return cast(minor, Text)
        size, unit = func.abs(minor), number(10**places)
        sign = case((minor < number(0), quoted("-")), else_=quoted(""))
        return func.printf(quoted(f"%s%d.%0{places}d"), sign, size.op("/")(unit), size.op("%")(unit))
