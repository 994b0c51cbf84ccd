"""Insight of the customers that are due, about a thousand in one transaction.

In: mapped facts, the kept logs, the rulebook, the instant `as_of`. Out: every derived row of those customers written
anew, the outbox, and their due marks taken off. Nothing here asks for the time of day.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import Connection, text

from hub.identity.survive import survive
from hub.insight.card import cards
from hub.insight.journey import journeys
from hub.insight.metrics import metrics
from hub.insight.profitability import entries, profitability
from hub.insight.publish import publish, remember_cards
from hub.insight.risk import risk
from hub.insight.scratch import empty
from hub.store.batch import fill_batch
from hub.store.derived import OWNED_BY_CUSTOMER
from mappings.rulebook import Rulebook

CODE_VERSION = 2  # raised where the same rules would give other rows than before: then everybody is due

# In the order of their numbers, so that the same customers meet in the same batch on both databases.
_DUE = (
    "SELECT customer_no FROM customer WHERE dirty = TRUE ORDER BY customer_no LIMIT :most",
    "SELECT customer_no FROM customer WHERE due_at <= :as_of ORDER BY customer_no LIMIT :most",
    "SELECT customer_no FROM customer WHERE rules_version < :version OR rules_version > :version OR"
    " rules_version IS NULL ORDER BY customer_no LIMIT :most",
)

_GONE = """
INSERT INTO gone (customer_no)
SELECT b.customer_no FROM batch b
WHERE NOT EXISTS (
  SELECT 1 FROM profile_ledger l JOIN profile p ON p.profile_no = l.profile_no WHERE l.customer_no = b.customer_no)
"""
_FAREWELL = (
    "DELETE FROM customer WHERE customer_no IN (SELECT customer_no FROM gone)",
    "DELETE FROM batch WHERE customer_no IN (SELECT customer_no FROM gone)",
)
_CLEAR_FLAGS = """
UPDATE flag_log SET cleared_at = :as_of
WHERE cleared_at IS NULL AND customer_no IN (SELECT customer_no FROM gone) RETURNING flag_no
"""
_SETTLE = """
UPDATE customer SET dirty = FALSE, derived_as_of = :as_of, rules_version = :version
WHERE customer_no IN (SELECT customer_no FROM batch)
"""


@dataclass(frozen=True, slots=True)
class Derived:
    """What one derivation did."""

    customers: int
    flags_raised: int
    flags_cleared: int


def rules_version(rulebook: Rulebook) -> str:
    """A hash of everything that insight depends on besides facts: another one makes every customer due."""
    said = rulebook.model_dump(mode="json", exclude={"access": True, "company": {"sources": True, "retention": True}})
    said["trust"] = list(rulebook.company.sources)
    return blake2b(json.dumps([CODE_VERSION, said]).encode(), digest_size=8).hexdigest()


def due(connection: Connection, as_of: int, rules_version: str, limit: int) -> list[int]:
    """At most `limit` customers that are to be derived: changed, past their due_at, or derived by other rules."""
    binds = {"as_of": as_of, "version": rules_version, "most": limit}
    found: dict[int, None] = {}
    for statement in _DUE:
        if len(found) < limit:
            found |= dict.fromkeys(connection.scalars(text(statement), binds))
    return sorted(found)[:limit]


def derive(connection: Connection, rulebook: Rulebook, as_of: int, customer_nos: Sequence[int]) -> Derived:
    """Writes the insight of these customers as of `as_of` (µs), in the caller's one transaction.

    Customers without a profile (merged or erased) lose what was derived. The same call again changes nothing.
    """
    count = fill_batch(connection, customer_nos)
    remember_cards(connection)
    _forget(connection)
    gone_flags = _part(connection, as_of)
    survive(connection, rulebook, list(rulebook.company.sources))
    journeys(connection, rulebook, as_of)
    entries(connection, rulebook, as_of)
    profitability(connection)
    metrics(connection, rulebook, as_of)
    raised, cleared = risk(connection, rulebook, as_of)
    cards(connection, rulebook, as_of)
    publish(connection, as_of, raised, [*gone_flags, *cleared])
    connection.execute(text(_SETTLE), {"as_of": as_of, "version": rules_version(rulebook)})
    return Derived(count, len(raised), len(cleared) + len(gone_flags))


def _forget(connection: Connection) -> None:
    for table, owner in OWNED_BY_CUSTOMER.items():
        connection.execute(text(f"DELETE FROM {table} WHERE {owner} IN (SELECT customer_no FROM batch)"))  # noqa: S608
    connection.execute(text("UPDATE customer SET due_at = NULL WHERE customer_no IN (SELECT customer_no FROM batch)"))


def _part(connection: Connection, as_of: int) -> list[int]:
    """Takes customers without a profile out of the batch and clears their flags, whose numbers it returns."""
    empty(connection, "gone")
    connection.execute(text(_GONE))
    cleared = sorted(connection.scalars(text(_CLEAR_FLAGS), {"as_of": as_of}))
    for statement in _FAREWELL:
        connection.execute(text(statement))
    return cleared
