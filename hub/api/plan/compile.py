"""Compiles a query into one SQL statement. In: selected root fields and their declarations. Out: a Statement.

Each object level is a select within the statement: it finds its rows (of one parent, cut to a page), and the select
around it writes their JSON. What a row reads is said by the same shapes and declarations that the reader goes by.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import GraphQLSchema, is_enum_type, is_non_null_type
from sqlalchemy import CTE, FromClause, Select, Subquery, Text, and_, case, cast, func, select
from sqlalchemy.dialects import postgresql, sqlite

from hub.api.asked.given import Read, Trace
from hub.api.asked.selection import TYPE_NAME, Selected, Unplannable
from hub.api.declare import Beside, Column, Kept, Listed, One, Relation, Rows, SameRow, Sought
from hub.api.plan.postgresql import PostgresqlWriter
from hub.api.plan.shown import Shown, one_more, shown
from hub.api.plan.source import KeptSource, Source
from hub.api.plan.sqlite import SqliteWriter
from hub.api.plan.write import MISSING, Hole, Sql, Writer, joined, number, quoted
from hub.api.read.pages import Page, keyed, page_of
from hub.api.read.shape import Declarations, Part, Picked, Shape, nothing, shape_of
from hub.api.render import LIST_CAP

WRITERS: dict[str, type[Writer]] = {"postgresql": PostgresqlWriter, "sqlite": SqliteWriter}
DIALECTS: dict[str, Any] = {
    "postgresql": postgresql.dialect(paramstyle="named"),  # type: ignore[no-untyped-call]
    "sqlite": sqlite.dialect(paramstyle="named"),
}
_PARAMETER = re.compile("\x01(\\w+):([^\x02]*)\x02")


@dataclass(frozen=True)
class Statement:
    """One statement: its first column is the answer, the next ones hold for each root whom it is about."""

    text: str
    parameters: tuple[Read, ...]
    holes: tuple[Hole, ...]
    token: str
    roots: tuple[str, ...]
    """The root fields whose customers the further columns hold."""
    may_miss: bool
    """Whether the answer may hold a null where the schema allows none."""


def compile_query(
    declarations: Declarations,
    schema: GraphQLSchema,
    roots: Sequence[Selected],
    dialect: str,
    trace: Trace,
    audited: bool = False,
) -> Statement:
    """The statement of a query's root fields. Raises Unplannable, or ApiError as the reader would."""
    writer = WRITERS[dialect](lambda name: is_enum_type(schema.type_map[name]))
    compiler = _Compiler(declarations, writer, audited)
    answered = [(root.key, compiler.root(root)) for root in roots]
    body = writer.response([(key, func.coalesce(root.c.json, quoted("null"))) for key, root in answered])
    query = select(body, *(root.c.owners for _, root in answered)).select_from(*(root for _, root in answered))
    said = str(query.compile(dialect=DIALECTS[dialect], compile_kwargs={"literal_binds": True}))
    text, parameters = _placed(said, trace, dialect)
    names = tuple(root.name for root in roots)
    return Statement(text, parameters, tuple(writer.holes), writer.token, names, compiler.may_miss)


def _placed(said: str, trace: Trace, dialect: str) -> tuple[str, tuple[Read, ...]]:
    """The statement with the driver's marks where its parameters stand."""
    names = list(dict.fromkeys(match[1] for match in _PARAMETER.finditer(said)))
    places = {name: place for place, name in enumerate(names, start=1)}
    make: Callable[[re.Match[str]], str] = (
        (lambda match: f"?{places[match[1]]}")
        if dialect == "sqlite"
        else (lambda match: f"${places[match[1]]}::{match[2]}")
    )
    return _PARAMETER.sub(make, said), tuple(trace.parameters[name] for name in names)


@dataclass(frozen=True)
class _Answered:
    """JSON over the rows of a select within the statement; no rows where it wants none."""

    json: Sql
    rows: FromClause | None
    owners: Sql | None = None
    read_first: CTE | None = None

    def nested(self) -> Sql:
        return self.selected(self.json).scalar_subquery()

    def selected(self, *columns: Sql) -> Select[Any]:
        query = select(*columns) if self.rows is None else select(*columns).select_from(self.rows)
        return query if self.read_first is None else query.add_cte(self.read_first, nest_here=True)


class _Compiler:
    """Writes the levels of one operation; counts its aliases."""

    def __init__(self, declarations: Declarations, writer: Writer, audited: bool) -> None:
        self._declarations, self._writer, self._audited = declarations, writer, audited
        self._aliases = 0
        self.may_miss = False

    # roots -----------------------------------------------------------------------------------------------------------
    def root(self, selected: Selected) -> Subquery:
        """The one row of a root field: its JSON, and the customers that it is about."""
        answered = self._root(selected)
        owners = quoted("") if answered.owners is None else answered.owners
        query = answered.selected(cast(answered.json, Text).label("json"), owners.label("owners"))
        return query.subquery(self._name("r"))

    def _root(self, selected: Selected) -> _Answered:
        if selected.name == TYPE_NAME:
            return _Answered(quoted('"Query"'), None)
        match self._declarations.of("Query", selected.name):
            case Listed(relation):
                source = Source(relation(selected), selected, (), self._name)
                return self._connection(selected, source, source)
            case One(seek):
                sought = seek(self._declarations, selected)
                return _Answered(quoted("null"), None) if sought is None else self._sought(selected, sought)
        raise Unplannable(selected.name)

    def _sought(self, selected: Selected, sought: Sought) -> _Answered:
        rows, picked = self._declarations.rows(sought.type_name), Picked()
        shape = shape_of(self._declarations, sought.type_name, selected.below(sought.type_name), picked, planned=True)
        owner = picked.add(rows.owners)
        relation = Relation((), ((),), shape="one", where=lambda _scope, _given: sought.where)
        page = Page(2 if sought.by else 1, None, None, backward=False)
        source = Source(relation, selected, (), self._name)
        found = source.found(rows, picked.columns, page).subquery(self._name("n"))
        json = self._writer.strung(self._object(shape, found))
        if sought.by:
            self.may_miss = True  # where several are found, the reader says so
            json = case((func.count() > number(1), quoted(MISSING)), else_=json)
        return _Answered(json, found, self._owners(found, owner))

    def _owners(self, found: FromClause, owner: tuple[int, ...]) -> Sql | None:
        if not owner or not self._audited:
            return None
        lists = [self._writer.strung(cast(found.c[f"c{place}"], Text)) for place in owner]
        if len(lists) == 1:
            return lists[0]
        known = [part for each in lists for part in (func.coalesce(each, quoted("")), quoted(","))]
        return joined(*known[:-1])

    # objects ---------------------------------------------------------------------------------------------------------
    def _object(self, shape: Shape, row: FromClause) -> Sql:
        return self._writer.object([(part.selected.key, self._part(shape, part, row)) for part in shape.parts])

    def _part(self, shape: Shape, part: Part, row: FromClause) -> Sql:
        selected, columns = part.selected, [row.c[f"c{place}"] for place in part.places]
        match part.reads:
            case Column(rendering=rendering):
                json = rendering.write(self._writer, selected.scope, selected, *columns)
                return self._filled(json, selected, _never_null(part.reads, selected))
            case Relation() as relation:
                return self._relation(part, relation, row)
            case SameRow() if part.inner is not None:
                inner = self._object(part.inner, row)
                return self._filled(case((columns[0], inner)), selected, sure=False) if columns else inner
        if selected.name == TYPE_NAME:
            return self._writer.word(quoted(shape.type_name))
        return self._filled(self._writer.constant("null" if nothing(selected) is None else "[]"), selected, sure=False)

    def _filled(self, json: Sql, selected: Selected, sure: bool) -> Sql:
        if not is_non_null_type(selected.field.type):
            return self._writer.filled(json, "null")
        if sure:
            return json
        self.may_miss = True
        return self._writer.filled(json, MISSING)

    def _relation(self, part: Part, relation: Relation, row: FromClause) -> Sql:
        """The JSON of a relation: from what the parent's own row keeps of it, where it does, or from its table."""
        selected, parents = part.selected, tuple(row.c[f"c{place}"] for place in part.places)
        kept = [row.c[f"c{place}"] for place in part.kept]
        if isinstance(relation.kept, Beside) and part.inner is not None:
            return self._filled(case((kept[0], self._object(part.inner, row))), selected, sure=False)
        gates = tuple(None if place is None else row.c[f"c{place}"] for place in part.gates)
        table = Source(relation, selected, parents, self._name, gates)
        from_table = self._related(selected, table, table)
        if not isinstance(relation.kept, Kept) or not kept:
            return from_table
        stored, count = kept
        there: Sql = stored.is_not(None)
        if relation.shape == "connection":
            page = page_of(selected.given)
            if not page.from_the_start or page.size + one_more(page, _ends(selected)) > relation.kept.most:
                return from_table
        else:
            there = and_(there, count <= number(relation.kept.most))
        own = KeptSource(relation, relation.kept, stored, self._writer)
        return case((there, self._related(selected, table, own)), else_=from_table)

    def _related(self, selected: Selected, table: Source, source: Source | KeptSource) -> Sql:
        relation = table.relation
        if relation.shape == "connection":
            return self._connection(selected, table, source).nested()
        page = Page(1 if relation.shape == "one" else LIST_CAP, None, None, backward=False)
        if relation.shape == "values":
            value: Any = relation.order[0].column
            standing = Rows(value.table, tuple(value.table.primary_key))
            found = source.found(standing, (value,), page).subquery(self._name("n"))
            return _Answered(self._writer.listed(self._writer.as_is(selected.type_name, found.c.c0)), found).nested()
        rows, picked = self._declarations.rows(selected.type_name), Picked()
        shape = shape_of(self._declarations, selected.type_name, selected.below(), picked, planned=True)
        found = source.found(rows, picked.columns, page).subquery(self._name("n"))
        item = self._object(shape, found)
        if relation.shape == "list":
            return _Answered(self._writer.listed(item), found).nested()
        return self._filled(_Answered(item, found).nested(), selected, sure=False)

    # connections -----------------------------------------------------------------------------------------------------
    def _connection(self, selected: Selected, table: Source, source: Source | KeptSource) -> _Answered:
        relation, parents = table.relation, table.parents
        page, type_name = page_of(selected.given), selected.type_name.removesuffix("Connection")
        rows, picked = self._declarations.rows(type_name), Picked()
        shapes = {
            (edges.key, node.key): shape_of(self._declarations, type_name, node.below(), picked, planned=True)
            for edges in selected.only("edges")
            for node in edges.only("node")
        }
        owner = picked.add(() if parents or not self._audited else rows.owners)
        ends = _ends(selected)
        cut = replace(page, size=page.size + one_more(page, ends))
        found = source.found(rows, picked.columns, cut, carried=True)
        page_shown = shown(self._writer, found, keyed(relation.order, rows.key), page, ends, self._name)
        # Without an aggregate there would be an answer a row, or none.
        wants_rows = bool(selected.only("edges")) or any(map(page_shown.aggregates, ends))
        pairs = [
            (child.key, self._of_connection(child, selected, table, page_shown, shapes)) for child in selected.below()
        ]
        owners = self._owners(page_shown.rows, owner) if wants_rows and not parents else None
        rows_shown = page_shown.rows if wants_rows else None
        return _Answered(self._writer.object(pairs), rows_shown, owners, page_shown.read_first)

    def _of_connection(
        self,
        child: Selected,
        selected: Selected,
        table: Source,
        page: Shown,
        shapes: Mapping[tuple[str, str], Shape],
    ) -> Sql:
        match child.name:
            case "totalCount":
                rows = self._declarations.rows(selected.type_name.removesuffix("Connection"))
                return self._writer.whole(table.count(rows))
            case "edges":
                return page.listed(self._edge(child, page, shapes))
            case "pageInfo":
                return self._writer.object([(end.key, self._end(end, page)) for end in child.below()])
        return self._writer.word(quoted(selected.type_name))

    def _edge(self, edges: Selected, page: Shown, shapes: Mapping[tuple[str, str], Shape]) -> Sql:
        pairs: list[tuple[str, Sql]] = []
        for child in edges.below():
            if child.name == "node":
                json = self._object(shapes[edges.key, child.key], page.rows)
            elif child.name == "cursor":
                json = page.cursor()
            else:
                json = self._writer.word(quoted(edges.type_name))
            pairs.append((child.key, json))
        return self._writer.object(pairs)

    def _end(self, end: Selected, page: Shown) -> Sql:
        return self._writer.word(quoted("PageInfo")) if end.name == TYPE_NAME else page.end(end.name)

    def _name(self, kind: str) -> str:
        self._aliases += 1
        return f"{kind}{self._aliases}"


def _ends(selected: Selected) -> set[str]:
    """What is asked for of a connection's page."""
    return {end.name for info in selected.only("pageInfo") for end in info.below()} - {TYPE_NAME}


def _never_null(reads: Column, selected: Selected) -> bool:
    return all(not getattr(column, "nullable", True) for column in reads.read(selected.scope))
