"""Journeys: which stages a customer went through, when, and where that differs from the plan.

In: the touches of the batch (touch.py) and rules/journey.yml. Out: journey, journey_step, step_interaction, deviation.
A journey breaks where an ended customer starts anew and where silence is as long as `ends_after`.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from hub.expression import duration
from hub.insight.market import buying_groups
from hub.insight.metrics import lower_due
from hub.insight.scratch import empty
from hub.insight.touch import fill_touches, quoted
from mappings.model import CHANNELS, STAGES
from mappings.rulebook import Journey, Rulebook

DAY = 86_400_000_000
RESTARTS = ("INITIATION", "WIN_BACK")
BOUGHT = STAGES[STAGES.index("BUYING") : STAGES.index("ENDED")]

# A touch without evidence of its own belongs to the stage before it, or to the first one: hence `part`.
_WALK = """
INSERT INTO walk
  (owner, seq, interaction_no, at, lane, channel, sentiment, stage, journey, step, journey_no, step_no)
WITH parted AS (
  SELECT t.*, COUNT(stage) OVER (PARTITION BY owner ORDER BY seq ROWS UNBOUNDED PRECEDING) AS part FROM touch t
), placed AS (
  SELECT owner, seq, interaction_no, at, lane, channel, sentiment,
         MAX(stage) OVER (PARTITION BY owner, CASE WHEN part = 0 THEN 1 ELSE part END) AS stage
  FROM parted
), compared AS (
  SELECT p.*, LAG(at) OVER w AS at_before, LAG(stage) OVER w AS stage_before
  FROM placed p WHERE stage IS NOT NULL
  WINDOW w AS (PARTITION BY owner ORDER BY seq)
), broken AS (
  SELECT c.*, CASE WHEN at_before IS NULL OR at - at_before >= :silence
                     OR (stage_before = 'ENDED' AND stage IN ({restarts})) THEN 1 ELSE 0 END AS breaks
  FROM compared c
), counted AS (
  SELECT b.*, SUM(breaks) OVER w AS journey,
         SUM(CASE WHEN breaks = 1 OR stage <> stage_before THEN 1 ELSE 0 END) OVER w AS step
  FROM broken b
  WINDOW w AS (PARTITION BY owner ORDER BY seq ROWS UNBOUNDED PRECEDING)
)
SELECT owner, seq, interaction_no, at, lane, channel, sentiment, stage, journey, step,
       FIRST_VALUE(interaction_no) OVER (PARTITION BY owner, journey ORDER BY seq),
       FIRST_VALUE(interaction_no) OVER (PARTITION BY owner, step ORDER BY seq)
FROM counted
"""

_JOURNEYS = """
INSERT INTO journey (journey_no, customer_no, ordinal, definition, started_at, ended_at, outcome)
WITH trip AS (
  SELECT owner, journey, journey_no, MIN(at) AS started_at, MAX(at) AS last_at, MAX(step) AS last_step,
         MAX(CASE WHEN stage IN ({bought}) THEN 1 ELSE 0 END) AS bought
  FROM walk GROUP BY owner, journey, journey_no
), finish AS (
  SELECT t.*, s.stage AS last_stage, s.entered_at AS last_entered_at,
         CASE WHEN COALESCE(LEAD(t.started_at) OVER (PARTITION BY t.owner ORDER BY t.journey), :as_of) - t.last_at
                >= :silence THEN 1 ELSE 0 END AS silent
  FROM trip t
  JOIN (SELECT owner, step, stage, MIN(at) AS entered_at FROM walk GROUP BY owner, step, stage) s
    ON s.owner = t.owner AND s.step = t.last_step
)
SELECT journey_no, owner, journey, :definition, started_at,
       CASE WHEN last_stage = 'ENDED' THEN last_entered_at WHEN silent = 1 THEN last_at END,
       CASE WHEN last_stage <> 'ENDED' AND silent = 0 THEN NULL WHEN bought = 0 THEN 'LOST'
            WHEN last_stage = 'ENDED' THEN 'ENDED' ELSE 'WON' END
FROM finish
"""

_STEPS = """
INSERT INTO journey_step
  (step_no, journey_no, customer_no, ordinal, stage, entered_at, left_at, expected_days, overdue,
   customer_interaction_count, brand_interaction_count, channels, sentiment)
WITH plan AS ({plan}), step AS (
  SELECT owner, journey_no, journey, step, step_no, stage, MIN(at) AS entered_at,
         SUM(CASE WHEN lane = 'CUSTOMER' THEN 1 ELSE 0 END) AS customer_count,
         SUM(CASE WHEN lane = 'BRAND' THEN 1 ELSE 0 END) AS brand_count,
         {channels} AS channels, CAST(SUM(sentiment) AS BIGINT) / COUNT(sentiment) AS sentiment
  FROM walk GROUP BY owner, journey_no, journey, step, step_no, stage
), next AS (
  SELECT s.*, ROW_NUMBER() OVER (PARTITION BY owner, journey ORDER BY step) AS ordinal,
         LEAD(entered_at) OVER (PARTITION BY owner, journey ORDER BY step) AS followed_at,
         LEAD(entered_at) OVER (PARTITION BY owner ORDER BY step) AS restarted_at
  FROM step s
), timed AS (
  SELECT n.*, CASE WHEN n.followed_at IS NOT NULL THEN n.followed_at WHEN n.stage = 'ENDED' THEN n.restarted_at
                   ELSE j.ended_at END AS left_at
  FROM next n JOIN journey j ON j.journey_no = n.journey_no
)
SELECT t.step_no, t.journey_no, t.owner, t.ordinal, t.stage, t.entered_at, t.left_at, p.expected_days,
       CASE WHEN p.expected_days IS NOT NULL
            THEN t.left_at IS NULL AND t.entered_at + p.expected_days * :day <= :as_of END,
       t.customer_count, t.brand_count, '[' || substr(t.channels, 2) || ']', t.sentiment
FROM timed t JOIN plan p ON p.stage = t.stage
"""

_STEP_INTERACTIONS = """
INSERT INTO step_interaction (interaction_no, step_no, customer_no, at, stage)
SELECT interaction_no, step_no, owner, at, stage FROM walk
"""

_DEVIATIONS = """
INSERT INTO deviation (step_no, kind, customer_no, at, message)
WITH plan AS ({plan}), skipped AS ({skipped}), walked AS (
  SELECT s.*, p.name, p.place, LAG(p.name) OVER w AS name_before, LAG(p.place) OVER w AS place_before,
         MAX(p.place) OVER (PARTITION BY s.journey_no ORDER BY s.ordinal
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
  FROM journey_step s JOIN batch b ON b.customer_no = s.customer_no JOIN plan p ON p.stage = s.stage
  WINDOW w AS (PARTITION BY s.journey_no ORDER BY s.ordinal)
)
SELECT step_no, 'BACKWARD', customer_no, entered_at, 'Back from ' || name_before || ' to ' || name || '.'
FROM walked WHERE place < place_before
UNION ALL
SELECT w.step_no, 'SKIPPED', w.customer_no, w.entered_at,
       'From ' || w.name_before || ' to ' || w.name || ' without ' || k.names || '.'
FROM walked w JOIN skipped k ON k.reached = w.reached AND k.place = w.place
WHERE w.stage <> 'ENDED'
UNION ALL
SELECT step_no, 'LATE', customer_no, entered_at + expected_days * :day,
       name || ' should take ' || expected_days || ' days; ' || CASE WHEN left_at IS NULL
         THEN 'it goes on.' ELSE 'it took ' || ((left_at - entered_at) / :day) || '.' END
FROM walked WHERE entered_at + expected_days * :day <= COALESCE(left_at, :as_of)
"""

# What changes by the clock alone: a step becomes overdue, silence ends a journey, a touch dated ahead comes true.
_FLIPS = """
SELECT owner, MIN(at) FROM (
  SELECT s.customer_no AS owner, s.entered_at + s.expected_days * {day} AS at
  FROM journey_step s JOIN batch b ON b.customer_no = s.customer_no WHERE s.left_at IS NULL
  UNION ALL
  SELECT w.owner, MAX(w.at) + {silence}
  FROM walk w JOIN journey j ON j.journey_no = w.journey_no AND j.ended_at IS NULL GROUP BY w.owner
  UNION ALL
  SELECT i.customer_no, i.at FROM batch b JOIN interaction i ON i.customer_no = b.customer_no WHERE i.at > :as_of
  UNION ALL
  SELECT i.organization_no, i.at FROM batch b JOIN interaction i ON i.organization_no = b.customer_no
  WHERE i.at > :as_of
) AS flips WHERE at > :as_of GROUP BY owner
"""


def journeys(connection: Connection, rulebook: Rulebook, as_of: int) -> None:
    """Writes journeys, steps, deviations and buying groups of the customers in `batch`, as of `as_of` (µs).

    Their rows must be gone before. Leaves `touch` filled, and lowers due_at to when any of it may change by itself.
    """
    rules = rulebook.journey
    fill_touches(connection, rules, as_of)
    empty(connection, "walk")
    silence = duration(rules.ends_after, "journey.yml: ends_after")
    binds = {"as_of": as_of, "silence": silence, "day": DAY, "definition": rules.definition}
    for statement in _statements(rules):
        connection.execute(text(statement), binds)
    lower_due(connection, _FLIPS.format(day=DAY, silence=silence), 1, as_of)
    buying_groups(connection, rules.organization_active, as_of)


def _statements(rules: Journey) -> list[str]:
    plan, words = _plan(rules), {"restarts": _listed(RESTARTS), "bought": _listed(BOUGHT)}
    return [
        _WALK.format(**words),
        _JOURNEYS.format(**words),
        _STEPS.format(plan=plan, channels=_channels()),
        _STEP_INTERACTIONS,
        _DEVIATIONS.format(plan=plan, skipped=_skipped(rules)),
    ]


def _plan(rules: Journey) -> str:
    return " UNION ALL ".join(
        f"SELECT {quoted(stage)} AS stage, {quoted(rule.name)} AS name, {rule.order} AS place,"
        f" CAST({'NULL' if rule.expected_days is None else rule.expected_days} AS BIGINT) AS expected_days"
        for stage, rule in rules.stages.items()
    )


def _skipped(rules: Journey) -> str:
    """From the furthest place reached and the new one to the names of the stages between that are not optional."""
    places = sorted({rule.order for rule in rules.stages.values()})
    rows = []
    for reached in places:
        for place in places:
            names = [r.name for r in rules.stages.values() if reached < r.order < place and not r.optional]
            if names:
                rows.append(f"SELECT {reached} AS reached, {place} AS place, {quoted(', '.join(names))} AS names")
    return " UNION ALL ".join(rows) or "SELECT 0 AS reached, 0 AS place, '' AS names WHERE 1 = 0"


def _channels() -> str:
    """A JSON list without its brackets, sorted: neither database sorts inside the other's aggregates."""
    return " || ".join(
        f"""CASE WHEN MAX(CASE WHEN channel = '{name}' THEN 1 ELSE 0 END) = 1 THEN ',"{name}"' ELSE '' END"""
        for name in sorted(CHANNELS)
    )


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, words))
