"""The figures that risk rules read. In: the customers in `batch` and rules/metrics.yml. Out: rows of `metric`.

One statement an entity computes all of its metrics; a second one lowers customer.due_at to the first instant at which
one of them may change by the clock alone. Derivation sets due_at to null before; every part lowers it. What has not
happened yet at as_of does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from hub.expression import (
    Aggregate,
    Condition,
    ExpressionError,
    Kind,
    compile_aggregate,
    compile_condition,
    entity_scope,
    hint,
)
from hub.store.mapped import FACTS
from mappings.model import ENTITIES, Type
from mappings.rulebook import Metric, Metrics, Rulebook

RESERVED = ("as_of", "stage", "market_state", "kind")
NEVER = 9_000_000_000_000_000_000  # later than every instant, for what has none
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_EVERY = "1 = 1"

Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Figure:
    """A compiled metric; `where` is null where every row counts."""

    name: str
    value: Aggregate
    where: Condition | None

    def sql(self, dialect: str) -> str:
        return self.value.sql(self.where.sql(dialect) if self.where else _EVERY)

    @property
    def columns(self) -> frozenset[str]:
        return self.value.columns | (self.where.columns if self.where else frozenset())


def metrics(connection: Connection, rulebook: Rulebook, as_of: int) -> None:
    """Writes every metric of the customers in `batch`, which have none, and lowers their due_at.

    No rows: a count is 0, anything else has no row of `metric`, which is null. Two statements an entity.
    """
    dialect = connection.dialect.name
    for (entity, members), figures in _groups(rulebook.metrics).items():
        rows = _rows(entity, members, figures)
        connection.execute(text(_insert(rows, began(entity), figures, dialect)), {"as_of": as_of})
        flips = [f"MIN({flip})" for flip in _flips(entity, figures, dialect)]
        select = f"SELECT f.owner, {', '.join(flips)} FROM {rows} GROUP BY f.owner"  # noqa: S608
        lower_due(connection, select, len(flips), as_of)


def metric_kinds(rules: Metrics) -> dict[str, Kind]:
    """What each metric holds. Raises ExpressionError."""
    return {name: _figure(name, metric).value.kind for name, metric in rules.metrics.items()}


def check_metrics(rules: Metrics) -> Iterator[tuple[Place, str]]:
    """Every problem of rules/metrics.yml: where in the file, and what is wrong."""
    for name, metric in rules.metrics.items():
        for place, part in (("of", _named), ("value", _value), ("where", _where)):
            try:
                part(name, metric, "")
            except ExpressionError as error:
                yield ("metrics", name, place), error.what
                if part is _named:
                    break


def lower_due(connection: Connection, select: str, flips: int, as_of: int) -> None:
    """Lowers due_at to the least of the `flips` last columns of `select`, whose first column is the customer.

    `select` may use the bind `:as_of`; its instants are later than that, or null.
    """
    names = [f"flip_{number}" for number in range(flips)]
    known = ", ".join(f"COALESCE({name}, {NEVER})" for name in names)
    least = "MIN" if connection.dialect.name == "sqlite" else "LEAST"
    statement = f"""
        WITH flip (owner, {", ".join(names)}) AS ({select})
        UPDATE customer SET due_at = due.at
        FROM (SELECT owner, {least}({known}, {NEVER}) AS at FROM flip) AS due
        WHERE customer.customer_no = due.owner AND due.at < COALESCE(customer.due_at, {NEVER})
    """  # noqa: S608  (made of checked names and of expressions that we rendered)
    connection.execute(text(statement), {"as_of": as_of} if ":as_of" in statement else {})


def flip_sql(base: str, offset: int, guard: str = _EVERY) -> str:
    """The instant `base` + offset where it is still to come and the guard holds, else null."""
    at = f"({base} + {offset})" if offset >= 0 else f"({base} - {-offset})"
    return f"CASE WHEN {guard} AND {at} > :as_of THEN {at} END"


def began(entity: str) -> str:
    """The field that says when a row of the entity happened."""
    return next(n for n, f in ENTITIES[entity].fields.items() if f.type is Type.INSTANT and f.required)


def _groups(rules: Metrics) -> dict[tuple[str, bool], list[_Figure]]:
    groups: dict[tuple[str, bool], list[_Figure]] = {}
    for name, metric in rules.metrics.items():
        groups.setdefault((metric.of, metric.members), []).append(_figure(name, metric))
    return groups


def _figure(name: str, metric: Metric) -> _Figure:
    place = f"metrics.yml: {name}"
    _named(name, metric, place)
    return _Figure(name, _value(name, metric, place), _where(name, metric, place))


def _named(name: str, metric: Metric, place: str) -> None:
    """Refuses a name that could not be a column, and an entity whose rows belong to no customer."""
    if not _NAME.fullmatch(name) or name in RESERVED:
        reserved = ", ".join(RESERVED)
        what = f"`{name}` cannot name a metric: a-z, 0-9 and _, beginning with a letter, at most 40; not {reserved}"
        raise ExpressionError(place, what)
    if metric.of not in FACTS:
        allowed = f"`{metric.of}` is no entity that can be counted; allowed: {', '.join(FACTS)}"
        raise ExpressionError(place, allowed + hint(metric.of, FACTS))


def _value(_name: str, metric: Metric, place: str) -> Aggregate:
    return compile_aggregate(metric.value, entity_scope(metric.of, "f"), place)


def _where(_name: str, metric: Metric, place: str) -> Condition | None:
    return compile_condition(metric.where, entity_scope(metric.of, "f"), place) if metric.where else None


def _rows(entity: str, members: bool, figures: list[_Figure]) -> str:
    """The entity's rows as `f`, with the customer as `owner`; an organization's with its people's where asked."""
    columns = sorted({began(entity)}.union(*(figure.columns for figure in figures)))
    picked = ", ".join(["b.customer_no AS owner", *(f'r."{column}"' for column in columns)])
    own = f'SELECT {picked} FROM batch b JOIN "{entity}" r ON r.customer_no = b.customer_no'  # noqa: S608
    theirs = (
        f'SELECT {picked} FROM batch b JOIN "{entity}" r '  # noqa: S608
        "ON r.organization_no = b.customer_no AND r.customer_no <> b.customer_no"
    )
    return f"({own} UNION ALL {theirs}) AS f" if members else f"({own}) AS f"


def _insert(rows: str, time: str, figures: list[_Figure], dialect: str) -> str:
    wide = ", ".join(f"{figure.sql(dialect)} AS v{number}" for number, figure in enumerate(figures))
    names = ", ".join(f"({number}, '{figure.name}')" for number, figure in enumerate(figures))
    cases = " ".join(
        f"WHEN {number} THEN {f'COALESCE(w.v{number}, 0)' if figure.value.function == 'count' else f'w.v{number}'}"
        for number, figure in enumerate(figures)
    )
    return f"""
        INSERT INTO metric (customer_no, name, value)
        WITH w AS (SELECT f.owner, {wide} FROM {rows} WHERE f."{time}" <= :as_of GROUP BY f.owner),
             n (number, name) AS (VALUES {names})
        SELECT customer_no, name, value FROM (
            SELECT b.customer_no, n.name, CASE n.number {cases} END AS value
            FROM batch b CROSS JOIN n LEFT JOIN w ON w.owner = b.customer_no
        ) AS long WHERE value IS NOT NULL
    """  # noqa: S608  (made of checked names and of expressions that we rendered)


def _flips(entity: str, figures: list[_Figure], dialect: str) -> list[str]:
    """SQL of the instants at which a row begins to count, or enters or leaves a window."""
    windows = {
        flip_sql(base, offset, figure.where.guard(dialect)): None
        for figure in figures
        if figure.where
        for base, offset in figure.where.flips
    }
    return [flip_sql(f'f."{began(entity)}"', 0), *windows]
