"""Money: what every amount looks like, what a customer is worth, and the entries behind it."""

from collections.abc import Callable
from typing import Any

import strawberry
from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, select

from hub.api.declare import Order, Rows, column, expression, related
from hub.api.render import AS_IS, INSTANT, MONEY, OWN_MONEY, RATIO, prefixed
from hub.api.scope import Scope
from hub.api.types.connection import Connection
from hub.api.types.scalars import DateTime
from hub.api.types.words import Basis, MoneyKind
from hub.insight.profitability import CONTRIBUTION_KINDS
from hub.store.derived import customer, entry, entry_value, profitability


@strawberry.type(description="An exact amount.")
class Money:
    amount: str = strawberry.field(description="A decimal with the currency's own number of decimals.")
    currency: str = strawberry.field(description="ISO 4217.")


def exact_sum(summed: ColumnElement[Any]) -> ColumnElement[Any]:
    """SUM as bigint on both databases (PostgreSQL's is numeric)."""
    return cast(func.sum(summed), BigInteger)


def derived_as_of(owner: ColumnElement[Any]) -> ColumnElement[Any]:
    """The instant that the rules called now when they last derived the customer."""
    return select(customer.c.derived_as_of).where(customer.c.customer_no == owner).scalar_subquery()


def known(read: ColumnElement[Any], about: str) -> Any:
    """A field with an amount that stands in the scope's currency."""
    return column(read, about, MONEY)


def looked_up(pick: Callable[[Scope], Select[Any]], about: str) -> Any:
    """A field with an amount that a scalar select finds in the scope's currency."""
    return expression(lambda scope: (pick(scope).scalar_subquery(),), MONEY, about, money=True)


def _converted(pick: ColumnElement[Any]) -> Callable[[Scope], tuple[ColumnElement[Any]]]:
    def read(scope: Scope) -> tuple[ColumnElement[Any]]:
        match = (entry_value.c.entry_no == entry.c.entry_no, entry_value.c.currency == scope.currency)
        return (select(pick).where(*match).correlate(entry).scalar_subquery(),)

    return read


@strawberry.type(description="One line of a contribution: an entry of the books, or the cost of an interaction.")
class Entry:
    __reads__ = Rows(entry, (entry.c.entry_no,), "ent", entry.c.customer_no)

    id: strawberry.ID = column(entry.c.entry_no, "Lasting.", prefixed("ent"))
    at: DateTime = column(entry.c.at, "The date that the books give it.", INSTANT)
    kind: MoneyKind = column(entry.c.kind, "What it is.")
    basis: Basis = column(entry.c.basis, "How it is known.")
    amount: Money | None = expression((entry.c.amount, entry.c.currency), OWN_MONEY, "In its own currency.")
    converted: Money | None = expression(
        _converted(entry_value.c.amount), MONEY, "In the currency asked for.", money=True
    )
    rate: str | None = expression(
        _converted(entry_value.c.rate), AS_IS, "Units of the currency asked for, for one of its own."
    )
    source: str = column(entry.c.source, "The source that says it.")
    stream: str = column(entry.c.stream, "The stream there.")
    key: str = column(entry.c.key, "The record's key there.")
    rule: str | None = column(entry.c.rule, "The rule in rules/cost.yml that made it; null for the books' own.")
    interaction_id: strawberry.ID | None = column(
        entry.c.interaction_no, "The interaction that it belongs to.", prefixed("int")
    )


@strawberry.type(description="What a customer is worth so far: the sum of what is known. Null is unknown, never 0.")
class Profitability:
    __reads__ = Rows(profitability, (profitability.c.customer_no, profitability.c.currency))

    revenue: Money | None = known(profitability.c.revenue, "Net revenue before refunds.")
    refunds: Money | None = known(profitability.c.refunds, "Paid back; positive.")
    direct_cost: Money | None = known(profitability.c.direct_cost, "Cost of goods and fees.")
    cost_to_serve: Money | None = known(profitability.c.cost_to_serve, "What serving the customer took.")
    contribution: Money | None = known(profitability.c.contribution, "Revenue less refunds and known costs.")
    margin: float | None = column(
        profitability.c.margin, "Contribution over revenue less refunds; null where that is 0.", RATIO
    )
    coverage: float | None = column(profitability.c.coverage, "The share of entries whose amount is known.", RATIO)
    entries: Connection[Entry] = related(
        "connection",
        profitability.c.customer_no,
        entry.c.customer_no,
        about="The entries behind the figures, the newest first.",
        order=(Order("AT", entry.c.at, True),),
        where=lambda scope, arguments: (entry.c.kind.in_(CONTRIBUTION_KINDS),),
    )
