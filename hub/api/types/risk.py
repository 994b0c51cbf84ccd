"""What is at risk: scores, flags with their evidence, and what to do about them."""

from typing import Annotated, Any

import strawberry

from hub.api.declare import Kept, Order, Rows, column, expression, floor, related, same_row
from hub.api.render import AT_STAKE, FLAG, INSTANT, LIST, RATIO, prefixed
from hub.api.types.activity import Interaction, interaction
from hub.api.types.connection import Node
from hub.api.types.money import Money, derived_as_of
from hub.api.types.scalars import DateTime
from hub.api.types.words import Channel, FlagState, RiskBand, Severity, Trend
from hub.insight.shortlist import MOST_FLAGS
from hub.store.derived import customer_card as card
from hub.store.derived import flag_evidence, risk_flag

VALUE_MODELS = "later: predicted value"


@strawberry.type(description="What to do about a flag.")
class Action:
    kind: str = column(risk_flag.c.action_kind, "What to do.")
    channel: Channel = column(risk_flag.c.action_channel, "On which channel.")
    not_before: DateTime = column(risk_flag.c.action_not_before, "From when.", INSTANT)
    not_after: DateTime = column(risk_flag.c.action_not_after, "Until when it helps.", INSTANT)
    skill: str = column(risk_flag.c.action_skill, "Who can do it.")
    why: str = column(risk_flag.c.action_why, "Why it may help.")
    blocked_by: str | None = column(risk_flag.c.action_blocked_by, "Why it must not be done now; null where it may.")


# What a card has of each of its worst flags, in this order.
_KEPT = ("flag_no", "rule", "severity", "since", "points", "message")


def at_stake(amount: Any, owner: Any, about: str) -> Any:
    """A field with an amount in the reporting currency, shown in the one asked for at the last derivation's rate."""
    return expression((amount, derived_as_of(owner)), AT_STAKE, about, money=True)


@strawberry.type(description="A rule of rules/risk.yml that holds for a customer.")
class RiskFlag(Node):
    __reads__ = Rows(risk_flag, (risk_flag.c.flag_no,), "flg", risk_flag.c.customer_no)

    id: strawberry.ID = column(risk_flag.c.flag_no, "Lasting while it stays open.", prefixed("flg"))
    rule: str = column(risk_flag.c.rule, "The rule's name.")
    severity: Severity = column(risk_flag.c.severity, "How bad it is.")
    state: FlagState = column(risk_flag.c.state, "Whether it still holds.")
    since: DateTime = column(risk_flag.c.since, "When what it warns of began.", INSTANT)
    points: int = column(risk_flag.c.points, "What it adds to the score.")
    message: str = column(risk_flag.c.message, "What is wrong, in words.")
    clears_when: str = column(risk_flag.c.clears_when, "What clears it, in words.")
    contactable: bool | None = column(risk_flag.c.contactable, "Whether consent allows the action's channel.", FLAG)
    value_at_risk: Money | None = at_stake(
        risk_flag.c.value_at_risk, risk_flag.c.customer_no, "What is at stake; null where not known."
    )
    action: Action = same_row("What to do about it.")
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
    as_of: DateTime = column(card.c.risk_as_of, "The instant it was computed for.", INSTANT)
    reasons: list[RiskReason] = column(card.c.risk_reasons, "The rules that add to it.", LIST)


@strawberry.type(description="How a customer feels, by what they said.")
class Sentiment:
    score: float | None = column(card.c.sentiment, "Mean of the observations, -1 to 1.", RATIO)
    observation_count: int = column(card.c.sentiment_count, "How many there are.")
    trend: Trend | None = column(card.c.sentiment_trend, "The last ones against the earlier; null below two.")
    last_observed_at: DateTime | None = column(card.c.sentiment_at, "When the last one was made.", INSTANT)


@strawberry.type(description="What a customer will be worth.")
class CustomerValue:
    predicted: Money | None = strawberry.field(description="Expected contribution within the horizon.")
    horizon_months: int | None = strawberry.field(description="How far the prediction looks.")
    probability_alive: float | None = strawberry.field(description="The probability that the customer still buys.")
    model: str | None = strawberry.field(description="By which model.")
    reason: str | None = strawberry.field(description="Why there is no prediction.")


def flags_of(owner: Any, about: str) -> Any:
    """The open flags of a card's customer, the worst first."""
    return related(
        "list",
        owner.c.customer_no,
        risk_flag.c.customer_no,
        about=about,
        order=(Order("SEVERITY", risk_flag.c.severity_rank, True), Order("SINCE", risk_flag.c.since)),
        where=lambda scope, arguments: (risk_flag.c.state == "OPEN",),
        kept=Kept(owner.c.flags, tuple(risk_flag.c[name] for name in _KEPT), MOST_FLAGS, owner.c.open_flag_count),
    )
