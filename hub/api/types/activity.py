"""What happened: interactions, journeys and their steps, promises."""

from collections.abc import Callable, Mapping
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from hub.api.declare import Order, Rows, column, expression, related
from hub.api.render import AS_IS, FLAG, INSTANT, LIST, RATIO, among_words, prefixed
from hub.api.scope import Scope
from hub.api.types.connection import Connection, Node
from hub.api.types.money import Money, exact_sum, looked_up
from hub.api.types.scalars import DateTime
from hub.api.types.words import Channel, DeviationKind, JourneyOutcome, Lane, PromiseStatus, StageKey
from hub.store import derived
from hub.store.derived import deviation, entry, entry_value, journey, journey_step, step_interaction, step_value
from hub.store.mapped import MAPPED

interaction = MAPPED["interaction"]
_promise = MAPPED["promise"]

_NET = {"REVENUE": entry_value.c.amount, "REFUND": -entry_value.c.amount}
_COST = dict.fromkeys(("COGS", "FEE", "COST_TO_SERVE"), entry_value.c.amount)


def _sum_of(signed: Mapping[str, ColumnElement[Any]]) -> Callable[[Scope], Select[Any]]:
    """The sum of an interaction's entries of some kinds, each with its sign."""

    def pick(scope: Scope) -> Select[Any]:
        match = (
            entry.c.interaction_no == interaction.c.fact_no,
            entry.c.kind.in_(signed),
            entry_value.c.entry_no == entry.c.entry_no,
            entry_value.c.currency == scope.currency,
        )
        return select(exact_sum(case(signed, value=entry.c.kind))).where(*match).correlate(interaction)

    return pick


_stage = (
    select(step_interaction.c.stage)
    .where(step_interaction.c.interaction_no == interaction.c.fact_no)
    .correlate(interaction)
    .scalar_subquery()
)


@strawberry.type(description="One touch on one channel.")
class Interaction(Node):
    __reads__ = Rows(interaction, (interaction.c.fact_no,), "int", interaction.c.customer_no)

    id: strawberry.ID = column(interaction.c.fact_no, "Lasting.", prefixed("int"))
    at: DateTime = column(interaction.c.at, "When it happened.", INSTANT)
    type: str = column(interaction.c.type, "What happened, as invoice.issued.")
    channel: Channel = column(interaction.c.channel, "On which channel.")
    lane: Lane = column(interaction.c.lane, "Who acted.")
    stage: StageKey | None = expression(
        (func.coalesce(_stage, interaction.c.stage),), AS_IS, "The stage of the journey it belongs to."
    )
    source: str = column(interaction.c.source, "The source that says it.")
    summary: str | None = column(interaction.c.summary, "One line for a reader.")
    sentiment: float | None = column(interaction.c.sentiment, "From -1 to 1; null where nobody knows.", RATIO)
    stale: bool = column(interaction.c.stale, "Whether its record's last update could not be read.", FLAG)
    revenue: Money | None = looked_up(_sum_of(_NET), "Revenue less refunds that belong to it.")
    cost: Money | None = looked_up(_sum_of(_COST), "Known direct cost and cost to serve.")


def _step_value(pick: ColumnElement[Any]) -> Callable[[Scope], Select[Any]]:
    def read(scope: Scope) -> Select[Any]:
        match = (step_value.c.step_no == journey_step.c.step_no, step_value.c.currency == scope.currency)
        return select(pick).where(*match).correlate(journey_step)

    return read


@strawberry.type(description="Where the actual step differs from the planned one.")
class Deviation:
    __reads__ = Rows(deviation, (deviation.c.step_no, deviation.c.kind))

    kind: DeviationKind = column(deviation.c.kind, "How it differs.")
    at: DateTime = column(deviation.c.at, "When.", INSTANT)
    message: str = column(deviation.c.message, "In words.")


@strawberry.type(description="A stay in one stage.")
class JourneyStep:
    __reads__ = Rows(journey_step, (journey_step.c.step_no,))

    stage: StageKey = column(journey_step.c.stage, "The stage.")
    entered_at: DateTime = column(journey_step.c.entered_at, "When it began.", INSTANT)
    left_at: DateTime | None = column(journey_step.c.left_at, "When it ended; null while it goes on.", INSTANT)
    expected_days: int | None = column(journey_step.c.expected_days, "How long it should take.")
    overdue: bool | None = column(journey_step.c.overdue, "Whether it takes too long.", FLAG)
    customer_interaction_count: int = column(
        journey_step.c.customer_interaction_count, "What the customer did, as a count."
    )
    brand_interaction_count: int = column(journey_step.c.brand_interaction_count, "What the brand did, as a count.")
    channels: list[Channel] = column(journey_step.c.channels, "The channels used, sorted.", LIST)
    sentiment: float | None = column(journey_step.c.sentiment, "Mean of what was said, -1 to 1.", RATIO)
    revenue: Money | None = looked_up(_step_value(step_value.c.revenue), "Revenue less refunds within the step.")
    cost: Money | None = looked_up(_step_value(step_value.c.cost), "Known cost within the step.")
    contribution: Money | None = looked_up(_step_value(step_value.c.contribution), "Revenue less known cost.")
    deviations: list[Deviation] = related(
        "list",
        journey_step.c.step_no,
        deviation.c.step_no,
        about="Where it differs from the plan.",
        order=(Order("AT", deviation.c.at),),
    )
    interactions: Connection[Interaction] = related(
        "connection",
        journey_step.c.step_no,
        step_interaction.c.step_no,
        about="What happened, in order.",
        order=(Order("AT", interaction.c.at),),
        # An organization's steps name its people's interactions by their negative number: those keep their own row.
        through=(step_interaction, func.abs(step_interaction.c.interaction_no) == interaction.c.fact_no),
    )


# A promise belongs to the journey during which it was made.
promised = (
    select(
        _promise.c.fact_no,
        journey.c.journey_no,
        _promise.c.made_at,
        _promise.c.due_at,
        _promise.c.kept_at,
        derived.customer.c.derived_as_of,
    )
    .join(
        journey,
        and_(
            journey.c.customer_no == _promise.c.customer_no,
            _promise.c.made_at >= journey.c.started_at,
            or_(journey.c.ended_at.is_(None), _promise.c.made_at <= journey.c.ended_at),
        ),
    )
    .join(derived.customer, derived.customer.c.customer_no == _promise.c.customer_no)
    .subquery("promised")
)


def _status(due: int, kept: int | None, now: int | None) -> str:
    if kept is not None:
        return "KEPT" if kept <= due else "LATE"
    return "BROKEN" if now is not None and due < now else "OPEN"


def _status_sql(due: Any, kept: Any, now: Any) -> ColumnElement[str]:
    return case((kept <= due, "KEPT"), (kept.is_not(None), "LATE"), (due < now, "BROKEN"), else_="OPEN")


@strawberry.type(description="Something that the brand said it would do by a day.")
class Promise:
    __reads__ = Rows(promised, (promised.c.fact_no, promised.c.journey_no))

    made_at: DateTime = column(promised.c.made_at, "When it was made.", INSTANT)
    due_at: DateTime = column(promised.c.due_at, "By when.", INSTANT)
    kept_at: DateTime | None = column(promised.c.kept_at, "When it was kept.", INSTANT)
    status: PromiseStatus = expression(
        (promised.c.due_at, promised.c.kept_at, promised.c.derived_as_of),
        among_words(_status, _status_sql),
        "Whether the brand did it.",
    )


@strawberry.type(description="One way of a customer through the stages.")
class Journey(Node):
    __reads__ = Rows(journey, (journey.c.journey_no,), "jrn", journey.c.customer_no)

    id: strawberry.ID = column(journey.c.journey_no, "Lasting.", prefixed("jrn"))
    definition: str = column(journey.c.definition, "The planned journey that it is read by, and its version.")
    started_at: DateTime = column(journey.c.started_at, "When it began.", INSTANT)
    ended_at: DateTime | None = column(journey.c.ended_at, "When it ended; null while it goes on.", INSTANT)
    outcome: JourneyOutcome | None = column(journey.c.outcome, "How it ended; null while it goes on.")
    steps: list[JourneyStep] = related(
        "list",
        journey.c.journey_no,
        journey_step.c.journey_no,
        about="The stages it went through, in order.",
        order=(Order("ORDINAL", journey_step.c.ordinal),),
    )
    promises: list[Promise] = related(
        "list",
        journey.c.journey_no,
        promised.c.journey_no,
        about="What the brand promised on the way.",
        order=(Order("MADE_AT", promised.c.made_at),),
    )
