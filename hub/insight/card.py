"""The read model: one row a customer, what search finds it by, and its identifiers.

In: provenance, journeys, profitability, scores and flags of the batch. Out: customer_card, customer_token,
customer_identifier. SQL counts and sums; what has to be folded or put into a list is text and done here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from hub.insight.market import market_state, signs
from hub.insight.search import email_tokens, name_tokens, phone_tokens, sort_key
from hub.insight.shortlist import NOTHING, Shortlists, shortlists
from hub.store.bulk import insert_rows
from hub.store.derived import customer_card, customer_identifier, customer_token
from hub.store.listing import json_list
from mappings.rulebook import Rulebook

SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
NAME_FIELDS = ("DISPLAY_NAME", "GIVEN_NAME", "FAMILY_NAME")

_GOLDEN = """
SELECT v.customer_no, v.field, v.value FROM batch b JOIN provenance v ON v.customer_no = b.customer_no
WHERE v.strategy <> 'never'
ORDER BY v.customer_no, v.field, v.rank
"""

# An organization's touches and cases are its own and its people's; whoever ended a journey in silence has ENDED.
_FIGURES = """
WITH heard AS (
  SELECT t.owner, MIN(t.at) AS first_at, MAX(t.at) AS last_at, COUNT(*) AS touches, COUNT(t.sentiment) AS said,
         CAST(SUM(t.sentiment) AS BIGINT) AS total, MAX(CASE WHEN t.sentiment IS NOT NULL THEN t.seq END) AS last_said,
         {signs}
  FROM touch t GROUP BY t.owner
), born AS (
  SELECT l.customer_no, MIN(p.created_at) AS first_at, MAX(p.created_at) AS last_at
  FROM batch b JOIN profile_ledger l ON l.customer_no = b.customer_no JOIN profile p ON p.profile_no = l.profile_no
  GROUP BY l.customer_no
), asked AS (
  SELECT owner, COUNT(*) AS cases FROM (
    SELECT c.customer_no AS owner, c.status, c.opened_at FROM batch b JOIN "case" c ON c.customer_no = b.customer_no
    UNION ALL
    SELECT c.organization_no, c.status, c.opened_at FROM batch b JOIN "case" c ON c.organization_no = b.customer_no
    WHERE c.customer_no <> c.organization_no
  ) AS every WHERE status <> 'CLOSED' AND opened_at <= :as_of GROUP BY owner
), stepped AS (
  SELECT s.customer_no, j.ended_at, s.stage, s.entered_at,
         ROW_NUMBER() OVER (PARTITION BY s.customer_no ORDER BY j.ordinal DESC, s.ordinal DESC) AS age
  FROM batch b JOIN journey_step s ON s.customer_no = b.customer_no JOIN journey j ON j.journey_no = s.journey_no
), stood AS (
  SELECT customer_no, CASE WHEN ended_at IS NULL THEN stage ELSE 'ENDED' END AS stage,
         COALESCE(ended_at, entered_at) AS since
  FROM stepped WHERE age = 1
), grouped AS (
  SELECT g.organization_no, COUNT(*) AS people
  FROM batch b JOIN buying_group_member g ON g.organization_no = b.customer_no GROUP BY g.organization_no
), staked AS (
  SELECT f.customer_no, MAX(f.value_at_risk) AS amount
  FROM batch b JOIN risk_flag f ON f.customer_no = b.customer_no WHERE f.state = 'OPEN' GROUP BY f.customer_no
)
SELECT b.customer_no, l.public_id, l.kind, {market_state} AS market_state, s.stage, s.since AS stage_since,
       CASE WHEN h.first_at IS NULL OR n.first_at < h.first_at THEN n.first_at ELSE h.first_at END AS first_seen,
       COALESCE(h.last_at, n.last_at) AS last_seen, COALESCE(a.cases, 0) AS open_case_count,
       COALESCE(h.touches, 0) AS interaction_count, h.total / NULLIF(h.said, 0) AS sentiment,
       COALESCE(h.said, 0) AS sentiment_count,
       CASE WHEN h.said > 1 THEN CASE WHEN t.sentiment * (h.said - 1) > h.total - t.sentiment THEN 'RISING'
         WHEN t.sentiment * (h.said - 1) < h.total - t.sentiment THEN 'FALLING' ELSE 'STEADY' END END
         AS sentiment_trend,
       t.at AS sentiment_at, COALESCE(r.points, 0) AS risk_points, COALESCE(r.band, 'LOW') AS risk_band,
       COALESCE(r.as_of, :as_of) AS risk_as_of, COALESCE(r.reasons, '[]') AS risk_reasons,
       k.amount AS value_at_risk, w.contribution, w.revenue, w.refunds, w.direct_cost, w.cost_to_serve, w.margin,
       w.coverage, w.customer_no IS NOT NULL AS has_profitability
FROM batch b
JOIN customer_ledger l ON l.customer_no = b.customer_no
LEFT JOIN heard h ON h.owner = b.customer_no
LEFT JOIN touch t ON t.owner = b.customer_no AND t.seq = h.last_said
LEFT JOIN born n ON n.customer_no = b.customer_no
LEFT JOIN asked a ON a.owner = b.customer_no
LEFT JOIN stood s ON s.customer_no = b.customer_no
LEFT JOIN grouped g ON g.organization_no = b.customer_no
LEFT JOIN staked k ON k.customer_no = b.customer_no
LEFT JOIN profitability w ON w.customer_no = b.customer_no AND w.currency = :currency
LEFT JOIN score_log r ON r.log_no = (SELECT MAX(o.log_no) FROM score_log o WHERE o.customer_no = b.customer_no)
"""

_IDENTIFIERS = """
SELECT c.type, c.value, l.customer_no, c.source
FROM batch b JOIN profile_ledger l ON l.customer_no = b.customer_no JOIN contact_point c ON c.profile_no = l.profile_no
UNION
SELECT i.system, i.value, l.customer_no, i.source
FROM batch b JOIN profile_ledger l ON l.customer_no = b.customer_no JOIN identifier i ON i.profile_no = l.profile_no
"""

Golden = Mapping[str, Sequence[str]]  # field to its values, the winner first


def cards(connection: Connection, rulebook: Rulebook, as_of: int) -> None:
    """Writes the cards, search tokens and identifiers of the customers in `batch`, which have none.

    `touch` must be filled and everything else derived. updated_at is `as_of`; publish.py takes it back where the card
    is what it was.
    """
    golden, lists = _golden(connection), shortlists(connection)
    binds = {"as_of": as_of, "currency": rulebook.company.reporting_currency}
    figures = connection.execute(text(_statement(rulebook)), binds).mappings().all()
    columns = [column.name for column in customer_card.columns]
    rows = [_card(row, golden[no := row["customer_no"]], lists.get(no, NOTHING), as_of) for row in figures]
    insert_rows(connection, customer_card, columns, [[row[name] for name in columns] for row in rows])
    tokens = [(token, number) for number, values in golden.items() for token in sorted(_tokens(values))]
    insert_rows(connection, customer_token, ("token", "customer_no"), tokens)
    _identifiers(connection)


def _identifiers(connection: Connection) -> None:
    sources: defaultdict[tuple[str, str, int], set[str]] = defaultdict(set)
    for type_, value, customer_no, source in connection.execute(text(_IDENTIFIERS)):
        sources[type_, value, customer_no].add(source)
    rows = [(*key, json_list(sorted(said))) for key, said in sources.items()]
    insert_rows(connection, customer_identifier, ("type", "value", "customer_no", "sources"), rows)


def _statement(rulebook: Rulebook) -> str:
    state = market_state(rulebook.journey, "h.active", "h.obtainable", "g.people", "s.stage")
    return _FIGURES.format(signs=signs(rulebook.journey), market_state=state)


def _golden(connection: Connection) -> defaultdict[int, dict[str, list[str]]]:
    found: defaultdict[int, dict[str, list[str]]] = defaultdict(dict)
    for customer_no, field, value in connection.execute(text(_GOLDEN)):
        found[customer_no].setdefault(field, []).append(value)
    return found


def _card(figures: Mapping[Any, Any], golden: Golden, lists: Shortlists, as_of: int) -> dict[str, Any]:
    name = _first(golden, "DISPLAY_NAME")
    return {**figures, **lists._asdict()} | {
        "display_name": name,
        "display_name_key": sort_key(name or ""),
        "birth_date": _first(golden, "BIRTH_DATE"),
        "country": _first(golden, "COUNTRY"),
        "language": _first(golden, "LANGUAGE"),
        "emails": json_list(golden.get("EMAILS", ())),
        "phones": json_list(golden.get("PHONES", ())),
        "risk_band_rank": SEVERITIES.index(figures["risk_band"]) + 1,
        "updated_at": as_of,
    }


def _first(golden: Golden, field: str) -> str | None:
    values = golden.get(field)
    return values[0] if values else None


def _tokens(golden: Golden) -> set[str]:
    """Every word by which somebody may look for the customer, the names that lost among them."""
    tokens = {word for field in NAME_FIELDS for name in golden.get(field, ()) for word in name_tokens(name)}
    tokens |= {token for address in golden.get("EMAILS", ()) for token in email_tokens(address)}
    return tokens | {token for phone in golden.get("PHONES", ()) for token in phone_tokens(phone)}
