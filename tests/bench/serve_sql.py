"""The best SQL that we could write for the three operations of the benchmark; the yardstick runs it.

Each statement answers one operation with the text of its response. concat() is the cheapest way to build it.
"""

# ruff: noqa: S608  (statements of constants)
from __future__ import annotations


def _instant(column: str) -> str:
    """An instant that is never null, without its quotes; the session's time zone is UTC."""
    return f"replace(to_timestamp({column} / 1000000)::timestamp::text, ' ', 'T'), 'Z'"


def _maybe(column: str) -> str:
    """An instant that may be null, as JSON."""
    return f"""coalesce('"' || replace(to_timestamp({column} / 1000000)::timestamp::text, ' ', 'T') || 'Z"', 'null')"""


def _text(column: str) -> str:
    return f"coalesce(to_json({column}), 'null')"


def _ratio(column: str) -> str:
    return f"coalesce(({column}::float8 / 1000000)::text, 'null')"


def _euros(column: str) -> str:
    minor = f"CASE WHEN {column} < 0 THEN -1 ELSE 1 END * ((abs({column}) + 499 + abs({column}) / 1000 % 2) / 1000)"
    return (
        f"""CASE WHEN {column} IS NULL THEN 'null' ELSE """
        f"""concat('{{"amount":"', {minor} * 0.01, '","currency":"EUR"}}') END"""
    )


_STAGE = f"""CASE WHEN c.stage IS NULL THEN 'null'
  ELSE concat('{{"key":"', c.stage, '","since":', {_maybe("c.stage_since")}, '}}') END"""
_NEXT = """'],"pageInfo":{{"hasNextPage":', {more}, ',"endCursor":', coalesce('"' || {last} || '"', 'null'), '}}'"""


def _touches(columns: str, first: int) -> str:
    """The newest interactions of customer c: its own, and of an organization also its people's."""
    order = f"ORDER BY i.at DESC, i.fact_no DESC LIMIT {first}"
    return f"""(SELECT * FROM (
      (SELECT {columns} FROM interaction i WHERE i.customer_no = c.customer_no {order})
      UNION ALL
      (SELECT {columns} FROM interaction i WHERE i.organization_no = c.customer_no
         AND i.customer_no IS DISTINCT FROM i.organization_no AND c.kind = 'ORGANIZATION' {order})) i {order}) i"""


_ONE_NODE = f"""concat('{{"cursor":"', i.at, '-', i.fact_no, '","node":{{"id":"int_', i.fact_no, '","at":"',
  {_instant("i.at")}, '","type":"', i.type, '","channel":"', i.channel, '","lane":"', i.lane, '","source":"', i.source,
  '","summary":', {_text("i.summary")}, ',"sentiment":', {_ratio("i.sentiment")}, '}}}}')"""

ONE = f"""
SELECT concat('{{"data":{{"customer":{{"id":"', c.public_id, '","displayName":', {_text("c.display_name")},
  ',"emails":', c.emails, ',"stage":', {_STAGE}, ',"riskScore":{{"points":', c.risk_points, ',"band":"', c.risk_band,
  '"}},"profitability":', coalesce(p.j, 'null'), ',"timeline":{{"edges":[', t.edges,
  {_NEXT.format(more="t.more", last="t.last")}, '}}}}}}}}')
FROM customer_ledger l
JOIN customer_card c ON c.customer_no = coalesce(l.merged_into, l.customer_no)
LEFT JOIN LATERAL (
  SELECT concat('{{"revenue":', {_euros("p.revenue")}, ',"contribution":', {_euros("p.contribution")},
    ',"margin":', {_ratio("p.margin")}, '}}') AS j
  FROM profitability p WHERE p.customer_no = c.customer_no AND p.currency = 'EUR') p ON TRUE
CROSS JOIN LATERAL (
  SELECT string_agg({_ONE_NODE}, ',') FILTER (WHERE i.place <= 20) AS edges, (count(*) > 20)::text AS more,
    max(concat(i.at, '-', i.fact_no)) FILTER (WHERE i.place = least(20, i.many)) AS last
  FROM (SELECT i.*, row_number() OVER () AS place, count(*) OVER () AS many
        FROM {_touches("i.source, i.type, i.channel, i.lane, i.summary, i.sentiment, i.at, i.fact_no", 21)}) i) t
WHERE l.public_id = $1"""

# A card holds short lists; where one does not fit there it is null, and the tables are asked.
_FLAG = f"""concat('{{"id":"flg_', f->0, '","rule":', f->1, ',"severity":', f->2, ',"since":"',
  {_instant("(f->>3)::bigint")}, '"}}')"""
_EVERY_FLAG = f"""SELECT string_agg(concat('{{"id":"flg_', f.flag_no, '","rule":"', f.rule,
    '","severity":"', f.severity, '","since":"', {_instant("f.since")}, '"}}'), ',')
    FROM (SELECT * FROM risk_flag f WHERE f.customer_no = c.customer_no AND f.state = 'OPEN'
          ORDER BY f.severity_rank DESC, f.since, f.flag_no LIMIT 100) f"""
_FLAGS = f"""CASE WHEN c.flags IS NULL OR c.open_flag_count > jsonb_array_length(c.flags) THEN ({_EVERY_FLAG})
    ELSE (SELECT string_agg({_FLAG}, ',') FROM jsonb_array_elements(c.flags) AS f) END"""
_TOUCH = f"""concat('{{"node":{{"id":"int_', i->0, '","at":"', {_instant("(i->>1)::bigint")}, '","type":', i->2,
  ',"channel":', i->3, ',"summary":', i->6, '}}}}')"""
_EVERY_TOUCH = f"""concat('{{"node":{{"id":"int_', i.fact_no, '","at":"', {_instant("i.at")}, '","type":"', i.type,
  '","channel":"', i.channel, '","summary":', {_text("i.summary")}, '}}}}')"""
_TOUCHES = f"""CASE WHEN c.latest IS NULL
    THEN (SELECT string_agg({_EVERY_TOUCH}, ',') FROM {_touches("i.type, i.channel, i.summary, i.at, i.fact_no", 5)})
    ELSE (SELECT string_agg({_TOUCH}, ',') FROM jsonb_array_elements(c.latest) AS i) END"""
_WORTH = f"""CASE WHEN c.has_profitability THEN concat('{{"contribution":', {_euros("c.contribution")},
  ',"margin":', {_ratio("c.margin")}, '}}') ELSE 'null' END"""

_LAST = "(array_agg(concat(c.value_at_risk, '-', c.customer_no)))[count(*)]"
PAGE = f"""
WITH page AS MATERIALIZED (
  SELECT * FROM customer_card c
  WHERE c.risk_band IN ('HIGH', 'CRITICAL') AND c.kind = 'PERSON' AND c.country IN ('DE', 'GB') AND c.last_seen >= $1
  ORDER BY c.value_at_risk DESC NULLS LAST, c.customer_no DESC LIMIT 101)
SELECT concat('{{"data":{{"customers":{{"edges":[', string_agg(
  concat('{{"cursor":"', c.value_at_risk, '-', c.customer_no, '","node":{{"id":"', c.public_id,
  '","displayName":', {_text("c.display_name")}, ',"emails":', c.emails, ',"stage":', {_STAGE},
  ',"profitability":', {_WORTH}, ',"riskScore":{{"points":', c.risk_points, ',"band":"', c.risk_band,
  '"}},"riskFlags":[', {_FLAGS}, '],"timeline":{{"edges":[', {_TOUCHES}, ']}}}}}}'), ','),
  {_NEXT.format(more="(SELECT count(*) > 100 FROM page)::text", last=_LAST)},
  '}}}}}}')
FROM (SELECT * FROM page LIMIT 100) c"""

_FLAT_NODE = f"""concat('{{"node":{{"id":"', public_id, '","kind":"', kind, '","displayName":', {_text("display_name")},
  ',"country":', {_text("country")}, ',"language":', {_text("language")}, ',"marketState":"', market_state,
  '","firstSeen":', {_maybe("first_seen")}, ',"lastSeen":', {_maybe("last_seen")}, ',"updatedAt":"',
  {_instant("updated_at")}, '","openCaseCount":', open_case_count, '}}}}')"""

FLAT = f"""
SELECT concat('{{"data":{{"customers":{{"edges":[', x.edges,
  {_NEXT.format(more="EXISTS (SELECT FROM customer_card WHERE customer_no > x.last)::text", last="x.last")}, '}}}}}}')
FROM (SELECT string_agg({_FLAT_NODE}, ',') AS edges, max(customer_no) AS last
      FROM (SELECT * FROM customer_card WHERE customer_no > $1::bigint ORDER BY customer_no LIMIT 1000) c) x"""

STATEMENTS = {"One": ONE, "Page": PAGE, "Flat": FLAT}
