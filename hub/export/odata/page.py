"""Entities. In: a query and what a role sees. Out: a page of rows as JSON has them, and where the next one begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from hub.access.sight import Sight
from hub.export.column import As, Column, View, as_text
from hub.export.odata.query import Last, Query
from hub.export.odata.sql import Binds, beyond, sort_keys, where
from hub.export.reading import HIDDEN, visible_to
from hub.export.refusals import UnknownExport

_NUMBERED = re.compile(r"'(\w+_)' \|\| .*")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a page; `last` is where the next one begins, None where there is none; `count` if it was asked for."""

    rows: list[Row]
    last: Last | None
    count: int | None


@dataclass(frozen=True, slots=True)
class EntitySet:
    """A view as a role sees it: its columns (those that are masked are null), and which rows."""

    view: View
    columns: Mapping[str, Column]
    sight: Sight


def read_page(connection: Connection, entities: EntitySet, query: Query, size: int, exact: bool) -> Page:
    """At most `size` rows. With `exact`, decimals and whole numbers are strings. Raises UnknownExport."""
    dialect, binds = connection.dialect.name, Binds()
    tests = _tests(entities, query, dialect, binds)
    count = _count(connection, entities.view, tests, binds) if query.count else None
    keys = _keys(entities, query, dialect)
    left = query.top if query.last is None else query.last.left
    if query.last is not None:
        if len(query.last.keys) != len(keys):
            raise UnknownExport("$skiptoken: belongs to another $orderby; follow @odata.nextLink as it is")
        tests.append(beyond(keys, query.last.keys, binds))
    wanted = size if left is None else min(size, left)
    skip = query.skip if query.last is None else 0
    found = _found(connection, entities, query.select, keys, tests, binds, f"LIMIT {wanted + 1} OFFSET {skip}")
    shown = [_shown(query.select, entities.columns, row, exact) for row in found[:wanted]]
    rest = None if left is None else left - wanted
    if len(found) <= wanted or rest == 0 or not shown:
        return Page(shown, None, count)
    return Page(shown, Last(tuple(found[wanted - 1][len(query.select) :]), rest), count)


def read_entity(
    connection: Connection, entities: EntitySet, key: str, select: Sequence[str], exact: bool
) -> Row | None:
    """The entity with this key; None where there is none that the role sees."""
    dialect, binds = connection.dialect.name, Binds()
    name = next(iter(entities.columns))
    numbered = _NUMBERED.fullmatch(entities.columns[name].sql)
    if numbered is None:
        tests = [f"{entities.columns[name].sql} = {binds(key)}"]
    else:
        number = re.fullmatch(rf"{numbered[1]}(-?[1-9]\d{{0,17}})", key, re.ASCII)
        if number is None:
            return None
        tests = [f"{entities.view.order} = {binds(int(number[1]))}"]
    tests += visible_to(entities.sight, dialect)
    found = _found(connection, entities, select, [], tests, binds, "")
    return _shown(select, entities.columns, found[0], exact) if found else None


def read_count(connection: Connection, entities: EntitySet, query: Query) -> int:
    """How many entities the filter leaves."""
    binds = Binds()
    return _count(connection, entities.view, _tests(entities, query, connection.dialect.name, binds), binds)


def _tests(entities: EntitySet, query: Query, dialect: str, binds: Binds) -> list[str]:
    tests = list(visible_to(entities.sight, dialect))
    if query.condition is not None:
        tests.append(f"({where(query.condition, entities.columns, dialect, binds)})")
    return tests


def _keys(entities: EntitySet, query: Query, dialect: str) -> list[tuple[str, bool]]:
    """What the rows are sorted by, with the row's number last, so that no two are alike."""
    seen = ((entities.columns[name], descends) for name, descends in query.order)
    keys = [
        (key, descends) for column, descends in seen if column.sql != HIDDEN.sql for key in sort_keys(column, dialect)
    ]
    return [*keys, (entities.view.order, False)]


def _found(
    connection: Connection,
    entities: EntitySet,
    select: Sequence[str],
    keys: Sequence[tuple[str, bool]],
    tests: Sequence[str],
    binds: Binds,
    limit: str,
) -> list[Sequence[Any]]:
    cells = [f'{as_text(entities.columns[name], connection.dialect.name)} AS "{name}"' for name in select]
    cells += [f"{key} AS key_{place}" for place, (key, _) in enumerate(keys)]
    sql = f"SELECT {', '.join(cells)} FROM {entities.view.source}{_where(tests)}{_order(keys)} {limit}"  # noqa: S608
    return list(connection.execute(binds.statement(sql)).all())


def _order(keys: Sequence[tuple[str, bool]]) -> str:
    """Null is the least. The last key, the number of the row, is never null: an index must do for it alone."""
    said = [f"key_{n} {'DESC NULLS LAST' if descends else 'ASC NULLS FIRST'}" for n, (_, descends) in enumerate(keys)]
    return f" ORDER BY {', '.join([*said[:-1], f'key_{len(keys) - 1}'])}" if keys else ""


def _count(connection: Connection, view: View, tests: Sequence[str], binds: Binds) -> int:
    counted = binds.statement(f"SELECT COUNT(*) FROM {view.source}{_where(tests)}")  # noqa: S608
    return int(connection.execute(counted).scalar_one())


def _where(tests: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(tests)}" if tests else ""


def _shown(select: Sequence[str], columns: Mapping[str, Column], row: Sequence[Any], exact: bool) -> Row:
    return {name: _SHOW[columns[name].as_](value, exact) for name, value in zip(select, row, strict=False)}


def _decimal(value: Any, exact: bool) -> Any:
    """A decimal as the number that its digits are; a float would lose some."""
    return value if exact or value is None else msgspec.Raw(str(value).encode())


def _whole(value: Any, exact: bool) -> Any:
    return str(value) if exact and value is not None else value


def _flag(value: Any, exact: bool) -> Any:
    return None if value is None else value == "true"


def _as_it_is(value: Any, exact: bool) -> Any:
    return value


_SHOW: dict[As, Callable[[Any, bool], Any]] = {
    As.TEXT: _as_it_is,
    As.WORD: _as_it_is,
    As.INSTANT: _as_it_is,
    As.WHOLE: _whole,
    As.FLAG: _flag,
    As.RATIO: _decimal,
    As.MONEY: _decimal,
}
