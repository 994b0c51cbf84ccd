"""The types of the plain Strawberry server. In: rows of the hub's tables. Out: what the documents select."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from json import loads

import strawberry
from strawberry.types import Info

from tests.bench.serve_loaders import Loaders, Row


def _instant(micros: int) -> datetime:
    return datetime.fromtimestamp(micros // 1_000_000, UTC)


@strawberry.type
class Money:
    amount: str
    currency: str


def _euros(amount: int) -> str:
    return str((Decimal(amount) / 100_000).quantize(Decimal("0.01")))


def _money(amount: int | None) -> Money | None:
    return None if amount is None else Money(amount=_euros(amount), currency="EUR")


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Stage:
    key: str
    since: datetime | None


@strawberry.type
class RiskScore:
    points: int
    band: str


@strawberry.type
class RiskFlag:
    id: strawberry.ID
    rule: str
    severity: str
    since: datetime


@strawberry.type
class Profitability:
    revenue: Money | None
    contribution: Money | None
    margin: float | None


@strawberry.type
class Interaction:
    id: strawberry.ID
    at: datetime
    type: str
    channel: str
    lane: str
    source: str
    summary: str | None
    sentiment: float | None


@strawberry.type
class InteractionEdge:
    cursor: str
    node: Interaction


@strawberry.type
class Timeline:
    edges: list[InteractionEdge]
    page_info: PageInfo


def _interaction(row: Row) -> InteractionEdge:
    sentiment = row["sentiment"]
    node = Interaction(
        id=strawberry.ID(f"int_{row['fact_no']}"),
        at=_instant(row["at"]),
        type=row["type"],
        channel=row["channel"],
        lane=row["lane"],
        source=row["source"],
        summary=row["summary"],
        sentiment=None if sentiment is None else sentiment / 1_000_000,
    )
    return InteractionEdge(cursor=f"{row['at']}-{row['fact_no']}", node=node)


@strawberry.type
class Customer:
    row: strawberry.Private[Row]
    id: strawberry.ID
    kind: str
    display_name: str | None
    country: str | None
    language: str | None
    market_state: str
    open_case_count: int
    updated_at: datetime

    @strawberry.field
    def first_seen(self) -> datetime | None:
        return None if self.row["first_seen"] is None else _instant(self.row["first_seen"])

    @strawberry.field
    def last_seen(self) -> datetime | None:
        return None if self.row["last_seen"] is None else _instant(self.row["last_seen"])

    @strawberry.field
    def emails(self) -> list[str]:
        emails: list[str] = loads(self.row["emails"])
        return emails

    @strawberry.field
    def stage(self) -> Stage | None:
        key, since = self.row["stage"], self.row["stage_since"]
        return None if key is None else Stage(key=key, since=None if since is None else _instant(since))

    @strawberry.field
    def risk_score(self) -> RiskScore:
        return RiskScore(points=self.row["risk_points"], band=self.row["risk_band"])

    @strawberry.field
    async def profitability(self, info: Info[Loaders, None], currency: str) -> Profitability | None:
        row = await info.context.worth.load(self.row["customer_no"])
        if row is None:
            return None
        margin = None if row["margin"] is None else row["margin"] / 1_000_000
        return Profitability(revenue=_money(row["revenue"]), contribution=_money(row["contribution"]), margin=margin)

    @strawberry.field
    async def risk_flags(self, info: Info[Loaders, None]) -> list[RiskFlag]:
        return [
            RiskFlag(
                id=strawberry.ID(f"flg_{row['flag_no']}"),
                rule=row["rule"],
                severity=row["severity"],
                since=_instant(row["since"]),
            )
            for row in await info.context.flags.load(self.row["customer_no"])
        ]

    @strawberry.field
    async def timeline(self, info: Info[Loaders, None], first: int) -> Timeline:
        rows = await info.context.timeline(first + 1).load(self.row["customer_no"])
        edges = [_interaction(row) for row in rows[:first]]
        more = len(rows) > first
        return Timeline(
            edges=edges, page_info=PageInfo(has_next_page=more, end_cursor=edges[-1].cursor if edges else None)
        )


def customer_of(row: Row) -> Customer:
    return Customer(
        row=row,
        id=strawberry.ID(row["public_id"]),
        kind=row["kind"],
        display_name=row["display_name"],
        country=row["country"],
        language=row["language"],
        market_state=row["market_state"],
        open_case_count=row["open_case_count"],
        updated_at=_instant(row["updated_at"]),
    )
