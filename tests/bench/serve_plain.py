"""What a good Python team writes without a planner: Strawberry resolvers with DataLoaders over asyncpg.

In: DATABASE_URL; GraphQL over HTTP. Out: the same answers as the hub's for the benchmark's operations. Parsed and
validated documents are cached.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from enum import Enum

import asyncpg
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from tests.bench.serve_answers import Customer, PageInfo, customer_of
from tests.bench.serve_loaders import Loaders


@strawberry.type
class CustomerEdge:
    cursor: str
    node: Customer


@strawberry.type
class Customers:
    edges: list[CustomerEdge]
    page_info: PageInfo


@strawberry.enum
class Kind(Enum):
    PERSON = "PERSON"
    ORGANIZATION = "ORGANIZATION"


@strawberry.enum
class RiskBand(Enum):
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


@strawberry.enum
class CustomerOrderField(Enum):
    VALUE_AT_RISK = "VALUE_AT_RISK"


@strawberry.enum
class Direction(Enum):
    DESC = "DESC"


@strawberry.input
class KindMatch:
    eq: Kind


@strawberry.input
class BandMatch:
    in_: list[RiskBand] = strawberry.field(name="in")


@strawberry.input
class WordMatch:
    in_: list[str] = strawberry.field(name="in")


@strawberry.input
class DateRange:
    from_: date = strawberry.field(name="from")


@strawberry.input
class CustomerFilter:
    risk_band: BandMatch
    kind: KindMatch
    country: WordMatch
    last_seen: DateRange


@strawberry.input
class CustomerOrder:
    field: CustomerOrderField
    direction: Direction


@strawberry.input
class CustomerBy:
    id: strawberry.ID


_BY_ID = """SELECT c.* FROM customer_ledger l
JOIN customer_card c ON c.customer_no = coalesce(l.merged_into, l.customer_no) WHERE l.public_id = $1"""
_ALL = "SELECT * FROM customer_card WHERE customer_no > $1 ORDER BY customer_no LIMIT $2"
_SOME = """SELECT * FROM customer_card
WHERE risk_band = ANY($1) AND kind = $2 AND country = ANY($3) AND last_seen >= $4
ORDER BY value_at_risk DESC NULLS LAST, customer_no DESC LIMIT $5"""


@strawberry.type
class Query:
    @strawberry.field
    async def customer(self, by: CustomerBy) -> Customer | None:
        row = await app.state.pool.fetchrow(_BY_ID, by.id)
        return None if row is None else customer_of(row)

    @strawberry.field
    async def customers(
        self,
        first: int,
        after: str | None = None,
        filter: CustomerFilter | None = None,
        order_by: list[CustomerOrder] | None = None,
    ) -> Customers:
        if filter is None:
            rows = await app.state.pool.fetch(_ALL, int(after or 0), first + 1)
        else:
            begins = datetime.combine(filter.last_seen.from_, datetime.min.time(), UTC)
            said = ([band.value for band in filter.risk_band.in_], filter.kind.eq.value, filter.country.in_)
            rows = await app.state.pool.fetch(_SOME, *said, int(begins.timestamp()) * 1_000_000, first + 1)
        edges = [CustomerEdge(cursor=str(row["customer_no"]), node=customer_of(row)) for row in rows[:first]]
        ends = PageInfo(has_next_page=len(rows) > first, end_cursor=edges[-1].cursor if edges else None)
        return Customers(edges=edges, page_info=ends)


class Served(GraphQL[Loaders, None]):
    """Strawberry's own view, with loaders a request."""

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Loaders:
        return Loaders(app.state.pool)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """A pool of connections for the process."""
    settings = {"jit": "off", "timezone": "UTC"}
    app.state.pool = await asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=8, max_size=8, server_settings=settings
    )
    yield
    await app.state.pool.close()


schema = strawberry.Schema(Query, extensions=[ParserCache, ValidationCache])
app = Starlette(routes=[Route("/graphql", Served(schema))], lifespan=lifespan)
