"""What is at stake with a flag. In: the open flags of the batch, agreements and invoices. Out: an amount each.

In the reporting currency, in thousandths of its minor unit. All is counted from the instant at which the flag was
raised, at that day's rate, so that a flag's value is the same whenever it is derived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from hub.expression import duration
from hub.insight.money import Rates, half_even
from mappings.rulebook import Rulebook, Stake

YEAR = 365 * 86_400_000_000
MONTHS = 12
NEVER = 2**62

_AGREEMENTS = """
SELECT a.customer_no, a.recurring_amount AS amount, a.currency, a.period_months, a.starts_at, a.ends_at
FROM batch b JOIN agreement a ON a.customer_no = b.customer_no
WHERE a.status IN ('ACTIVE', 'PAST_DUE') AND a.recurring_amount IS NOT NULL AND a.period_months > 0
ORDER BY a.fact_no
"""
_INVOICES = """
SELECT i.customer_no, COALESCE(i.amount_open, i.amount) AS amount, i.currency
FROM batch b JOIN invoice i ON i.customer_no = b.customer_no
WHERE i.status = 'OPEN' AND i.issued_at <= :as_of AND COALESCE(i.amount_open, i.amount) IS NOT NULL
ORDER BY i.fact_no
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A flag whose value is asked for: whose it is, what of theirs is at stake, and since when it is raised."""

    flag_no: int
    customer_no: int
    stakes: tuple[Stake, ...]
    raised_at: int


def values_at_risk(connection: Connection, rulebook: Rulebook, as_of: int, claims: Iterable[Claim]) -> dict[int, int]:
    """Flag number to what is at stake; a flag without anything known is not among them.

    What cannot be converted for want of a rate is left out, as unknown parts are everywhere.
    """
    rates, to = Rates(rulebook.company), rulebook.company.reporting_currency
    horizon = duration(rulebook.risk.at_risk_horizon, "risk.yml: at_risk_horizon")
    agreements = _by_customer(connection, _AGREEMENTS, {})
    invoices = _by_customer(connection, _INVOICES, {"as_of": as_of})
    found: dict[int, int] = {}
    for claim in claims:
        amounts = [(recurring(a, claim, horizon), a.currency) for a in agreements[claim.customer_no]]
        amounts = amounts if {"RECURRING", "RENEWAL"} & set(claim.stakes) else []
        if "INVOICES" in claim.stakes:
            amounts += [(invoice.amount, invoice.currency) for invoice in invoices[claim.customer_no]]
        converted = [rates.convert(amount, currency, to, claim.raised_at) for amount, currency in amounts if currency]
        known = [amount for amount in converted if amount is not None]
        if known:
            found[claim.flag_no] = sum(known)
    return found


def recurring(agreement: Any, claim: Claim, horizon: int) -> int:
    """What the agreement brings within `horizon` µs after the flag was raised; with RENEWAL beyond its end too.

    Periods are counted as shares of a year of 365 days; the amount is rounded half-even.
    """
    begins = max(agreement.starts_at, claim.raised_at)
    ends = claim.raised_at + horizon
    if agreement.ends_at is not None and "RENEWAL" not in claim.stakes:
        ends = min(ends, agreement.ends_at)
    return half_even(agreement.amount * MONTHS * max(ends - begins, 0), agreement.period_months * YEAR)


def _by_customer(connection: Connection, query: str, binds: dict[str, int]) -> dict[int, list[Any]]:
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(text(query), binds):
        rows[row.customer_no].append(row)
    return rows
