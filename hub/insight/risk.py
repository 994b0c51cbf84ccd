"""Risk: which rules hold, since when, what that makes of the score. In: metrics of the batch and rules/risk.yml.

Out: score_log and flag_log (appended only on change), and with hub/insight/flag.py risk_flag and flag_evidence. A flag
keeps its number from raised to cleared, also over a remap, because flag_log outlives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, text, update

from hub.expression import Condition, ExpressionError, Kind, Name, Scope, compile_condition, duration
from hub.insight.flag import Fired, check_flag, in_words, write_flags
from hub.insight.market import market_state, signs
from hub.insight.metrics import Place, flip_sql, lower_due, metric_kinds
from hub.store.kept import flag_log, score_log
from hub.store.listing import json_list
from mappings.model import KINDS, STAGES
from mappings.rulebook import Journey, Risk, Rulebook

MOST_POINTS = 100
LOWEST_BAND = "LOW"
MARKET_STATES = ("ADDRESSABLE", "OBTAINABLE", "ACTIVE")
_STATE = {
    "kind": Name("f.kind", "text", KINDS),
    "stage": Name("f.stage", "text", STAGES),
    "market_state": Name("f.market_state", "text", MARKET_STATES),
}

# The stage is the last step's of the last journey, and ENDED once that journey is over: as the card says it.
_FIGURES = """
figure AS (
    SELECT b.customer_no{pivot} FROM batch b LEFT JOIN metric m ON m.customer_no = b.customer_no
    GROUP BY b.customer_no
), step AS (
    SELECT s.customer_no, CASE WHEN j.ended_at IS NULL THEN s.stage ELSE 'ENDED' END AS stage,
        ROW_NUMBER() OVER (PARTITION BY s.customer_no ORDER BY j.ordinal DESC, s.ordinal DESC) AS age
    FROM batch b JOIN journey_step s ON s.customer_no = b.customer_no JOIN journey j ON j.journey_no = s.journey_no
), {market}, f AS (
    SELECT figure.*, c.kind, s.stage, {market_state} AS market_state FROM figure
    JOIN customer_ledger c ON c.customer_no = figure.customer_no AND c.merged_into IS NULL
    LEFT JOIN step s ON s.customer_no = figure.customer_no AND s.age = 1
    LEFT JOIN market k ON k.customer_no = figure.customer_no
)
"""
_MARKET = """
heard AS (SELECT t.owner, {signs} FROM touch t GROUP BY t.owner), interested AS (
    SELECT g.organization_no, COUNT(*) AS people
    FROM batch b JOIN buying_group_member g ON g.organization_no = b.customer_no GROUP BY g.organization_no
), market AS (
    SELECT b.customer_no, h.active, h.obtainable, i.people FROM batch b
    LEFT JOIN heard h ON h.owner = b.customer_no LEFT JOIN interested i ON i.organization_no = b.customer_no
)
"""
_LAST_SCORES = """
SELECT b.customer_no, s.points, s.band, s.reasons
FROM batch b JOIN score_log s ON s.customer_no = b.customer_no
WHERE s.log_no = (SELECT MAX(l.log_no) FROM score_log l WHERE l.customer_no = b.customer_no)
"""
_CALM = """
INSERT INTO score_log (customer_no, as_of, points, band, reasons, rules_version)
SELECT b.customer_no, CAST(:as_of AS BIGINT), 0, CAST(:band AS TEXT), '[]', CAST(:version AS TEXT)
FROM batch b JOIN customer_ledger c ON c.customer_no = b.customer_no AND c.merged_into IS NULL
LEFT JOIN score_log s ON s.log_no = (SELECT MAX(l.log_no) FROM score_log l WHERE l.customer_no = b.customer_no)
WHERE (s.log_no IS NULL OR s.reasons <> '[]' OR s.band <> CAST(:band AS TEXT))
    AND NOT EXISTS (
        SELECT 1 FROM flag_log g WHERE g.customer_no = b.customer_no AND g.cleared_at IS NULL
    )
ORDER BY b.customer_no
"""
_OPEN = """
SELECT g.flag_no, g.customer_no, g.rule, g.raised_at
FROM batch b JOIN flag_log g ON g.customer_no = b.customer_no
WHERE g.cleared_at IS NULL ORDER BY g.flag_no
"""


@dataclass(frozen=True, slots=True)
class _Plan:
    """The compiled rules: conditions in the file's order, what each metric holds, and the SQL of all figures."""

    conditions: dict[str, Condition]
    kinds: dict[str, Kind]
    figures: str
    version: str


def risk(connection: Connection, rulebook: Rulebook, as_of: int) -> tuple[list[int], list[int]]:
    """Evaluates every rule for the customers in `batch`: writes logs, flags and evidence, lowers their due_at.

    Returns the numbers of the flags raised and of those cleared. `metric` and the journeys must be written before.
    """
    plan = _plan(rulebook)
    found = _fire(connection, rulebook, plan, as_of)
    flips = [flip_sql(base, offset) for condition in plan.conditions.values() for base, offset in condition.flips]
    if flips:
        select = f"WITH {plan.figures} SELECT f.customer_no, {', '.join(flips)} FROM f"  # noqa: S608
        lower_due(connection, select, len(flips), as_of)
    open_flags, raised, cleared = _log_flags(connection, found, plan.version, as_of)
    _log_scores(connection, rulebook, found, plan.version, as_of)
    write_flags(connection, rulebook, [(one, open_flags[one.customer_no, one.rule]) for one in found], as_of)
    return raised, cleared


def band(risk: Risk, points: int) -> str:
    """The band of a score: the highest whose points it reaches, LOW below all."""
    reached = [(least, name) for name, least in risk.bands.items() if points >= least]
    return max(reached)[1] if reached else LOWEST_BAND


def check_risk(rulebook: Rulebook) -> Iterator[tuple[Place, str]]:
    """Every problem of rules/risk.yml that the metrics and the rule language know of: where, and what is wrong.

    Raises ExpressionError where the metrics themselves are wrong; see check_metrics.
    """
    kinds = metric_kinds(rulebook.metrics)
    for name, rule in rulebook.risk.rules.items():
        try:
            compile_condition(rule.when, _scope(tuple(kinds.items())))
        except ExpressionError as error:
            yield ("rules", name, "when"), error.what
        for place, what in check_flag(rule, kinds):
            yield ("rules", name, *place), what
    try:
        duration(rulebook.risk.at_risk_horizon)
    except ExpressionError as error:
        yield ("at_risk_horizon",), error.what


def _plan(rulebook: Rulebook) -> _Plan:
    kinds = metric_kinds(rulebook.metrics)
    scope = _scope(tuple(kinds.items()))
    rules = rulebook.risk.rules.items()
    conditions = {name: compile_condition(rule.when, scope, f"risk.yml: {name}.when") for name, rule in rules}
    said = rulebook.metrics.model_dump_json() + rulebook.risk.model_dump_json()
    version = blake2b(said.encode(), digest_size=8).hexdigest()
    return _Plan(conditions, kinds, _figures(rulebook.journey, kinds, conditions), version)


@lru_cache(maxsize=16)
def _scope(kinds: tuple[tuple[str, Kind], ...]) -> Scope:
    return Scope("a risk rule", {name: Name(f'f."{name}"', kind) for name, kind in kinds} | _STATE)


def _figures(journey: Journey, kinds: Mapping[str, Kind], conditions: Mapping[str, Condition]) -> str:
    """`f`: a row for each customer of the batch that is nobody else by now, its metrics and standing as columns.

    The market state needs every touch, so it is worked out only where a rule names it.
    """
    pivot = "".join(f""", MAX(CASE WHEN m.name = '{n}' THEN m.value END) AS "{n}" """ for n in kinds)
    market, state = "market AS (SELECT customer_no FROM batch)", "NULL"
    if any("market_state" in condition.columns for condition in conditions.values()):
        market = _MARKET.format(signs=signs(journey))
        state = market_state(journey, "k.active", "k.obtainable", "k.people", "s.stage")
    return _FIGURES.format(pivot=pivot, market=market, market_state=state)


def _fire(connection: Connection, rulebook: Rulebook, plan: _Plan, as_of: int) -> list[Fired]:
    """Every rule that holds, by customer and in the file's order."""
    if not plan.conditions:
        return []
    dialect = connection.dialect.name
    tests = [f"CASE WHEN {condition.sql(dialect)} THEN 1 ELSE 0 END" for condition in plan.conditions.values()]
    columns = ", ".join(f"{test} AS holds_{number}" for number, test in enumerate(tests))
    some = " + ".join(f"holds_{number}" for number in range(len(tests)))
    statement = f"""
        WITH {plan.figures}
        SELECT * FROM (SELECT f.*, {columns} FROM f) AS held WHERE {some} > 0 ORDER BY customer_no
    """  # noqa: S608
    rows = connection.execute(text(statement), {"as_of": as_of} if ":as_of" in statement else {}).mappings()
    return [
        in_words(rulebook, plan.kinds, rule, row)
        for row in rows
        for number, rule in enumerate(plan.conditions)
        if row[f"holds_{number}"]
    ]


def _log_flags(
    connection: Connection, found: list[Fired], version: str, as_of: int
) -> tuple[dict[tuple[int, str], Row[Any]], list[int], list[int]]:
    """Raises and clears in flag_log what changed; returns the open flags, and the numbers raised and cleared."""
    before = _open_flags(connection)
    holds = {(one.customer_no, one.rule) for one in found}
    new = [
        {"customer_no": one.customer_no, "rule": one.rule, "raised_at": as_of, "rules_version": version}
        for one in found
        if (one.customer_no, one.rule) not in before
    ]
    cleared = sorted(row.flag_no for key, row in before.items() if key not in holds)
    if new:
        connection.execute(insert(flag_log), new)
    if cleared:
        done = update(flag_log).where(flag_log.c.flag_no == bindparam("number")).values(cleared_at=as_of)
        connection.execute(done, [{"number": number} for number in cleared])
    after = _open_flags(connection) if new else before
    return after, sorted(row.flag_no for key, row in after.items() if key not in before), cleared


def _open_flags(connection: Connection) -> dict[tuple[int, str], Row[Any]]:
    return {(row.customer_no, row.rule): row for row in connection.execute(text(_OPEN))}


def _log_scores(connection: Connection, rulebook: Rulebook, found: list[Fired], version: str, as_of: int) -> None:
    """Appends the scores that differ from the last ones; those of 0 in one statement, the others row by row."""
    last = {row.customer_no: (row.points, row.band, row.reasons) for row in connection.execute(text(_LAST_SCORES))}
    scores = []
    for customer_no, held in groupby(found, lambda one: one.customer_no):
        points, reasons = _score(rulebook, list(held))
        now = (points, band(rulebook.risk, points), reasons)
        if last.get(customer_no) != now:
            kept = dict(zip(("points", "band", "reasons"), now, strict=True))
            scores.append({"customer_no": customer_no, "as_of": as_of, **kept, "rules_version": version})
    if scores:
        connection.execute(insert(score_log), scores)
    connection.execute(text(_CALM), {"as_of": as_of, "band": band(rulebook.risk, 0), "version": version})


def _score(rulebook: Rulebook, held: list[Fired]) -> tuple[int, str]:
    """The points, at most 100, and the reasons as JSON, the weightiest first."""
    weighed = [(rulebook.risk.rules[one.rule].points, one) for one in held]
    weighed.sort(key=lambda pair: -pair[0])
    reasons = [{"rule": one.rule, "points": points, "text": one.message} for points, one in weighed]
    total = min(sum(points for points, _ in weighed), MOST_POINTS)
    return total, json_list(reasons)
