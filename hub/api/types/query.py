"""The roots of the graph that read: every field names the function that answers it."""

import strawberry

from hub.api.declare import Computed, Listed, One, argument, declared, in_currency, paging
from hub.api.read import earnings, journey_map, lookup, trust
from hub.api.types.connection import Connection, Node
from hub.api.types.customer import Customer
from hub.api.types.figures import GroupProfitability, JourneyMap, WhaleBucket
from hub.api.types.inputs import CustomerBy, CustomerFilter, CustomerOrder, RiskFlagFilter, RiskFlagOrder
from hub.api.types.review import Review
from hub.api.types.risk import RiskFlag
from hub.api.types.scalars import Date
from hub.api.types.sources import Reconciliation, Source
from hub.api.types.words import GroupDimension, JourneyLevel

_ORDER = "What counts first, second …; 5 keys at most. By id unless said."
_RANGE = [
    argument("from_", Date | None, "The first day, in the reporting time zone."),
    argument("to", Date | None, "The last day; included."),
]
_RANGE[0].graphql_name = "from"


def _of_customers(about: str) -> list[strawberry.types.arguments.StrawberryArgument]:
    return [argument("filter", CustomerFilter | None, about)]


@strawberry.type(description="What can be read.")
class Query:
    node: Node | None = declared(
        One(lookup.node),
        "Anything by its id; a merged customer id redirects.",
        [argument("id", strawberry.ID, "The id.")],
    )
    customer: Customer | None = declared(
        One(lookup.customer),
        "One customer; null where nobody matches, and with the error AMBIGUOUS where several do.",
        [argument("by", CustomerBy, "How to find the customer.")],
    )
    customers: Connection[Customer] = declared(
        Listed(lookup.customers),
        "All customers, or those that a filter leaves.",
        [
            *paging(),
            *_of_customers("Which customers."),
            argument("order_by", list[CustomerOrder] | None, _ORDER),
        ],
    )
    search_customers: Connection[Customer] = declared(
        Listed(lookup.search),
        "Customers whose names, e-mails or phones have words that begin with every word of the text; by name.",
        [argument("text", str, "What to look for."), *paging()],
    )
    risk_flags: Connection[RiskFlag] = declared(
        Listed(lookup.risk_flags),
        "Risk flags of all customers, or those that a filter leaves.",
        [
            *paging(),
            argument("filter", RiskFlagFilter | None, "Which flags."),
            argument("order_by", list[RiskFlagOrder] | None, _ORDER),
        ],
    )
    reviews: Connection[Review] = declared(
        Listed(lookup.reviews),
        "Pairs of profiles that wait for a steward, the likeliest first; one pair of any two customers.",
        [*paging(), argument("source", str | None, "Only pairs of which this source knows a side.")],
    )
    journey_map: JourneyMap = declared(
        Computed(journey_map.journey_map),
        "The journeys of a segment as a graph: of steps that began in the range.",
        [
            *_RANGE,
            argument("level", JourneyLevel | None, "What a stop is; a stage unless said."),
            *_of_customers("Whose journeys."),
            in_currency(),
        ],
    )
    profitability: list[GroupProfitability] = declared(
        Computed(earnings.profitability),
        "What groups earn and cost, by the entries dated in the range; ordered by the group. 1,000 at most.",
        [
            argument("group_by", list[GroupDimension], "What to group by; 4 at most, none is one group."),
            *_RANGE,
            *_of_customers("Whose entries."),
            in_currency(),
        ],
    )
    whale_curve: list[WhaleBucket] = declared(
        Computed(earnings.whale_curve),
        "Cumulative contribution from the most to the least profitable customers.",
        [
            in_currency(),
            argument("buckets", int | None, "How many slices, 1 to 100; 10 unless said.", 10),
            *_of_customers("Which customers."),
        ],
    )
    sources: list[Source] = declared(Computed(trust.sources), "The sources, the most trusted first. 100 at most.")
    reconciliation: list[Reconciliation] = declared(
        Computed(trust.reconciliation), "Each stream's money beside the source's own, in its own currencies."
    )
