"""What happened to the customers of the batch, in order, each touch with the stage that it is evidence of.

In: interactions up to as_of and the evidence of rules/journey.yml. Out: the temporary table `touch`; an organization
has its own touches and its people's, whose numbers are negative there, for they stand in the person's journey too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Connection, text

from hub.expression import ExpressionError, duration
from hub.insight.metrics import Place
from hub.insight.scratch import empty, measure
from mappings.rulebook import Journey, StageEvidence

LAST = 1_000_000  # the place of a touch that is evidence of nothing
REDUCED = "agreement.reduced"  # what an agreement's end is called while another one runs: nobody left
_PATTERN = re.compile(r"[a-z][a-z0-9_]*\.([a-z][a-z0-9_]*|\*)")

# Those of one instant stand in the order of the plan (opened before lost), then of their names and numbers.
_FILL = """
INSERT INTO touch (owner, seq, interaction_no, person_no, at, type, lane, channel, sentiment, stage)
WITH happened AS (
  SELECT i.customer_no AS owner, i.fact_no AS interaction_no, i.customer_no AS person_no, i.fact_no AS tie,
         i.at, i.type, i.lane, i.channel, i.sentiment, i.stage
  FROM batch b JOIN interaction i ON i.customer_no = b.customer_no
  WHERE i.at <= :as_of
  UNION ALL
  SELECT i.organization_no, -i.fact_no, i.customer_no, i.fact_no,
         i.at, i.type, i.lane, i.channel, i.sentiment, i.stage
  FROM batch b JOIN interaction i ON i.organization_no = b.customer_no
  WHERE i.at <= :as_of AND i.customer_no <> i.organization_no
), numbered AS (
  SELECT h.*, ROW_NUMBER() OVER (PARTITION BY owner ORDER BY at, {place}, type, tie) AS seq FROM happened h
), running AS (
  SELECT n.*, SUM(CASE type WHEN 'agreement.started' THEN 1 WHEN 'agreement.ended' THEN -1 ELSE 0 END)
                OVER (PARTITION BY owner ORDER BY seq ROWS UNBOUNDED PRECEDING) AS agreements
  FROM numbered n
), named AS (
  SELECT r.owner, l.kind, r.seq, r.interaction_no, r.person_no, r.at, r.lane, r.channel, r.sentiment, r.stage,
         CASE WHEN r.type = 'agreement.ended' AND r.agreements > 0 THEN '{reduced}' ELSE r.type END AS type
  FROM running r JOIN customer_ledger l ON l.customer_no = r.owner
), remembered AS (
  SELECT n.*{memories}
  FROM named n
  WINDOW before AS (PARTITION BY owner ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT owner, seq, interaction_no, person_no, at, type, lane, channel, sentiment, COALESCE(stage, {stage})
FROM remembered
"""


def fill_touches(connection: Connection, journey: Journey, as_of: int) -> None:
    """Makes `touch` hold what happened to the customers of `batch` until `as_of` (µs)."""
    empty(connection, "touch")
    connection.execute(text(_statement(journey)), {"as_of": as_of})
    measure(connection, "touch")


def check_journey(rules: Journey) -> Iterator[tuple[Place, str]]:
    """Every problem of rules/journey.yml beyond its shape: where in the file, and what is wrong."""
    group = rules.organization_active
    patterns: list[tuple[Place, list[str]]] = [
        (("obtainable",), rules.obtainable),
        (("active",), rules.active),
        (("organization_active", "evidence"), group.evidence),
    ]
    durations: list[tuple[Place, str | None]] = [
        (("ends_after",), rules.ends_after),
        (("organization_active", "within"), group.within),
    ]
    for stage, rule in rules.stages.items():
        for number, evidence in enumerate(rule.evidence):
            place: Place = ("stages", stage, "evidence", str(number))
            patterns += [((*place, part), getattr(evidence, part)) for part in ("types", "after", "until", "unless")]
            durations.append(((*place, "later_than"), evidence.later_than))
    for place, listed in patterns:
        for pattern in listed:
            if not _PATTERN.fullmatch(pattern):
                yield place, f"`{pattern}` is no interaction type; write object.event, or object.* for any"
    for place, said in durations:
        try:
            duration(said or "0d")
        except ExpressionError as error:
            yield place, error.what


def is_type(patterns: list[str], column: str = "type") -> str:
    """SQL: whether the column is one of these interaction types; `visit.*` is any that begins with `visit.`."""
    exact = [quoted(p) for p in patterns if not p.endswith("*")]
    starts = [p[:-1] for p in patterns if p.endswith("*")]
    tests = [f"{column} IN ({', '.join(exact)})"] if exact else []
    tests += [f"substr({column}, 1, {len(start)}) = {quoted(start)}" for start in starts]
    return f"({' OR '.join(tests) or '1 = 0'})"


def quoted(word: str) -> str:
    """A word of the rules as an SQL literal for sqlalchemy.text, which would read `:name` in it as a bind."""
    return "'" + word.replace("'", "''").replace(":", "\\:") + "'"


def _statement(journey: Journey) -> str:
    memories: dict[str, str] = {}
    found = [
        f"WHEN {_condition(evidence, memories)} THEN {quoted(stage)}"
        for stage, rule in reversed(journey.stages.items())
        for evidence in rule.evidence
    ]
    columns = "".join(f",\n    {sql} OVER before AS {name}" for sql, name in memories.items())
    places = sorted((rule.order, is_type(e.types)) for rule in journey.stages.values() for e in rule.evidence)
    known = "".join(f" WHEN {types} THEN {order}" for order, types in places)
    place = f"CASE{known} ELSE {LAST} END" if known else "0"
    stage = f"CASE {' '.join(found)} END" if found else "NULL"
    return _FILL.format(place=place, reduced=REDUCED, memories=columns, stage=stage)


def _condition(evidence: StageEvidence, memories: dict[str, str]) -> str:
    """Whether a touch is this evidence; what it has to remember of earlier ones becomes a column of `memories`."""

    def memory(sql: str) -> str:
        return memories.setdefault(sql, f"memory_{len(memories)}")

    tests = [is_type(evidence.types), *([f"kind = '{evidence.kind}'"] if evidence.kind else [])]
    after = ""
    if evidence.after:
        after = memory(f"MAX(CASE WHEN {is_type(evidence.after)} THEN seq END)")
        tests.append(f"{after} IS NOT NULL")
    if evidence.after and evidence.until:
        until = memory(f"MAX(CASE WHEN {is_type(evidence.until)} THEN seq END)")
        tests.append(f"({until} IS NULL OR {until} < {after})")
    if evidence.unless:
        tests.append(memory(f"MAX(CASE WHEN {is_type(evidence.unless)} THEN seq END)") + " IS NULL")
    if evidence.after and evidence.later_than:
        first = memory(f"MIN(CASE WHEN {is_type(evidence.after)} THEN at END)")
        tests.append(f"at - {first} >= {duration(evidence.later_than, 'journey.yml')}")
    return f"({' AND '.join(tests)})"
