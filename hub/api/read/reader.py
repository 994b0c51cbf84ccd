"""Reads related rows. In: declarations, a connection, a selection. Out: answers; one statement a relation of a level.

A statement finds the rows of all parents together: a pool of keys and sort values, cut to a page within each parent,
and only for what remains the columns that the selection needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Table,
    and_,
    func,
    select,
    union_all,
)

from hub.access.sight import Sight
from hub.api.asked.selection import Selected
from hub.api.declare import Computed, Listed, One, Order, Relation, Rows, Sought
from hub.api.errors import ApiError
from hub.api.read.pages import Page, comparable, keyed, order_by, page_of, write_cursor
from hub.api.read.shape import Answer, Declarations, Picked, hidden, nothing, project, shape_of
from hub.api.render import LIST_CAP
from hub.api.scope import House
from hub.store.bulk import among

TYPE_MARK = ":type"  # where an answered row says its type; no response key can be this
AMBIGUOUS_SHOWN = 20

Keys = Sequence[tuple[Any, ...]]
Seen = dict[str, set[int]]  # numbers of customers by root field
Columns = Sequence[ColumnElement[Any]]


@dataclass(frozen=True)
class Found:
    """Rows of a statement, the sort values of each, and the places of each parent's rows in order."""

    rows: Sequence[Sequence[Any]]
    sorts: Sequence[tuple[Any, ...]]
    places: Mapping[tuple[Any, ...], list[int]]


@dataclass(frozen=True)
class Reader:
    """Reads one operation over one connection: one snapshot, in the thread that calls it."""

    connection: Connection
    house: House
    declarations: Declarations
    seen: Seen = field(default_factory=dict)
    """The customers of the rows that root fields read, for the audit log."""

    def rows(self, selected: Selected, type_name: str, *where: ColumnElement[bool], most: int = 1) -> list[Answer]:
        """The first rows of a type for which conditions hold, in the order of their keys."""
        rows, picked = self.declarations.rows(type_name), Picked()
        shape = shape_of(self.declarations, type_name, selected.below(type_name), picked)
        owner = picked.add(rows.owners)
        columns = picked.columns or rows.key
        query = select(*columns).select_from(rows.table).where(*where, *seen(rows, selected.scope.sight))
        query = query.order_by(*rows.key).limit(most)
        found = self.connection.execute(query).all()
        self._note(selected, owner, found)
        return shape.answers(found, self.follow)

    def _note(self, selected: Selected, owner: tuple[int, ...], rows: Sequence[Sequence[Any]]) -> None:
        if customers := {row[place] for place in owner for row in rows} - {None}:
            self.seen.setdefault(selected.name, set()).update(customers)

    def root(self, selected: Selected) -> Any:
        """The answer of a field of Query. Raises ApiError."""
        if hidden("Query", selected):
            return nothing(selected)
        match self.declarations.of("Query", selected.name):
            case Listed(relation):
                return self.follow(relation(selected), selected, [()])[0]
            case One(seek):
                sought = seek(self.declarations, selected)
                return None if sought is None else self._one(selected, sought)
            case Computed(answer):
                return answer(self, selected)
        raise LookupError(f"Query.{selected.name} declares nothing")

    def _one(self, selected: Selected, sought: Sought) -> Answer | None:
        found = self.rows(selected, sought.type_name, *sought.where, most=2 if sought.by else 1)
        if len(found) > 1:
            raise self._ambiguous(selected, sought)
        return {**found[0], TYPE_MARK: sought.type_name} if found else None

    def _ambiguous(self, selected: Selected, sought: Sought) -> ApiError:
        rows = self.declarations.rows(sought.type_name)
        card, where = rows.table.c, (*sought.where, *seen(rows, selected.scope.sight))
        query = select(card.public_id).where(*where).order_by(comparable(card.public_id))
        ids = list(self.connection.execute(query.limit(AMBIGUOUS_SHOWN)).scalars())
        said = f"by.{sought.by}: belongs to several customers; ask for one of extensions.customerIds by its id"
        return ApiError("AMBIGUOUS", said, customerIds=ids)

    def follow(self, relation: Relation, selected: Selected, keys: Keys) -> Sequence[Any]:
        """The answer of a relation for each parent key, in their order."""
        if relation.shape == "values":
            return self._values(relation, keys)
        if relation.shape == "connection":
            return self._connection(relation, selected, keys)
        rows, picked = self.declarations.rows(selected.type_name), Picked()
        shape = shape_of(self.declarations, selected.type_name, selected.below(), picked)
        owner = picked.add(() if relation.parent else rows.owners)
        pool = _Pool(self, relation, selected, rows, keys, picked.columns)
        found = pool.find(Page(LIST_CAP if relation.shape == "list" else 1, None, None, backward=False))
        self._note(selected, owner, found.rows)
        answers = shape.answers(found.rows, self.follow)
        lists = [[answers[place] for place in found.places.get(key, ())] for key in keys]
        return lists if relation.shape == "list" else [items[0] if items else None for items in lists]

    def _values(self, relation: Relation, keys: Keys) -> list[list[Any]]:
        value, parent = relation.order[0].column, relation.child[0]
        wanted = _among(self.connection, parent[0], keys)
        lists: dict[tuple[Any, ...], list[Any]] = {}
        for item, *owner in self.connection.execute(select(value, *parent).where(wanted).order_by(comparable(value))):
            lists.setdefault(tuple(owner), []).append(item)
        return [lists.get(key, [])[:LIST_CAP] for key in keys]

    def _connection(self, relation: Relation, selected: Selected, keys: Keys) -> list[Answer]:
        page = page_of(selected.given)
        type_name, picked = selected.type_name.removesuffix("Connection"), Picked()
        shapes = {
            (edges.key, node.key): shape_of(self.declarations, type_name, node.below(), picked)
            for edges in selected.only("edges")
            for node in edges.only("node")
        }
        rows = self.declarations.rows(type_name)
        owner = picked.add(() if relation.parent else rows.owners)
        pool = _Pool(self, relation, selected, rows, keys, picked.columns)
        found = pool.find(page, more=1)
        self._note(selected, owner, [found.rows[p] for places in found.places.values() for p in places[: page.size]])
        nodes = {place: shape.answers(found.rows, self.follow) for place, shape in shapes.items()}
        counts = pool.counts() if selected.only("totalCount") else {}
        cursors = [write_cursor(pool.orders, sort) for sort in found.sorts]
        return [_page(selected, found.places.get(key, []), page, nodes, cursors, counts.get(key, 0)) for key in keys]


class _Pool:
    """The rows of all parents, before they are cut to a page."""

    def __init__(
        self, reader: Reader, relation: Relation, selected: Selected, rows: Rows, keys: Keys, columns: Columns
    ) -> None:
        self._connection, self._rows, self._columns = reader.connection, rows, columns
        self._single = len(keys) == 1
        self.orders = keyed(relation.order, rows.key)
        # A select would run twice if its columns were read afterwards, so they come along.
        self._along = () if isinstance(rows.table, Table) else tuple(columns)
        ways = [self._way(reader, relation, selected, place, keys) for place in range(len(relation.child))]
        self._all: Subquery = (union_all(*ways) if len(ways) > 1 else ways[0]).subquery("pool")
        self._width = len(relation.child[0])

    def _way(self, reader: Reader, relation: Relation, selected: Selected, place: int, keys: Keys) -> Select[Any]:
        """The rows that belong by one of the relation's ways, without those that belong by an earlier one."""
        child, rows = relation.child[place], self._rows
        carried = {
            "k": rows.key,
            "o": tuple(order.column for order in self.orders),
            "p": child,
            "c": self._along,
        }
        columns = [column.label(f"{mark}{i}") for mark, many in carried.items() for i, column in enumerate(many)]
        query = select(*columns).select_from(rows.table.join(*relation.through) if relation.through else rows.table)
        query = query.where(*relation.where(selected.scope, selected.given), *seen(rows, selected.scope.sight))
        if child:
            query = query.where(_among(reader.connection, child[0], keys))
        for earlier in relation.child[:place]:
            query = query.where(and_(*(a.is_distinct_from(b) for a, b in zip(earlier, child, strict=True))))
        return query

    def find(self, page: Page, more: int = 0) -> Found:
        """A page of each parent's rows and so many more behind it, in order; from the end, the last row first."""
        pool = self._all
        parents, sort = self._marked(pool, "p", self._width), self._sort(pool, page.backward)
        query = select(pool).where(*page.within(self._over(pool)))
        if self._single:
            cut = query.order_by(*sort).limit(page.size + more).subquery("cut")
        else:
            rank = func.row_number().over(partition_by=parents, order_by=sort).label("rank")
            ranked = query.add_columns(rank).subquery("ranked")
            cut = select(ranked).where(ranked.c.rank <= page.size + more).subquery("cut")
        return self._read(cut, page.backward)

    def counts(self) -> dict[tuple[Any, ...], int]:
        """How many rows each parent has on all pages."""
        parents = self._marked(self._all, "p", self._width)
        query = select(func.count(), *parents).select_from(self._all).group_by(*parents)
        return {tuple(owner): count for count, *owner in self._connection.execute(query)}

    def _read(self, cut: Subquery, backward: bool) -> Found:
        carried = [*self._marked(cut, "p", self._width), *self._marked(cut, "o", len(self.orders))]
        if isinstance(self._rows.table, Table):
            keys = self._marked(cut, "k", len(self._rows.key))
            match = and_(*(own == key for own, key in zip(self._rows.key, keys, strict=True)))
            query = select(*carried, *self._columns).select_from(self._rows.table.join(cut, match))
        else:
            query = select(*carried, *self._marked(cut, "c", len(self._columns)))
        rows, start = self._connection.execute(query.order_by(*self._sort(cut, backward))).all(), len(carried)
        places: dict[tuple[Any, ...], list[int]] = {}
        for place, row in enumerate(rows):
            places.setdefault(tuple(row[: self._width]), []).append(place)
        return Found([row[start:] for row in rows], [tuple(row[self._width : start]) for row in rows], places)

    def _over(self, table: Subquery) -> list[Order]:
        columns = self._marked(table, "o", len(self.orders))
        return [replace(order, column=column) for order, column in zip(self.orders, columns, strict=True)]

    def _sort(self, table: Subquery, backward: bool) -> list[ColumnElement[Any]]:
        orders = self._over(table)
        return order_by([order.reversed for order in orders] if backward else orders)

    @staticmethod
    def _marked(table: Subquery, mark: str, width: int) -> list[ColumnElement[Any]]:
        return [table.c[f"{mark}{i}"] for i in range(width)]


def _among(connection: Connection, column: Any, keys: Keys) -> ColumnElement[bool]:
    return among(connection, column, sorted({key[0] for key in keys if key[0] is not None}))


def seen(rows: Rows, sight: Sight) -> tuple[ColumnElement[bool], ...]:
    """What must hold of a type's rows for a role to see them."""
    customers = None if rows.owner is None else sight.customers()
    if rows.owner is None or customers is None:
        return ()
    return tuple(owner.in_(customers) for owner in rows.owners)


def _page(
    selected: Selected,
    places: Sequence[int],
    page: Page,
    nodes: Mapping[tuple[str, str], Sequence[Answer]],
    cursors: Sequence[str],
    count: int,
) -> Answer:
    """One connection, as it is selected; where `places` holds one more row than the page, there is another one."""
    more = len(places) > page.size
    shown = places[: page.size][::-1] if page.backward else places[: page.size]
    ends = {
        "hasNextPage": page.before is not None if page.backward else more,
        "hasPreviousPage": more if page.backward else page.after is not None,
        "startCursor": cursors[shown[0]] if shown else None,
        "endCursor": cursors[shown[-1]] if shown else None,
    }
    answer: Answer = {}
    for child in selected.below():
        if child.name == "edges":
            fields = child.below()
            answer[child.key] = [
                {f.key: cursors[p] if f.name == "cursor" else nodes[child.key, f.key][p] for f in fields} for p in shown
            ]
        else:
            answer[child.key] = count if child.name == "totalCount" else project(ends, child)
    return answer
