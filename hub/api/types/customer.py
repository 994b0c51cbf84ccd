"""The customer: everything that hangs on one card."""

from typing import Any

import strawberry
from sqlalchemy import ColumnElement, or_

from hub.api.declare import Beside, Kept, Order, Rows, column, expression, floor, in_currency, related, same_row
from hub.api.render import INSTANT, LIST, told
from hub.api.scope import Scope
from hub.api.types.activity import Interaction, Journey, interaction
from hub.api.types.connection import Connection, Node
from hub.api.types.identity import Identity
from hub.api.types.money import Money, Profitability, derived_as_of
from hub.api.types.party import (
    Agreement,
    BuyingGroup,
    Identifier,
    Member,
    Profile,
    Provenance,
    agreement,
    identifiers_of,
    profiles_of,
    provenance_of,
)
from hub.api.types.risk import (
    VALUE_MODELS,
    CustomerValue,
    RiskFlag,
    RiskScore,
    Sentiment,
    at_stake,
    flags_of,
)
from hub.api.types.scalars import DateTime
from hub.api.types.words import Kind, MarketState, StageKey
from hub.insight.shortlist import MOST_INTERACTIONS
from hub.store.derived import customer_card as card
from hub.store.derived import journey, member
from hub.store.derived import profitability as worth

# What a card has of its profitability, and of each of its newest interactions, in this order.
_WORTH = ("customer_no", "revenue", "refunds", "direct_cost", "cost_to_serve", "contribution", "margin", "coverage")
_LATEST = ("fact_no", "at", "type", "channel", "lane", "source", "summary")


def _names(scope: Scope) -> dict[str, str | None]:
    return {key: stage.name for key, stage in scope.house.rulebook.journey.stages.items()}


def _owners(scope: Scope) -> dict[str, str | None]:
    return {key: stage.owner for key, stage in scope.house.rulebook.journey.stages.items()}


@strawberry.type(description="Where a customer stands on the journey.")
class Stage:
    key: StageKey = column(card.c.stage, "The stage.")
    name: str | None = expression((card.c.stage,), told(_names), "Its name in rules/journey.yml.")
    since: DateTime | None = column(card.c.stage_since, "Since when.", INSTANT)
    owner: str | None = expression((card.c.stage,), told(_owners), "Who in the company owns it.")


def _current(_scope: Scope, _arguments: Any) -> tuple[ColumnElement[bool]]:
    return (or_(member.c.until.is_(None), member.c.until > derived_as_of(member.c.organization_no)),)


@strawberry.type(description="A person or organization, as all sources together know it.")
class Customer(Node):
    __reads__ = Rows(card, (card.c.customer_no,), "cus", card.c.customer_no)

    id: strawberry.ID = column(card.c.public_id, "Opaque and lasting; a merged id redirects.")
    kind: Kind = column(card.c.kind, "Person or organization.")
    display_name: str | None = column(card.c.display_name, "The name to show.")
    emails: list[str] = column(card.c.emails, "E-mail addresses, the best first. 100 at most.", LIST)
    phones: list[str] = column(card.c.phones, "Phone numbers (E.164), the best first. 100 at most.", LIST)
    birth_date: str | None = column(card.c.birth_date, "Date of birth, YYYY-MM-DD.")
    country: str | None = column(card.c.country, "ISO 3166-1 alpha-2.")
    language: str | None = column(card.c.language, "ISO 639-1.")
    market_state: MarketState = column(card.c.market_state, "How near to buying.")
    stage: Stage | None = same_row("The current stage of the journey.", card.c.stage.is_not(None))
    first_seen: DateTime | None = column(card.c.first_seen, "The first trace of this customer.", INSTANT)
    last_seen: DateTime | None = column(card.c.last_seen, "The last trace of this customer.", INSTANT)
    updated_at: DateTime = column(card.c.updated_at, "When anything on this card last changed.", INSTANT)
    open_case_count: int = column(card.c.open_case_count, "Requests and complaints that are not closed.")
    interaction_count: int = column(card.c.interaction_count, "Interactions on record.")
    value_at_risk: Money | None = at_stake(card.c.value_at_risk, card.c.customer_no, "What is at stake.")
    sentiment: Sentiment | None = same_row(
        "How the customer feels; null where nothing was said.", card.c.sentiment_count > 0
    )
    risk_score: RiskScore = same_row("How likely the customer is to be lost.")
    risk_flags: list[RiskFlag] = flags_of(card, "Open flags, the worst first.")
    identifiers: list[Identifier] = identifiers_of(card.c.customer_no, "All that identifies the customer.")
    profiles: list[Profile] = profiles_of(card.c.customer_no, "The sources' own views.")
    provenance: list[Provenance] = provenance_of(card.c.customer_no, "Where golden values come from.")
    identity: Identity = same_row("Why the profiles are one customer.")
    profitability: Profitability | None = related(
        "one",
        card.c.customer_no,
        worth.c.customer_no,
        about="What the customer is worth so far; null where no money is on record.",
        where=lambda scope, arguments: (worth.c.currency == scope.currency,),
        arguments=[in_currency()],
        kept=Beside(card.c.has_profitability, {worth.c[name]: card.c[name] for name in _WORTH}),
    )
    value: CustomerValue | None = floor(VALUE_MODELS, "What the customer will be worth.", [in_currency()])
    timeline: Connection[Interaction] = related(
        "connection",
        card.c.customer_no,
        interaction.c.customer_no,
        interaction.c.organization_no,
        about="What happened, the newest first; of an organization, with its members' interactions.",
        order=(Order("AT", interaction.c.at, True),),
        gates=(None, card.c.kind == "ORGANIZATION"),
        kept=Kept(
            card.c.latest, tuple(interaction.c[name] for name in _LATEST), MOST_INTERACTIONS, card.c.timeline_count
        ),
    )
    journeys: list[Journey] = related(
        "list",
        card.c.customer_no,
        journey.c.customer_no,
        about="Ways through the stages, the first one first.",
        order=(Order("ORDINAL", journey.c.ordinal),),
    )
    agreements: list[Agreement] = related(
        "list",
        card.c.customer_no,
        agreement.c.customer_no,
        about="Subscriptions and contracts, the newest first.",
        order=(Order("STARTS_AT", agreement.c.starts_at, True),),
    )
    members: Connection[Member] = related(
        "connection",
        card.c.customer_no,
        member.c.organization_no,
        about="The people of an organization; none of a person.",
        order=(Order("SINCE", member.c.since),),
        where=_current,
    )
    buying_group: BuyingGroup | None = same_row(
        "The members of an organization that show interest; null for a person.", card.c.kind == "ORGANIZATION"
    )
