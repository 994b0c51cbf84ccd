"""Agreements, invoices and consent for a Told world, and its derivation. In: a writing connection. Out: facts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from hub.insight.journey import journeys
from hub.insight.metrics import metrics
from hub.insight.risk import risk
from hub.store.batch import fill_batch
from hub.store.derived import OWNED_BY_CUSTOMER
from mappings.rulebook import Rulebook
from tests.hub.insight.told import Told


class Dealt(Told):
    """A Told world with contracts and bills."""

    def agreement(self, owner: int, starts_at: int, ends_at: int | None = None, **more: Any) -> int:
        """A running agreement over 29.00 EUR a month, unless `more` says otherwise."""
        terms = {"status": "ACTIVE", "recurring_amount": 2_900_000, "currency": "EUR", "period_months": 1}
        columns = {"starts_at": starts_at, "ends_at": ends_at} | terms | self._owners(owner) | more
        return self._record("agreement", "books", "agreements", columns)

    def invoice(self, owner: int, issued_at: int, due_at: int | None, amount_open: int | None, **more: Any) -> int:
        """An open invoice."""
        columns = {"issued_at": issued_at, "due_at": due_at, "amount": amount_open, "amount_open": amount_open}
        columns |= {"status": "OPEN", "currency": "EUR"} | self._owners(owner) | more
        return self._record("invoice", "books", "invoices", columns)

    def consent(self, owner: int, channel: str, granted: bool, at: int, purpose: str = "marketing") -> int:
        """A decision about a channel."""
        columns = {"channel": channel, "purpose": purpose, "granted": granted, "at": at} | self._owners(owner)
        return self._record("consent", "crm", "consents", columns)


def assess(connection: Connection, rulebook: Rulebook, as_of: int, *customers: int) -> tuple[list[int], list[int]]:
    """What a derivation does about risk: forgets what was derived of these customers, writes it anew.

    Returns the flags raised and cleared. due_at is then what journeys, metrics, rules and consent made of it.
    """
    fill_batch(connection, customers)
    for table, owner in OWNED_BY_CUSTOMER.items():
        connection.execute(text(f"DELETE FROM {table} WHERE {owner} IN (SELECT customer_no FROM batch)"))  # noqa: S608
    connection.execute(text("UPDATE customer SET due_at = NULL WHERE customer_no IN (SELECT customer_no FROM batch)"))
    journeys(connection, rulebook, as_of)
    metrics(connection, rulebook, as_of)
    return risk(connection, rulebook, as_of)


def flagged(connection: Connection, customer: int) -> list[str]:
    """The rules of the customer's open flags, in the order of the alphabet."""
    query = text("SELECT rule FROM risk_flag WHERE customer_no = :c AND state = 'OPEN'")
    return sorted(connection.scalars(query, {"c": customer}))


def due_at(connection: Connection, customer: int) -> int | None:
    """When the customer is to be derived again although nothing happens."""
    found: int | None = connection.scalar(text("SELECT due_at FROM customer WHERE customer_no = :c"), {"c": customer})
    return found
