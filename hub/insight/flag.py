"""What a reader sees of a flag: message, value at risk, action and evidence. In: the rules that hold, and flag_log.

Out: rows of risk_flag and flag_evidence. Open flags say why they are; cleared ones stay as a line of the past.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, RowMapping, insert, text

from hub.expression import Condition, ExpressionError, Kind, compile_condition, duration, entity_scope, quoted
from hub.insight.action import Contactability, contactability, window
from hub.insight.value import Claim, values_at_risk
from hub.store.derived import risk_flag
from mappings.rulebook import Evidence, RiskRule, Rulebook

SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
UNKNOWN = "unknown"

_CLEARED = """
SELECT g.flag_no, g.customer_no, g.rule, g.raised_at, g.cleared_at
FROM batch b JOIN flag_log g ON g.customer_no = b.customer_no
JOIN customer_ledger c ON c.customer_no = b.customer_no AND c.merged_into IS NULL
WHERE g.cleared_at IS NOT NULL ORDER BY g.flag_no
"""
_EVIDENCE = """
INSERT INTO flag_evidence (flag_no, ordinal, customer_no, interaction_no)
SELECT flag_no, ordinal - 1, customer_no, fact_no FROM ({found}) AS found WHERE ordinal <= most
"""
_FOUND = """
SELECT g.flag_no, g.customer_no, f.fact_no, {most} AS most,
    ROW_NUMBER() OVER (PARTITION BY g.flag_no ORDER BY f."at" DESC, f.fact_no DESC) AS ordinal
FROM batch b JOIN risk_flag g ON g.customer_no = b.customer_no JOIN interaction f ON {whose}
WHERE g.state = 'OPEN' AND g.rule = {rule} AND f."at" <= :as_of AND {where}
"""
_WHOSE = {
    False: "f.customer_no = g.customer_no",
    True: "(f.customer_no = g.customer_no OR f.organization_no = g.customer_no)",
}


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that holds for a customer now, in words, and since when what it warns of goes on, where that is known."""

    customer_no: int
    rule: str
    message: str
    since: int | None


def in_words(rulebook: Rulebook, kinds: Mapping[str, Kind], rule: str, figures: RowMapping) -> Fired:
    """The rule as it holds for a customer, whose figures stand in the message in the place of their names."""
    says, zone = rulebook.risk.rules[rule], ZoneInfo(rulebook.company.time_zone)
    words = {name: _shown(figures[name], kind, zone) for name, kind in kinds.items()}
    since = None if says.since is None else figures[says.since]
    return Fired(figures["customer_no"], rule, says.message.format_map(words), since)


def write_flags(
    connection: Connection, rulebook: Rulebook, open_flags: Sequence[tuple[Fired, Row[Any]]], as_of: int
) -> None:
    """Writes risk_flag and flag_evidence for the batch: open flags with their rows of flag_log, and cleared ones."""
    rules = rulebook.risk.rules
    contacts = contactability(connection, rulebook.consent, as_of)
    claims = [
        Claim(row.flag_no, row.customer_no, tuple(rules[row.rule].at_stake), row.raised_at) for _, row in open_flags
    ]
    values = values_at_risk(connection, rulebook, as_of, claims)
    rows = [_open_row(rulebook, one, row, contacts, values.get(row.flag_no)) for one, row in open_flags]
    rows += [_cleared_row(rulebook, row) for row in connection.execute(text(_CLEARED)) if row.rule in rules]
    if rows:
        connection.execute(insert(risk_flag), rows)
    if open_flags:
        _write_evidence(connection, rules, as_of)


def check_flag(rule: RiskRule, kinds: Mapping[str, Kind]) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is wrong with a rule's message, since, evidence and action: where in the rule, and what."""
    try:
        placed = [(name, spec, way) for _, name, spec, way in Formatter().parse(rule.message) if name is not None]
    except ValueError:
        placed = [(rule.message, None, None)]
    for name, spec, way in placed:
        if name not in kinds or spec or way:
            yield ("message",), f"`{{{name}}}` is no metric; allowed: {', '.join(kinds)}"
    if rule.since is not None and kinds.get(rule.since) != "instant":
        instants = [name for name, kind in kinds.items() if kind == "instant"]
        yield ("since",), f"`{rule.since}` is no metric that holds an instant; allowed: {', '.join(instants)}"
    for place, check in (
        (("evidence", "where"), lambda: _evidence(rule.evidence, "")),
        (("action", "within"), lambda: duration(rule.action.within)),
    ):
        try:
            check()
        except ExpressionError as error:
            yield place, error.what


def _open_row(
    rulebook: Rulebook, one: Fired, row: Row[Any], contacts: Contactability, value: int | None
) -> dict[str, Any]:
    rule = rulebook.risk.rules[one.rule]
    return {
        **_row(rulebook, row),
        "state": "OPEN",
        "since": row.raised_at if one.since is None else one.since,
        "points": rule.points,
        "message": one.message,
        "value_at_risk": value,
        "contactable": contacts.allowed(one.customer_no, rule.action.channel),
        "action_blocked_by": contacts.blocked_by(one.customer_no, rule.action.channel),
    }


def _cleared_row(rulebook: Rulebook, row: Row[Any]) -> dict[str, Any]:
    cleared = _shown(row.cleared_at, "instant", ZoneInfo(rulebook.company.time_zone))
    return {
        **_row(rulebook, row),
        "state": "CLEARED",
        "since": row.raised_at,
        "points": 0,
        "message": f"{rulebook.risk.rules[row.rule].about} Cleared on {cleared}.",
        "value_at_risk": None,
        "contactable": None,
        "action_blocked_by": "The flag is cleared.",
    }


def _row(rulebook: Rulebook, row: Row[Any]) -> dict[str, Any]:
    """What a flag has from its rule and its row of flag_log, open or not."""
    rule = rulebook.risk.rules[row.rule]
    opens, closes = window(row.raised_at, rule.action.within, rulebook.company.time_zone)
    return {
        "flag_no": row.flag_no,
        "customer_no": row.customer_no,
        "rule": row.rule,
        "severity": rule.severity,
        "severity_rank": SEVERITIES.index(rule.severity) + 1,
        "clears_when": rule.clears_when,
        "action_kind": rule.action.kind,
        "action_channel": rule.action.channel,
        "action_not_before": opens,
        "action_not_after": closes,
        "action_skill": rule.action.skill,
        "action_why": rule.action.why,
    }


def _write_evidence(connection: Connection, rules: Mapping[str, RiskRule], as_of: int) -> None:
    dialect = connection.dialect.name
    found = [
        _FOUND.format(
            rule=quoted(name),
            most=rule.evidence.most,
            whose=_WHOSE[rule.evidence.members],
            where=_evidence(rule.evidence, f"risk.yml: {name}.evidence").sql(dialect),
        )
        for name, rule in rules.items()
    ]
    connection.execute(text(_EVIDENCE.format(found=" UNION ALL ".join(found))), {"as_of": as_of})


def _evidence(evidence: Evidence, place: str) -> Condition:
    condition = compile_condition(evidence.where, entity_scope("interaction", "f"), place)
    if condition.flips:
        raise ExpressionError(place, f"`{evidence.where}`: as_of may not stand in evidence, which is the newest anyway")
    return condition


def _shown(value: Any, kind: Kind, zone: ZoneInfo) -> str:
    """A figure for a reader: a day in the company's time zone, a decimal number, a whole number."""
    if value is None:
        return UNKNOWN
    if kind == "instant":
        return datetime.fromtimestamp(value // 1_000_000, UTC).astimezone(zone).date().isoformat()
    return f"{Decimal(value) / 1_000_000:f}" if kind == "ratio" else str(value)
