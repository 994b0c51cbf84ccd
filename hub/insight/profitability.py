"""What a customer is worth so far, line by line and in every configured currency.

In: the books' money entries and the cost to serve of the batch, its steps, dated rates. Out: entry, entry_value,
profitability, step_value. SQL sums; whatever multiplies or divides an amount is done here, in exact integers.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, text

from hub.insight.cost import costs_to_serve
from hub.insight.money import Rates, half_even
from hub.store.bulk import insert_rows
from hub.store.derived import entry_value
from hub.store.derived import profitability as profitability_table
from hub.store.mapped import ITEM_BITS
from mappings.rulebook import Rulebook

MILLION = 1_000_000
LATER = 2**61  # sorts what comes after a date behind everything before it

# An entry belongs to the step of its interaction, else to the one that its date falls into: the last one entered by
# then, or the first one.
_BOOKS = """
INSERT INTO entry (entry_no, customer_no, organization_no, at, kind, basis, amount, currency, source, stream, key,
                   interaction_no, step_no, stage, channel)
WITH booked AS (
  SELECT m.fact_no, m.customer_no, m.organization_no, m.at, m.kind, m.basis, m.amount, m.currency, m.source, m.stream,
         m.landing_no, i.fact_no AS interaction_no, i.channel, s.step_no, s.stage
  FROM batch b
  JOIN money_entry m ON m.customer_no = b.customer_no
  LEFT JOIN interaction i
    ON i.fact_no = m.landing_no * :items + m.interaction_item AND i.customer_no = m.customer_no
  LEFT JOIN step_interaction s ON s.interaction_no = i.fact_no
), dated AS (
  SELECT k.fact_no, s.step_no, s.stage, ROW_NUMBER() OVER (
           PARTITION BY k.fact_no
           ORDER BY CASE WHEN s.entered_at <= k.at THEN -s.entered_at ELSE s.entered_at + :later END, s.step_no
         ) AS place
  FROM booked k JOIN journey_step s ON s.customer_no = k.customer_no
  WHERE k.step_no IS NULL
)
SELECT k.fact_no, k.customer_no, k.organization_no, k.at, k.kind, k.basis, k.amount, k.currency, k.source, k.stream,
       l.key, k.interaction_no, COALESCE(k.step_no, d.step_no), COALESCE(k.stage, d.stage), k.channel
FROM booked k
JOIN landing l ON l.landing_no = k.landing_no
LEFT JOIN dated d ON d.fact_no = k.fact_no AND d.place = 1
"""

_TO_CONVERT = """
SELECT e.entry_no, e.customer_no, e.amount, e.currency, e.at FROM batch b JOIN entry e ON e.customer_no = b.customer_no
"""

_SUMS = """
SELECT v.customer_no, v.currency,
       CAST(SUM(CASE WHEN e.kind = 'REVENUE' THEN v.amount END) AS BIGINT) AS revenue,
       CAST(SUM(CASE WHEN e.kind = 'REFUND' THEN v.amount END) AS BIGINT) AS refunds,
       CAST(SUM(CASE WHEN e.kind IN ('COGS', 'FEE') THEN v.amount END) AS BIGINT) AS direct_cost,
       CAST(SUM(CASE WHEN e.kind = 'COST_TO_SERVE' THEN v.amount END) AS BIGINT) AS cost_to_serve,
       COUNT(*) AS entries, COUNT(v.amount) AS known
FROM batch b
JOIN entry e ON e.customer_no = b.customer_no AND e.kind IN {kinds}
JOIN entry_value v ON v.entry_no = e.entry_no
GROUP BY v.customer_no, v.currency
"""

_STEPS = """
INSERT INTO step_value (step_no, currency, customer_no, revenue, cost, contribution)
SELECT step_no, currency, customer_no, revenue, cost,
       CASE WHEN revenue IS NOT NULL OR cost IS NOT NULL THEN COALESCE(revenue, 0) - COALESCE(cost, 0) END
FROM (
  SELECT e.step_no, v.currency, v.customer_no,
         CAST(SUM(CASE e.kind WHEN 'REVENUE' THEN v.amount WHEN 'REFUND' THEN -v.amount END) AS BIGINT) AS revenue,
         CAST(SUM(CASE WHEN e.kind NOT IN ('REVENUE', 'REFUND') THEN v.amount END) AS BIGINT) AS cost
  FROM batch b
  JOIN entry e ON e.customer_no = b.customer_no AND e.kind IN {kinds}
  JOIN entry_value v ON v.entry_no = e.entry_no
  WHERE e.step_no IS NOT NULL
  GROUP BY e.step_no, v.currency, v.customer_no
) AS sums
"""

# What a contribution is made of. Tax is not ours; what it cost to win a customer stands apart.
CONTRIBUTION_KINDS = ("REVENUE", "REFUND", "COGS", "FEE", "COST_TO_SERVE")
_KINDS = f"({', '.join(repr(kind) for kind in CONTRIBUTION_KINDS)})"


def entries(connection: Connection, rulebook: Rulebook, as_of: int) -> None:
    """Writes every line of the contribution of the customers in `batch`, which have none, in each currency."""
    connection.execute(text(_BOOKS), {"items": 1 << ITEM_BITS, "later": LATER})
    costs_to_serve(connection, rulebook.cost, as_of)
    rates, currencies = Rates(rulebook.company), _currencies(rulebook)
    rows = [
        (entry_no, to, customer_no, *_converted(rates, amount, currency, to, at))
        for entry_no, customer_no, amount, currency, at in connection.execute(text(_TO_CONVERT)).all()
        for to in currencies
    ]
    insert_rows(connection, entry_value, ("entry_no", "currency", "customer_no", "amount", "rate"), rows)


def profitability(connection: Connection) -> None:
    """Sums the entries of the customers in `batch` to profitability and step_value; what is not known stays null."""
    rows = [_worth(_Sums(*row)) for row in connection.execute(text(_SUMS.format(kinds=_KINDS)))]
    insert_rows(connection, profitability_table, _WORTH, rows)
    connection.execute(text(_STEPS.format(kinds=_KINDS)))


def _currencies(rulebook: Rulebook) -> list[str]:
    company = rulebook.company
    return sorted({company.reporting_currency, *company.currencies})


def _converted(rates: Rates, amount: int | None, currency: str, to: str, at: int) -> tuple[int | None, str | None]:
    span = rates.span(currency, to, at)
    if span is None:
        return None, None
    return None if amount is None else span.convert(amount), span.shown


class _Sums(NamedTuple):
    customer_no: int
    currency: str
    revenue: int | None
    refunds: int | None
    direct_cost: int | None
    cost_to_serve: int | None
    entries: int
    known: int


_WORTH = (*_Sums._fields[:6], "contribution", "margin", "coverage")


def _worth(sums: _Sums) -> tuple[int | str | None, ...]:
    """A row of profitability: the contribution of what is known, its margin and how much of it is known."""
    known = [sums.revenue] if sums.revenue is not None else []
    known += [-part for part in (sums.refunds, sums.direct_cost, sums.cost_to_serve) if part is not None]
    contribution = sum(known) if known else None
    net = (sums.revenue or 0) - (sums.refunds or 0)
    margin = None if contribution is None or net <= 0 else half_even(contribution * MILLION, net)
    return (*sums[:6], contribution, margin, half_even(sums.known * MILLION, sums.entries))
