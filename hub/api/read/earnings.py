"""`profitability` by group and `whaleCurve`. In: entries and what customers are worth. Out: exact sums by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    String,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    select,
    values,
)

from hub.api.asked.selection import Selected
from hub.api.declare import Rows
from hub.api.errors import ApiError
from hub.api.read.filters import conditions, days
from hub.api.read.reader import Reader, seen
from hub.api.read.shape import project
from hub.api.render import in_scope
from hub.api.scope import EPOCH, Scope
from hub.api.types.inputs import CustomerFilter
from hub.api.types.money import exact_sum
from hub.insight.money import half_even
from hub.insight.profitability import CONTRIBUTION_KINDS
from hub.store.derived import customer_card as card
from hub.store.derived import entry, entry_value
from hub.store.derived import profitability as worth

MOST_DIMENSIONS, MOST_GROUPS, MOST_PERIODS, MOST_BUCKETS = 4, 1_000, 1_200, 100
MILLION = 1_000_000
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_OF_ENTRY = {"STAGE": entry.c.stage, "CHANNEL": entry.c.channel, "SOURCE": entry.c.source}
_OF_CUSTOMER = {
    "KIND": card.c.kind,
    "COUNTRY": card.c.country,
    "LANGUAGE": card.c.language,
    "MARKET_STATE": card.c.market_state,
    "RISK_BAND": card.c.risk_band,
}
_ENTRIES = Rows(entry, (entry.c.entry_no,), owner=entry.c.customer_no)
_WORTH = Rows(worth, (worth.c.customer_no, worth.c.currency), owner=worth.c.customer_no)
_FIGURES = ("revenue", "refunds", "directCost", "costToServe")
_KINDS = (("REVENUE",), ("REFUND",), ("COGS", "FEE"), ("COST_TO_SERVE",))


def profitability(reader: Reader, selected: Selected) -> Any:
    """`profitability(groupBy:)`: one statement (two where the range of a period must be looked up)."""
    dimensions = [dimension.value for dimension in selected.arguments["groupBy"]]
    if len(dimensions) > MOST_DIMENSIONS:
        raise ApiError("BAD_USER_INPUT", f"groupBy: {len(dimensions)} dimensions; {MOST_DIMENSIONS} at most")
    rows = reader.connection.execute(_grouped(reader, selected, dimensions)).all()
    if len(rows) > MOST_GROUPS:
        raise ApiError("BAD_USER_INPUT", f"groupBy: more than {MOST_GROUPS} groups; group by less or filter")
    width = len(dimensions)
    ordered = sorted(rows, key=lambda row: [(value is None, value or "") for value in row[:width]])
    groups = [_group(selected.scope, dimensions, row[:width], row[width:]) for row in ordered]
    return project(groups, selected)


def _grouped(reader: Reader, selected: Selected, dimensions: Sequence[str]) -> Select[Any]:
    said, scope = selected.arguments, selected.scope
    source, by = entry.join(entry_value, _valued(scope)), []
    filtered = conditions(scope, CustomerFilter, selected.given["filter"])
    if filtered or any(dimension in _OF_CUSTOMER for dimension in dimensions):
        source = source.join(card, card.c.customer_no == entry.c.customer_no)
    for dimension in dimensions:
        if dimension in _MONTHS:
            period = _periods(reader, scope, said, dimension)
            source = source.join(period, and_(entry.c.at >= period.c.begins, entry.c.at < period.c.ends))
            by.append(period.c.label)
        else:
            by.append(_OF_ENTRY[dimension] if dimension in _OF_ENTRY else _OF_CUSTOMER[dimension])
    sums = [exact_sum(case((entry.c.kind.in_(kinds), entry_value.c.amount))) for kinds in _KINDS]
    counts = [func.count(entry.c.customer_no.distinct()), func.count(), func.count(entry_value.c.amount)]
    asked = (entry.c.kind.in_(CONTRIBUTION_KINDS), *days(scope, entry.c.at, said.get("from"), said.get("to")))
    query = select(*by, *sums, *counts).select_from(source).where(*asked, *filtered, *seen(_ENTRIES, scope.sight))
    return (query.group_by(*by) if by else query).limit(MOST_GROUPS + 1)


def _valued(scope: Scope) -> ColumnElement[bool]:
    return and_(entry_value.c.entry_no == entry.c.entry_no, entry_value.c.currency == scope.currency)


def _group(scope: Scope, dimensions: Sequence[str], group: Sequence[Any], figures: Sequence[Any]) -> dict[str, Any]:
    *sums, customers, entries, known = figures
    revenue, refunds, direct, serve = sums
    parts = [revenue, *(None if part is None else -part for part in (refunds, direct, serve))]
    contribution = sum(part for part in parts if part is not None) if any(p is not None for p in parts) else None
    net = (revenue or 0) - (refunds or 0)
    return {
        "group": [{"dimension": d, "value": value} for d, value in zip(dimensions, group, strict=True)],
        "customerCount": customers,
        **{name: in_scope(scope, amount) for name, amount in zip(_FIGURES, sums, strict=True)},
        "contribution": in_scope(scope, contribution),
        "margin": None if contribution is None or net <= 0 else half_even(contribution * MILLION, net) / MILLION,
        "coverage": half_even(known * MILLION, entries) / MILLION if entries else None,
    }


def _periods(reader: Reader, scope: Scope, said: dict[str, Any], dimension: str) -> CTE:
    """The periods of the range (or of all entries) with their instants in the reporting time zone."""
    first, last = said.get("from"), said.get("to")
    if first is None or last is None:
        known = select(func.min(entry.c.at), func.max(entry.c.at)).where(*seen(_ENTRIES, scope.sight))
        ends = reader.connection.execute(known).one()
        local = [(EPOCH + timedelta(microseconds=at or 0)).astimezone(scope.house.zone).date() for at in ends]
        first, last = first or local[0], last or local[1]
    step = _MONTHS[dimension]
    rows = [
        (scope.day_begins(_month(number)), scope.day_begins(_month(number + step)), _label(number, step))
        for number in range(_number(first) // step * step, _number(last) + 1, step)
    ] or [(0, 0, "")]
    if len(rows) > MOST_PERIODS:
        raise ApiError("BAD_USER_INPUT", f"from, to: {len(rows)} periods; {MOST_PERIODS} at most")
    columns = (column("begins", BigInteger), column("ends", BigInteger), column("label", String))
    name = dimension.lower()
    listed = values(*columns, name=f"{name}s", literal_binds=True).data(rows).cte(f"{name}_rows")
    return select(listed.c.begins, listed.c.ends, cast(listed.c.label, Text).label("label")).cte(name)


def _number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def _label(number: int, step: int) -> str:
    year, month = number // 12, number % 12
    return {1: f"{year:04}-{month + 1:02}", 3: f"{year:04}-Q{month // 3 + 1}", 12: f"{year:04}"}[step]


def whale_curve(reader: Reader, selected: Selected) -> Any:
    """`whaleCurve`: customers whose contribution is known, in equal slices from the best to the worst."""
    said, scope = selected.arguments, selected.scope
    buckets = 10 if said.get("buckets") is None else said["buckets"]
    if not 1 <= buckets <= MOST_BUCKETS:
        raise ApiError("BAD_USER_INPUT", f"buckets: {buckets} is out of range; ask for 1 to {MOST_BUCKETS}")
    filtered = conditions(scope, CustomerFilter, selected.given["filter"])
    source = worth.join(card, card.c.customer_no == worth.c.customer_no) if filtered else worth
    shown = (worth.c.currency == scope.currency, worth.c.contribution.is_not(None), *seen(_WORTH, scope.sight))
    slices = func.ntile(buckets).over(order_by=[worth.c.contribution.desc(), worth.c.customer_no])
    ranked = (
        select(slices.label("bucket"), worth.c.contribution)
        .select_from(source)
        .where(*shown, *filtered)
        .subquery("ranked")
    )
    query = select(ranked.c.bucket, func.count(), exact_sum(ranked.c.contribution)).group_by(ranked.c.bucket)
    rows = sorted(tuple(row) for row in reader.connection.execute(query))
    return project(list(_curve(scope, rows)), selected)


def _curve(scope: Scope, rows: Sequence[tuple[int, int, int]]) -> Iterator[dict[str, Any]]:
    whole, so_far = sum(total for _, _, total in rows), 0
    for bucket, count, total in rows:
        so_far += total
        yield {
            "bucket": bucket,
            "customerCount": count,
            "cumulativeContribution": in_scope(scope, so_far),
            "cumulativeShare": half_even(so_far * MILLION, whole) / MILLION if whole > 0 else None,
        }
