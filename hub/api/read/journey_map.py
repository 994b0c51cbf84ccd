"""`journeyMap`: the journeys of a segment as a graph. In: steps that began in a range. Out: stops and transitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, Subquery, and_, case, cast, func, select

from hub.api.asked.selection import Selected
from hub.api.read.filters import conditions, days
from hub.api.read.reader import Reader, seen
from hub.api.read.shape import project
from hub.api.render import in_scope
from hub.api.scope import Scope
from hub.api.types.inputs import CustomerFilter
from hub.insight.money import half_even
from hub.store.derived import customer_card as card
from hub.store.derived import journey, journey_step, step_value
from mappings.model import STAGES

DAY_US = 86_400_000_000


def journey_map(reader: Reader, selected: Selected) -> Any:
    """`journeyMap`; each part costs its statements only where it is selected."""
    steps, parts = _steps(reader, selected), {child.name for child in selected.below()}
    answer: dict[str, Any] = {}
    if "journeyCount" in parts:
        count = select(func.count(steps.c.journey_no.distinct()))
        answer["journeyCount"] = reader.connection.execute(count).scalar_one()
    if "stops" in parts:
        answer["stops"] = _stops(reader.connection, selected.scope, steps)
    if "transitions" in parts:
        answer["transitions"] = _transitions(reader.connection, steps)
    return project(answer, selected)


def _steps(reader: Reader, selected: Selected) -> Subquery:
    """The steps asked for, each with what came next and whether its journey is over."""
    said, scope, following = selected.arguments, selected.scope, journey_step.alias("following")
    next_step = and_(
        following.c.journey_no == journey_step.c.journey_no, following.c.ordinal == journey_step.c.ordinal + 1
    )
    left_for_good = and_(following.c.step_no.is_(None), journey.c.ended_at.is_not(None))
    query = (
        select(
            journey_step.c.step_no,
            journey_step.c.journey_no,
            journey_step.c.customer_no,
            journey_step.c.stage,
            journey_step.c.sentiment,
            (journey_step.c.left_at - journey_step.c.entered_at).label("stay"),
            following.c.stage.label("next_stage"),
            (following.c.entered_at - journey_step.c.entered_at).label("way"),
            case((left_for_good, 1), else_=0).label("is_exit"),
        )
        .join(journey, journey.c.journey_no == journey_step.c.journey_no)
        .outerjoin(following, next_step)
        .where(*days(scope, journey_step.c.entered_at, said.get("from"), said.get("to")))
        .where(*seen(reader.declarations.rows("Journey"), scope.sight))
    )
    if said.get("filter"):
        query = query.join(card, card.c.customer_no == journey_step.c.customer_no)
        query = query.where(*conditions(scope, CustomerFilter, selected.given["filter"]))
    return query.subquery("steps")


def _stops(connection: Connection, scope: Scope, steps: Subquery) -> list[dict[str, Any]]:
    money = [cast(func.sum(step_value.c[name]), BigInteger) for name in ("revenue", "cost", "contribution")]
    query = (
        select(
            steps.c.stage,
            func.count(steps.c.customer_no.distinct()),
            func.count(),
            func.sum(steps.c.is_exit),
            cast(func.sum(steps.c.sentiment), BigInteger),
            func.count(steps.c.sentiment),
            *money,
        )
        .outerjoin(step_value, and_(step_value.c.step_no == steps.c.step_no, step_value.c.currency == scope.currency))
        .group_by(steps.c.stage)
    )
    medians = _medians(connection, steps, "stay", "stage")
    return [
        {
            "key": stage,
            "customerCount": customers,
            "entryCount": entries,
            "exitCount": exits,
            "medianDays": medians.get((stage,)),
            "sentiment": half_even(felt, said) / 1_000_000 if said else None,
            **{name: in_scope(scope, sums[place]) for place, name in enumerate(("revenue", "cost", "contribution"))},
        }
        for stage, customers, entries, exits, felt, said, *sums in _in_order(connection, query)
    ]


def _transitions(connection: Connection, steps: Subquery) -> list[dict[str, Any]]:
    query = (
        select(steps.c.stage, steps.c.next_stage, func.count(), func.count(steps.c.customer_no.distinct()))
        .where(steps.c.next_stage.is_not(None))
        .group_by(steps.c.stage, steps.c.next_stage)
    )
    medians = _medians(connection, steps, "way", "stage", "next_stage")
    return [
        {"from": left, "to": entered, "count": times, "customerCount": customers, "medianDays": medians[left, entered]}
        for left, entered, times, customers in _in_order(connection, query, 2)
    ]


def _medians(connection: Connection, steps: Subquery, value: str, *groups: str) -> dict[tuple[str, ...], float]:
    """The median of a duration by group, in days to the thousandth."""
    by, taken = [steps.c[group] for group in groups], steps.c[value]
    ranked = (
        select(
            *by,
            taken.label("taken"),
            func.row_number().over(partition_by=by, order_by=[taken, steps.c.step_no]).label("rank"),
            func.count().over(partition_by=by).label("size"),
        )
        .where(taken.is_not(None))
        .subquery("ranked")
    )
    # The middle one of an odd number, the middle two of an even one.
    middle = (2 * ranked.c.rank).between(ranked.c.size, ranked.c.size + 2)
    grouped = [ranked.c[group] for group in groups]
    query = select(*grouped, cast(func.sum(ranked.c.taken), BigInteger), func.count()).where(middle).group_by(*grouped)
    return {
        tuple(group): half_even(total * 1_000, count * DAY_US) / 1_000
        for *group, total, count in connection.execute(query)
    }


def _in_order(connection: Connection, query: Select[Any], stages: int = 1) -> Iterable[Any]:
    """The rows by the order of the stages that they begin with."""
    place: Callable[[str], int] = STAGES.index
    return sorted(connection.execute(query).all(), key=lambda row: [place(stage) for stage in row[:stages]])
