"""What others are told of a derivation. In: the batch's cards before and now, flags raised and cleared. Out: outbox.

A card that is what it was keeps its updated_at and is not told of: a second derivation changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, select, text

from hub.store.bulk import among, insert_rows
from hub.store.derived import customer_card, risk_flag
from hub.store.kept import flag_log, outbox

# A list that is null is not known: it says nothing about whether it, and the count that goes with it, changed.
_COUNTED = {"flags": "open_flag_count", "latest": "timeline_count"}
_APART = ("customer_no", "updated_at", *_COUNTED, *_COUNTED.values())
_COMPARED = [c.name for c in customer_card.columns if c.name not in _APART]


def _same(equal: str) -> str:
    plain = [f"k.{name} {equal} o.{name}" for name in _COMPARED]
    lists = [
        f"(o.{items} IS NULL OR (k.{items} {equal} o.{items} AND k.{count} {equal} o.{count}))"
        for items, count in _COUNTED.items()
    ]
    return " AND ".join((*plain, *lists))


_SAME = {"sqlite": _same("IS"), "postgresql": _same("IS NOT DISTINCT FROM")}

_REMEMBER = """
CREATE TEMP TABLE card_before AS
SELECT k.* FROM batch b JOIN customer_card k ON k.customer_no = b.customer_no
"""
_TELL = """
INSERT INTO outbox (at, topic, customer_no, payload)
SELECT :as_of, 'customer.changed', k.customer_no, '{{"id":"' || k.public_id || '"}}'
FROM batch b
JOIN customer_card k ON k.customer_no = b.customer_no
LEFT JOIN card_before o ON o.customer_no = k.customer_no AND {same}
WHERE o.customer_no IS NULL
ORDER BY k.customer_no
"""
_KEEP = """
UPDATE customer_card SET updated_at = o.updated_at
FROM card_before o, customer_card k
WHERE k.customer_no = customer_card.customer_no AND o.customer_no = k.customer_no AND {same}
"""
_TELL_GONE = """
INSERT INTO outbox (at, topic, customer_no, payload)
SELECT :as_of, 'customer.changed', o.customer_no,
       '{"id":"' || o.public_id || '","mergedInto":' || COALESCE('"' || m.public_id || '"', 'null') || '}'
FROM card_before o
JOIN customer_ledger l ON l.customer_no = o.customer_no
LEFT JOIN customer_ledger m ON m.customer_no = l.merged_into
LEFT JOIN batch b ON b.customer_no = o.customer_no
WHERE b.customer_no IS NULL
ORDER BY o.customer_no
"""


def remember_cards(connection: Connection) -> None:
    """Keeps a copy of the batch's cards as they are, for `publish` to compare with."""
    connection.execute(text("DROP TABLE IF EXISTS card_before"))
    connection.execute(text(_REMEMBER))


def publish(connection: Connection, as_of: int, raised: Sequence[int], cleared: Sequence[int]) -> None:
    """Tells the outbox which of the batch's cards changed or are gone, and which flags were raised and cleared."""
    same = _SAME[connection.dialect.name]
    connection.execute(text(_TELL.format(same=same)), {"as_of": as_of})
    connection.execute(text(_TELL_GONE), {"as_of": as_of})
    connection.execute(text(_KEEP.format(same=same)))
    rows = [*_flags(connection, "flag.raised", raised), *_flags(connection, "flag.cleared", cleared)]
    insert_rows(connection, outbox, ("at", "topic", "customer_no", "payload"), [(as_of, *row) for row in rows])


def _flags(connection: Connection, topic: str, numbers: Sequence[int]) -> list[tuple[str, int, str]]:
    log, flag = flag_log.c, risk_flag.c
    query = (
        select(log.flag_no, log.customer_no, log.rule, flag.severity)
        .select_from(flag_log.outerjoin(risk_flag, flag.flag_no == log.flag_no))
        .where(among(connection, log.flag_no, numbers))
        .order_by(log.flag_no)
    )
    return [
        (topic, row.customer_no, json.dumps({"flag": row.flag_no, "rule": row.rule, "severity": row.severity}))
        for row in (connection.execute(query) if numbers else ())
    ]
