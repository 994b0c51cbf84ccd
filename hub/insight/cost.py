"""Cost to serve: time-driven activity-based costing (Kaplan, Anderson 2004).

In: interactions of the batch and rules/cost.yml: minutes a touch, and what a minute costs. Out: entries of kind
COST_TO_SERVE, basis ESTIMATED, exact integers; null where a rule counts the measured time and nobody measured it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection, text

from hub.expression import ExpressionError, compile_condition, entity_scope, hint
from hub.insight.metrics import Place
from hub.insight.money import half_even
from hub.insight.touch import quoted
from hub.store.bulk import insert_rows
from hub.store.derived import entry
from mappings.converting.currencies import DECIMALS, THOUSANDTHS, decimals
from mappings.rulebook import Cost, CostRate

SECONDS_A_MINUTE = 60

_COLUMNS = (
    "entry_no", "interaction_no", "customer_no", "organization_no", "at", "source", "stream", "key", "step_no", "stage",
    "channel", "rule", "kind", "basis", "amount", "currency",
)  # fmt: skip
_MATCHED = """
SELECT m.rule, m.duration_s,
       -m.fact_no, m.fact_no, m.customer_no, m.organization_no, m.at, m.source, m.stream, l.key, s.step_no, s.stage,
       m.channel, m.rule
FROM (
  SELECT i.fact_no, i.landing_no, i.customer_no, i.organization_no, i.at, i.source, i.stream, i.duration_s, i.channel,
         CASE {rules} END AS rule
  FROM batch b JOIN interaction i ON i.customer_no = b.customer_no
  WHERE i.at <= :as_of
) AS m
JOIN landing l ON l.landing_no = m.landing_no
LEFT JOIN step_interaction s ON s.interaction_no = m.fact_no
WHERE m.rule IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a minute of a group of people costs, exactly, in thousandths of the currency's minor unit."""

    a_minute: Fraction
    currency: str
    capacity: Fraction | None = None  # minutes that can be worked in the period of the costs

    def cost(self, minutes: Fraction) -> int:
        """The cost of so many minutes, half-even."""
        cost = self.a_minute * minutes
        return half_even(cost.numerator, cost.denominator)

    def unused(self, minutes: Fraction) -> int | None:
        """What the capacity costs that so many used minutes leave over; null where no capacity is said."""
        return None if self.capacity is None else self.cost(self.capacity) - self.cost(minutes)


def tariff(rate: CostRate) -> Tariff:
    """The tariff of a rate: as it is said, or a period's costs over its minutes."""
    unit = THOUSANDTHS * 10 ** decimals(rate.currency)
    if rate.capacity is None:
        return Tariff(Fraction(rate.per_minute or 0) * unit, rate.currency)
    minutes = Fraction(rate.capacity.minutes)
    return Tariff(Fraction(rate.capacity.costs) * unit / minutes, rate.currency, minutes)


def costs_to_serve(connection: Connection, rules: Cost, as_of: int) -> None:
    """Writes an entry for every interaction of the customers in `batch` that a cost rule holds for, the first one."""
    if not rules.rules:
        return
    tariffs = {name: tariff(rules.rates[rule.rate]) for name, rule in rules.rules.items()}
    fixed = {name: None if rule.minutes is None else Fraction(rule.minutes) for name, rule in rules.rules.items()}
    known: dict[tuple[str, int | None], tuple[int | None, str]] = {}
    rows = []
    for rule, seconds, *line in connection.execute(text(_statement(rules, connection.dialect.name)), {"as_of": as_of}):
        cost = known.get((rule, seconds))
        if cost is None:
            cost = known[rule, seconds] = (_cost(tariffs[rule], fixed[rule], seconds), tariffs[rule].currency)
        rows.append((*line, "COST_TO_SERVE", "ESTIMATED", *cost))
    insert_rows(connection, entry, _COLUMNS, rows)


def check_cost(rules: Cost) -> Iterator[tuple[Place, str]]:
    """Every problem of rules/cost.yml beyond its shape: where in the file, and what is wrong."""
    for name, rate in rules.rates.items():
        if rate.currency not in DECIMALS:
            yield ("rates", name, "currency"), f"`{rate.currency}` is no currency{hint(rate.currency, DECIMALS)}"
    for name, rule in rules.rules.items():
        if rule.rate not in rules.rates:
            what = f"`{rule.rate}` is no rate; allowed: {', '.join(rules.rates)}{hint(rule.rate, rules.rates)}"
            yield ("rules", name, "rate"), what
        try:
            if compile_condition(rule.when, entity_scope("interaction", "i"), "").flips:
                yield ("rules", name, "when"), "as_of may not stand here: what a touch cost does not change with time"
        except ExpressionError as error:
            yield ("rules", name, "when"), error.what


def _cost(charged: Tariff, minutes: Fraction | None, seconds: int | None) -> int | None:
    if minutes is not None:
        return charged.cost(minutes)
    return None if seconds is None else charged.cost(Fraction(seconds, SECONDS_A_MINUTE))


def _statement(rules: Cost, dialect: str) -> str:
    scope = entity_scope("interaction", "i")
    cases = [
        f"WHEN {compile_condition(rule.when, scope, f'cost.yml: {name}').sql(dialect)} THEN {quoted(name)}"
        for name, rule in rules.rules.items()
    ]
    return _MATCHED.format(rules=" ".join(cases))
