"""Filters, orders and other inputs. What a filter compares is declared beside it."""

from typing import Annotated, Any, Generic, TypeVar

import strawberry

from hub.api.declare import READS, Folded, Order, Worded
from hub.api.types.scalars import Date
from hub.api.types.words import (
    CustomerOrderField,
    Direction,
    FlagState,
    Kind,
    MarketState,
    Nulls,
    RiskBand,
    RiskFlagOrderField,
    Severity,
    StageKey,
)
from hub.store.derived import customer_card as card
from hub.store.derived import risk_flag

W = TypeVar("W")


def _where(column: Any, about: str) -> Any:
    """A filter on one column."""
    return strawberry.field(description=about, metadata={READS: column}, default=strawberry.UNSET)


def _plain(about: str, **more: Any) -> Any:
    return strawberry.field(description=about, default=strawberry.UNSET, **more)


@strawberry.input(description="Which words a field may hold.")
class Match(Generic[W]):
    eq: W | None = _plain("This one; null: unknown.")
    in_: list[W] | None = _plain("Any of these. 1,000 at most.", name="in")


@strawberry.input(description="Which texts a field may hold.")
class TextMatch:
    eq: str | None = _plain("This one; null: unknown.")
    in_: list[str] | None = _plain("Any of these. 1,000 at most.", name="in")
    starts_with: str | None = _plain("Begins so, letter by letter.")


@strawberry.input(description="A range of days in the reporting time zone, both included.")
class DateRange:
    from_: Date | None = _plain("The first day.", name="from")
    to: Date | None = _plain("The last day.")


@strawberry.input(description="A range of whole numbers, both ends included.")
class IntRange:
    gte: int | None = _plain("This or more.")
    lte: int | None = _plain("This or less.")


@strawberry.input(description="All that is said must hold.")
class CustomerFilter:
    kind: Match[Kind] | None = _where(card.c.kind, "Person or organization.")
    search: str | None = _where(
        Worded(card.c.customer_no), "Names, e-mails or phones have words that begin with every word of this."
    )
    display_name: TextMatch | None = _where(
        Folded(card.c.display_name_key), "The name to show, whatever the case and the accents."
    )
    interaction_count: IntRange | None = _where(card.c.interaction_count, "Interactions on record.")
    country: Match[str] | None = _where(card.c.country, "ISO 3166-1 alpha-2.")
    language: Match[str] | None = _where(card.c.language, "ISO 639-1.")
    market_state: Match[MarketState] | None = _where(card.c.market_state, "How near to buying.")
    stage: Match[StageKey] | None = _where(card.c.stage, "The current stage.")
    risk_band: Match[RiskBand] | None = _where(card.c.risk_band, "The band of the risk score.")
    risk_points: IntRange | None = _where(card.c.risk_points, "The risk score.")
    open_case_count: IntRange | None = _where(card.c.open_case_count, "Cases that are not closed.")
    first_seen: DateRange | None = _where(card.c.first_seen, "The first trace.")
    last_seen: DateRange | None = _where(card.c.last_seen, "The last trace.")
    updated_at: DateRange | None = _where(card.c.updated_at, "When the card last changed.")
    and_: list[Annotated["CustomerFilter", strawberry.lazy("hub.api.types.inputs")]] | None = _plain(
        "All of these hold.", name="and"
    )
    or_: list[Annotated["CustomerFilter", strawberry.lazy("hub.api.types.inputs")]] | None = _plain(
        "One of these holds.", name="or"
    )
    not_: Annotated["CustomerFilter", strawberry.lazy("hub.api.types.inputs")] | None = _plain(
        "This does not hold.", name="not"
    )


@strawberry.input(description="All that is said must hold.")
class RiskFlagFilter:
    severity: Match[Severity] | None = _where(risk_flag.c.severity, "How bad it is.")
    state: Match[FlagState] | None = _where(risk_flag.c.state, "Whether it still holds.")
    rule: Match[str] | None = _where(risk_flag.c.rule, "The rule's name.")
    since: DateRange | None = _where(risk_flag.c.since, "When what it warns of began.")
    contactable: bool | None = _where(risk_flag.c.contactable, "Whether consent allows the action's channel.")


@strawberry.input(description="One sort key; the first counts most, ties are told apart by id.")
class CustomerOrder:
    field: CustomerOrderField = strawberry.field(description="What is compared.")
    direction: Direction | None = _plain("ASC unless said.")
    nulls: Nulls | None = _plain("LAST unless said, both ways.")


@strawberry.input(description="One sort key; the first counts most, ties are told apart by id.")
class RiskFlagOrder:
    field: RiskFlagOrderField = strawberry.field(description="What is compared.")
    direction: Direction | None = _plain("ASC unless said.")
    nulls: Nulls | None = _plain("LAST unless said, both ways.")


@strawberry.input(description="Another system's id.")
class ExternalId:
    source: str = strawberry.field(description="The source (or outside register) that issued it.")
    value: str = strawberry.field(description="The id there.")
    stream: str | None = _plain("The stream, where ids repeat among a source's streams.")


@strawberry.input(description="How a customer is looked up: exactly one of these.", one_of=True)
class CustomerBy:
    id: strawberry.ID | None = _plain("The customer's id; a merged id redirects.")
    email: str | None = _plain("An e-mail address.")
    phone: str | None = _plain("A phone number, as people write it.")
    external_id: ExternalId | None = _plain("Another system's id.")


@strawberry.input(description="A profile, by its source, stream and key.")
class ProfileInput:
    source: str = strawberry.field(description="The source.")
    stream: str = strawberry.field(description="The stream there.")
    key: str = strawberry.field(description="The record's key there.")


def _orders(**columns: Any) -> dict[str, Order]:
    return {name: Order(name, column) for name, column in columns.items()}


CUSTOMER_ORDERS = _orders(
    VALUE_AT_RISK=card.c.value_at_risk,
    CONTRIBUTION=card.c.contribution,
    RISK_POINTS=card.c.risk_points,
    DISPLAY_NAME=card.c.display_name_key,
    FIRST_SEEN=card.c.first_seen,
    LAST_SEEN=card.c.last_seen,
    UPDATED_AT=card.c.updated_at,
    OPEN_CASE_COUNT=card.c.open_case_count,
)
RISK_FLAG_ORDERS = _orders(
    VALUE_AT_RISK=risk_flag.c.value_at_risk, SEVERITY=risk_flag.c.severity_rank, SINCE=risk_flag.c.since
)
