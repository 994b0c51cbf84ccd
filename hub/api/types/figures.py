"""Figures over many customers: the journey as a map, profitability by group, the whale curve."""

import strawberry

from hub.api.types.money import Money
from hub.api.types.words import GroupDimension


@strawberry.type(description="A stop of the journey map.")
class Stop:
    key: str = strawberry.field(description="The stage.")
    customer_count: int = strawberry.field(description="Customers that came by.")
    entry_count: int = strawberry.field(description="How often it was entered.")
    exit_count: int = strawberry.field(description="How often a journey ended here.")
    median_days: float | None = strawberry.field(description="Median stay of those who left.")
    sentiment: float | None = strawberry.field(description="Mean over its steps, -1 to 1.")
    revenue: Money | None = strawberry.field(description="Revenue within.")
    cost: Money | None = strawberry.field(description="Known cost within.")
    contribution: Money | None = strawberry.field(description="Contribution within.")


@strawberry.type(description="From one stop straight to another.")
class Transition:
    from_: str = strawberry.field(name="from", description="The stop left.")
    to: str = strawberry.field(description="The stop entered.")
    count: int = strawberry.field(description="How often.")
    customer_count: int = strawberry.field(description="By how many customers.")
    median_days: float | None = strawberry.field(description="Median time from entering the one to entering the other.")


@strawberry.type(description="The journeys of a segment as a graph.")
class JourneyMap:
    journey_count: int = strawberry.field(description="Journeys with a step that began in the range.")
    stops: list[Stop] = strawberry.field(description="The stops, in the order of the stages. 100 at most.")
    transitions: list[Transition] = strawberry.field(description="The ways between them. 400 at most.")


@strawberry.type(description="One part of a group's name.")
class GroupKey:
    dimension: GroupDimension = strawberry.field(description="What it is grouped by.")
    value: str | None = strawberry.field(description="The value; null where it is unknown.")


@strawberry.type(description="What a group earns and costs.")
class GroupProfitability:
    group: list[GroupKey] = strawberry.field(description="The group, one part a dimension. 100 at most.")
    customer_count: int = strawberry.field(description="Customers with an entry in it.")
    revenue: Money | None = strawberry.field(description="Net revenue before refunds.")
    refunds: Money | None = strawberry.field(description="Paid back; positive.")
    direct_cost: Money | None = strawberry.field(description="Cost of goods and fees.")
    cost_to_serve: Money | None = strawberry.field(description="What serving took.")
    contribution: Money | None = strawberry.field(description="Revenue less refunds and known costs.")
    margin: float | None = strawberry.field(description="Contribution over revenue less refunds.")
    coverage: float | None = strawberry.field(description="The share of entries whose amount is known.")


@strawberry.type(description="A slice of the customers, from the most to the least profitable.")
class WhaleBucket:
    bucket: int = strawberry.field(description="1 is the most profitable.")
    customer_count: int = strawberry.field(description="Customers in the slice.")
    cumulative_contribution: Money | None = strawberry.field(description="Contribution up to and with this slice.")
    cumulative_share: float | None = strawberry.field(
        description="Of the whole; above 1 where later slices lose money, null where the whole is not above 0."
    )
