"""Where the rows of a level come from. In: a relation and the parent's columns. Out: a select of one parent's rows.

The select has what the rows are read for as columns c0, c1 … and, where asked, their sort values as o0, o1 …
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import FromClause, Select, func, or_, select, union_all
from sqlalchemy.sql.util import ClauseAdapter

from hub.api.asked.selection import Selected
from hub.api.declare import Kept, Order, Relation, Rows
from hub.api.plan.shown import Name, sort_values
from hub.api.plan.write import Sql, Writer, number
from hub.api.read.pages import Page, keyed, order_by
from hub.api.read.reader import seen


@dataclass(frozen=True)
class _Way:
    """One way of a relation: where its rows stand, how columns are read there, and what must hold."""

    source: FromClause
    read: Callable[[Sql], Sql]
    where: list[Sql]


@dataclass(frozen=True)
class Source:
    """The tables of a relation. `gates` are columns of the parent that say whether there are rows by each way."""

    relation: Relation
    selected: Selected
    parents: tuple[Sql, ...]
    name: Name
    gates: tuple[Sql | None, ...] = ()

    def found(self, rows: Rows, columns: Sequence[Sql], page: Page, carried: bool = False) -> Select[Any]:
        """The rows of a page, in order; from the end, the last one first."""
        places = range(len(self.relation.child))
        several = len(places) > 1
        ways = [self._found(rows, place, columns, page, carried or several) for place in places]
        if not several:
            return ways[0]
        every = union_all(*(select(way.subquery(self.name("w"))) for way in ways)).subquery(self.name("u"))
        orders = sort_values(keyed(self.relation.order, rows.key), every)
        return select(every).order_by(*order_by(_directed(orders, page))).limit(page.size)

    def count(self, rows: Rows) -> Sql:
        """How many rows there are on all pages."""
        counts = []
        for place in range(len(self.relation.child)):
            way = self._way(rows, place)
            query = self._correlated(select(func.count()).select_from(way.source).where(*way.where))
            counts.append(query.scalar_subquery())
        total: Sql = counts[0]
        for count in counts[1:]:
            total = total.op("+")(count)
        return total

    def _found(self, rows: Rows, place: int, columns: Sequence[Sql], page: Page, carried: bool) -> Select[Any]:
        way = self._way(rows, place)
        orders = [replace(order, column=way.read(order.column)) for order in keyed(self.relation.order, rows.key)]
        named: list[Sql] = [way.read(column).label(f"c{i}") for i, column in enumerate(columns)]
        sorts = [order.column.label(f"o{i}") for i, order in enumerate(orders)] if carried else []
        query = select(*(named + sorts or [number(1)])).select_from(way.source).where(*way.where, *page.within(orders))
        if self.relation.shape != "one":
            query = query.order_by(*order_by(_directed(orders, page)))
        return self._correlated(query.limit(page.size))

    def _way(self, rows: Rows, place: int) -> _Way:
        """The rows that belong by one of the relation's ways, without those that belong by an earlier one."""
        alias = rows.table.alias(self.name("t"))
        adapters, source = [ClauseAdapter(alias)], alias
        if self.relation.through is not None:
            between = self.relation.through[0].alias(self.name("t"))
            adapters.append(ClauseAdapter(between))

        def read(column: Sql) -> Sql:
            for adapter in adapters:
                column = adapter.traverse(column)
            return column

        standing: FromClause = source
        if self.relation.through is not None:
            standing = alias.join(between, read(self.relation.through[1]))
        return _Way(standing, read, self._where(rows, place, read))

    def _where(self, rows: Rows, place: int, read: Callable[[Sql], Sql]) -> list[Sql]:
        selected, relation = self.selected, self.relation
        own = zip(relation.child[place], self.parents, strict=True)
        where = [read(column) == parent for column, parent in own]
        where += [read(condition) for condition in relation.where(selected.scope, selected.given)]
        where += [read(condition) for condition in seen(rows, selected.scope.sight)]
        where += [gate for gate in self.gates[place : place + 1] if gate is not None]
        for earlier in relation.child[:place]:
            pairs = zip(map(read, earlier), self.parents, strict=True)
            where.append(or_(*(column.is_distinct_from(parent) for column, parent in pairs)))
        return where

    def _correlated(self, query: Select[Any]) -> Select[Any]:
        tables: list[Any] = [parent.table for parent in self.parents]
        return query.correlate(*tables)


@dataclass(frozen=True)
class KeptSource:
    """What the parent's own row keeps of a relation."""

    relation: Relation
    kept: Kept
    stored: Sql
    writer: Writer

    def found(self, rows: Rows, columns: Sequence[Sql], page: Page, carried: bool = False) -> Select[Any]:
        """The first rows, in order."""
        items = self.writer.items(self.stored)
        read = {column: self.writer.item(items, i, column.type) for i, column in enumerate(self.kept.columns)}
        named: list[Sql] = [read[column].label(f"c{i}") for i, column in enumerate(columns)]
        orders = keyed(self.relation.order, rows.key) if carried else ()
        sorts = [read[order.column].label(f"o{i}") for i, order in enumerate(orders)]
        table: Any = self.stored.table
        return select(*(named + sorts or [number(1)])).select_from(items).limit(page.size).correlate(table)


def _directed(orders: Sequence[Order], page: Page) -> list[Order]:
    return [order.reversed for order in orders] if page.backward else list(orders)
