"""What is at risk: scores, flags with their evidence, and what to do about them."""

from typing import Annotated, Any

import strawberry

from hub.api.declare import Column as Reads
from hub.api.declare import Order, Rows, column, declared, expression, floor, related
from hub.api.scope import Scope
from hub.api.types.activity import Interaction, interaction
from hub.api.types.connection import Node
from hub.api.types.money import Money, converted_on, derived_as_of
from hub.api.types.scalars import DateTime, instant, millionths
from hub.api.types.words import Channel, FlagState, RiskBand, Severity, Trend
from hub.api.values import texts
from hub.store.derived import customer_card as card
from hub.store.derived import flag_evidence, risk_flag

VALUE_MODELS = "later: predicted value"


@strawberry.type(description="What to do about a flag.")
class Action:
    kind: str = strawberry.field(description="What to do.")
    channel: Channel = strawberry.field(description="On which channel.")
    not_before: DateTime = strawberry.field(description="From when.")
    not_after: DateTime = strawberry.field(description="Until when it helps.")
    skill: str = strawberry.field(description="Who can do it.")
    why: str = strawberry.field(description="Why it may help.")
    blocked_by: str | None = strawberry.field(description="Why it must not be done now; null where it may.")


def _action(_scope: Scope, kind: str, channel: str, not_before: int, not_after: int, *rest: Any) -> dict[str, Any]:
    skill, why, blocked_by = rest
    return {
        "kind": kind,
        "channel": channel,
        "notBefore": instant(not_before),
        "notAfter": instant(not_after),
        "skill": skill,
        "why": why,
        "blockedBy": blocked_by,
    }


def at_stake(amount: Any, owner: Any, about: str) -> Any:
    """A field with an amount in the reporting currency, shown in the one asked for at the last derivation's rate."""

    def render(scope: Scope, value: int | None, at: int | None) -> dict[str, str] | None:
        return converted_on(scope, value, scope.house.company.reporting_currency, at)

    return expression((amount, derived_as_of(owner)), render, about, money=True)


@strawberry.type(description="A rule of rules/risk.yml that holds for a customer.")
class RiskFlag(Node):
    __reads__ = Rows(risk_flag, (risk_flag.c.flag_no,), "flg")

    id: strawberry.ID = column(risk_flag.c.flag_no, "Lasting while it stays open.", "flg_{}".format)
    rule: str = column(risk_flag.c.rule, "The rule's name.")
    severity: Severity = column(risk_flag.c.severity, "How bad it is.")
    state: FlagState = column(risk_flag.c.state, "Whether it still holds.")
    since: DateTime = column(risk_flag.c.since, "When what it warns of began.", instant)
    points: int = column(risk_flag.c.points, "What it adds to the score.")
    message: str = column(risk_flag.c.message, "What is wrong, in words.")
    clears_when: str = column(risk_flag.c.clears_when, "What clears it, in words.")
    contactable: bool | None = expression(
        (risk_flag.c.contactable,),
        lambda _, allowed: None if allowed is None else bool(allowed),
        "Whether consent allows the action's channel.",
    )
    value_at_risk: Money | None = at_stake(
        risk_flag.c.value_at_risk, risk_flag.c.customer_no, "What is at stake; null where not known."
    )
    action: Action = declared(
        Reads(
            (
                risk_flag.c.action_kind,
                risk_flag.c.action_channel,
                risk_flag.c.action_not_before,
                risk_flag.c.action_not_after,
                risk_flag.c.action_skill,
                risk_flag.c.action_why,
                risk_flag.c.action_blocked_by,
            ),
            _action,
        ),
        "What to do about it.",
    )
    evidence: list[Interaction] = related(
        "list",
        risk_flag.c.flag_no,
        flag_evidence.c.flag_no,
        about="The interactions behind it, the newest first.",
        order=(Order("ORDINAL", flag_evidence.c.ordinal),),
        through=(flag_evidence, flag_evidence.c.interaction_no == interaction.c.fact_no),
    )
    customer: Annotated["Customer", strawberry.lazy("hub.api.types.customer")] = related(  # type: ignore[name-defined]  # noqa: F821
        "one", risk_flag.c.customer_no, card.c.customer_no, about="Whom it concerns."
    )


@strawberry.type(description="Points that one rule adds.")
class RiskReason:
    rule: str = strawberry.field(description="The rule's name.")
    points: int = strawberry.field(description="Its points.")
    text: str = strawberry.field(description="Why, in words.")


@strawberry.type(description="How likely a customer is to be lost, by points that people can read.")
class RiskScore:
    __reads__ = Rows(card, (card.c.customer_no,))

    points: int = column(card.c.risk_points, "0 to 100.")
    band: RiskBand = column(card.c.risk_band, "The band of the points.")
    probability: float | None = floor(VALUE_MODELS, "The probability that the points have meant so far.")
    as_of: DateTime = column(card.c.risk_as_of, "The instant it was computed for.", instant)
    reasons: list[RiskReason] = column(card.c.risk_reasons, "The rules that add to it.", texts)


@strawberry.type(description="How a customer feels, by what they said.")
class Sentiment:
    score: float | None = strawberry.field(description="Mean of the observations, -1 to 1.")
    observation_count: int = strawberry.field(description="How many there are.")
    trend: Trend | None = strawberry.field(description="The last ones against the earlier; null below two.")
    last_observed_at: DateTime | None = strawberry.field(description="When the last one was made.")


def sentiment(_scope: Scope, score: int | None, count: int, trend: str | None, at: int | None) -> dict[str, Any] | None:
    """The Sentiment of a card's columns; null where nobody said anything."""
    if not count:
        return None
    return {
        "score": None if score is None else millionths(score),
        "observationCount": count,
        "trend": trend,
        "lastObservedAt": None if at is None else instant(at),
    }


@strawberry.type(description="What a customer will be worth.")
class CustomerValue:
    predicted: Money | None = strawberry.field(description="Expected contribution within the horizon.")
    horizon_months: int | None = strawberry.field(description="How far the prediction looks.")
    probability_alive: float | None = strawberry.field(description="The probability that the customer still buys.")
    model: str | None = strawberry.field(description="By which model.")
    reason: str | None = strawberry.field(description="Why there is no prediction.")


def flags_of(parent: Any, about: str) -> Any:
    """The open flags of a customer, the worst first."""
    return related(
        "list",
        parent,
        risk_flag.c.customer_no,
        about=about,
        order=(Order("SEVERITY", risk_flag.c.severity_rank, True), Order("SINCE", risk_flag.c.since)),
        where=lambda scope, arguments: (risk_flag.c.state == "OPEN",),
    )
