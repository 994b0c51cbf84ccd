"""Cards and risks of the invented company. In: a pen. Out: statements that fill customer_card and the flags.

The lists on a card are those that hub/insight/shortlist.py writes, in the same order.
"""

# ruff: noqa: S608  (statements of constants)
from __future__ import annotations

from hub.insight.shortlist import MOST_INTERACTIONS
from tests.bench.serve_words import DAY, FLAGS, LAST, Pen, by_share, picked, rolled, rows_of

_ROLL = rolled("n", 5)
_BANDS = ((3, "CRITICAL", 4, 80), (13, "HIGH", 3, 55), (31, "MEDIUM", 2, 30), (100, "LOW", 1, 0))
_RANK = by_share(_ROLL, [(rank, share) for share, _, rank, _ in _BANDS])
_AT_RISK = f"{_ROLL} % 100 < 31"
_STAKE = f"CASE WHEN {_AT_RISK} THEN {rolled('n', 4)} % 900000000 END"


def risks(pen: Pen) -> list[str]:
    """One flag where the band is MEDIUM, two where it is HIGH, three where it is CRITICAL, with three touches."""
    rules = rows_of(FLAGS, ["k", "rule", "severity", "severity_rank", "points", "channel", "contactable", "message"])
    known = f"SELECT n AS customer_no, {_RANK} AS risk_band_rank, {_STAKE} AS value_at_risk"
    flagged = f"({known} FROM {pen.series(pen.customers)}) AS c JOIN {rules} ON t.k < c.risk_band_rank"
    number = "c.customer_no * 4 + t.k"
    soon, late = str(LAST + DAY), str(LAST + 6 * DAY)
    values = {
        "flag_no": number, "customer_no": "c.customer_no", "rule": "t.rule", "severity": "t.severity",
        "severity_rank": "t.severity_rank", "state": "'OPEN'", "since": f"{LAST} - c.customer_no % 90 * {DAY}",
        "points": "t.points", "message": "t.message || c.customer_no % 97",
        "clears_when": "'A later payment succeeds.'",
        "value_at_risk": "c.value_at_risk / t.k", "contactable": "c.customer_no % 5 < 3", "action_kind": "'CALL'",
        "action_channel": "t.channel", "action_not_before": soon, "action_not_after": late,
        "action_skill": "'billing'", "action_why": "'A new card settles it, and most people do not know yet.'",
    }  # fmt: skip
    log = {"flag_no": number, "customer_no": "c.customer_no", "rule": "t.rule", "raised_at": str(LAST)}
    newest = f"i.landing_no > {pen.customers * max(pen.each - 3, 0)}"
    behind = {"flag_no": "flag_no", "customer_no": "f.customer_no", "interaction_no": "i.fact_no"}
    behind["ordinal"] = f"{pen.each} - (i.landing_no - 1) / {pen.customers}"
    return [
        pen.insert("risk_flag", values, flagged),
        pen.insert("flag_log", log | {"rules_version": "'1'"}, flagged),
        pen.insert(
            "flag_evidence",
            behind,
            f"risk_flag f JOIN interaction i ON i.customer_no = f.customer_no WHERE {newest}",
        ),
    ]


def cards(pen: Pen) -> list[str]:
    """The read model."""
    given = picked("n", 2, ["Anna", "Jürgen", "Mia", "Ahmed", "Sofie", "Kenji", "Claire", "Oliver", "Noura", "Tom"])
    family = picked("n", 3, ["Müller", "Schmidt", "O'Neill", "Okashima", "Dubois", "van Dijk", "Eichwieser", "Brown"])
    name = f"{given} || ' ' || {family} || ' ' || n"
    country = picked("n", 4, ["DE"] * 8 + ["GB"] * 4 + ["US", "US", "FR", "FR", "NL", "AT", "JP", "CH"])
    seen = f"{LAST} - {rolled('n', 6)} % 500 * {DAY} - n % 86400 * 1000000"
    stage = picked("n", 0, ["LIVING"] * 6 + ["CHOOSING", "CHOOSING", "ENDED", "INITIATION"])
    values = {
        "customer_no": "n", "public_id": "public_id", "kind": "kind", "display_name": name,
        "display_name_key": f"lower({name})", "birth_date": "'1980-04-' || (10 + n % 20)", "country": country,
        "language": picked("n", 4, ["de"] * 8 + ["en"] * 6 + ["fr", "fr", "nl", "de", "ja", "de"]),
        "emails": "'[\"person' || n || '@mail.example\",\"p' || n || '@work.example\"]'",
        "phones": "'[\"+49151' || (10000000 + n) || '\"]'",
        "market_state": picked("n", 1, ["ACTIVE"] * 7 + ["OBTAINABLE"] * 2 + ["ADDRESSABLE"]),
        "stage": stage, "stage_since": f"{seen} - 40 * {DAY}", "first_seen": f"{seen} - 400 * {DAY}",
        "last_seen": seen, "updated_at": f"{LAST} - n % 1000 * 1000000",
        "open_case_count": f"{rolled('n', 2)} % 3", "interaction_count": str(pen.each),
        "sentiment": f"CASE WHEN n % 3 = 0 THEN {rolled('n', 3)} % 2000000 - 1000000 END",
        "sentiment_count": "CASE WHEN n % 3 = 0 THEN 1 ELSE 0 END",
        "sentiment_at": f"CASE WHEN n % 3 = 0 THEN {LAST} - n % 90 * {DAY} END",
        "risk_points": by_share(_ROLL, [(points, share) for share, _, _, points in _BANDS]),
        "risk_band": by_share(_ROLL, [(band, share) for share, band, _, _ in _BANDS]), "risk_band_rank": _RANK,
        "risk_as_of": str(LAST),
        "risk_reasons": f"CASE WHEN {_AT_RISK} THEN '[{{\"rule\":\"failed_payment\",\"points\":30,"
        "\"text\":\"The payment of 2026-06-29 failed.\"}]' ELSE '[]' END",
        "value_at_risk": _STAKE, **{name: name for name in _SUMS},
        "has_profitability": "has_profitability", "open_flag_count": "COALESCE(flag_count, 0)",
        "flags": "COALESCE(flags, '[]')", "timeline_count": "timeline_count", "latest": "COALESCE(latest, '[]')",
    }  # fmt: skip
    score = {"customer_no": "customer_no", "as_of": str(LAST), "points": "risk_points", "band": "risk_band"}
    score |= {"reasons": "risk_reasons", "rules_version": "'1'"}
    return [pen.insert("customer_card", values, _known(pen)), pen.insert("score_log", score, "customer_card")]


_SUMS = ("revenue", "refunds", "direct_cost", "cost_to_serve", "contribution", "margin", "coverage")


def _known(pen: Pen) -> str:
    """What a card shows of other tables, a row a customer n."""
    worst = "SELECT * FROM risk_flag ORDER BY customer_no, severity_rank DESC, since, flag_no"
    flags = f"""SELECT customer_no, COUNT(*) AS flag_count,
      {pen.listed("flag_no, rule, severity, since, points, message")} AS flags
      FROM ({worst}) AS f GROUP BY customer_no"""
    many = f"(SELECT organization_no, COUNT(*) * {pen.each} AS many FROM member GROUP BY organization_no)"
    return f"""(SELECT l.customer_no AS n, l.public_id, l.kind, {", ".join(f"p.{name}" for name in _SUMS)},
      p.customer_no IS NOT NULL AS has_profitability, f.flag_count, f.flags,
      {pen.each} + COALESCE(m.many, 0) AS timeline_count, i.latest
      FROM customer_ledger l LEFT JOIN profitability p ON p.customer_no = l.customer_no AND p.currency = 'EUR'
      LEFT JOIN ({flags}) AS f ON f.customer_no = l.customer_no
      LEFT JOIN {many} AS m ON m.organization_no = l.customer_no
      LEFT JOIN ({_latest(pen)}) AS i ON i.owner = l.customer_no) AS s"""


def _latest(pen: Pen) -> str:
    """The newest interactions of each customer: among the last round, in which everybody has that many."""
    last = f"landing_no > {pen.customers * max(pen.each - MOST_INTERACTIONS, 0)}"
    own = f"SELECT customer_no AS owner, * FROM interaction WHERE {last}"
    people = f"SELECT organization_no, * FROM interaction WHERE {last} AND customer_no <> organization_no"
    placed = "ROW_NUMBER() OVER (PARTITION BY owner ORDER BY at DESC, fact_no DESC) AS place"
    every = f"SELECT e.*, {placed} FROM ({own} UNION ALL {people}) AS e"
    newest = f"SELECT * FROM ({every}) AS r WHERE place <= {MOST_INTERACTIONS} ORDER BY owner, place"
    return f"""SELECT owner, {pen.listed("fact_no, at, type, channel, lane, source, summary")} AS latest
      FROM ({newest}) AS i GROUP BY owner"""
