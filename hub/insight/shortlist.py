"""What a card shows of other tables: the worst open flags and the newest interactions, a short list of each.

In: risk_flag and interaction of the batch. Out: the lists as compact JSON, and how many there are in all. They stand
in the order of the graph's riskFlags and timeline, so that a list of customers reads one row a customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, text

MOST_FLAGS = 8
MOST_INTERACTIONS = 5
LONGEST_SUMMARY = 300  # characters
MOST_BYTES = 1_000  # of a list; PostgreSQL compresses a row of 2 KB, and then every look at it costs

_FLAGS = """
SELECT f.customer_no, f.flag_no, f.rule, f.severity, f.since, f.points, f.message
FROM batch b JOIN risk_flag f ON f.customer_no = b.customer_no
WHERE f.state = 'OPEN' ORDER BY f.customer_no, f.severity_rank DESC, f.since, f.flag_no
"""

# An organization's are its own and its people's, each once. Customer by customer along an index: a join would be free
# to read all that ever happened.
_MANY = """
SELECT b.customer_no, (SELECT COUNT(*) FROM interaction i WHERE i.customer_no = b.customer_no)
       + (SELECT COUNT(*) FROM interaction i
          WHERE i.organization_no = b.customer_no AND i.customer_no IS DISTINCT FROM i.organization_no) AS many
FROM batch b
"""
_NEWEST = """
SELECT * FROM (
  SELECT {columns} FROM interaction i WHERE i.customer_no = b.customer_no
  ORDER BY i.at DESC, i.fact_no DESC LIMIT :most
) AS own
UNION ALL
SELECT * FROM (
  SELECT {columns} FROM interaction i
  WHERE i.organization_no = b.customer_no AND i.customer_no IS DISTINCT FROM i.organization_no
  ORDER BY i.at DESC, i.fact_no DESC LIMIT :most
) AS people
ORDER BY at DESC, fact_no DESC LIMIT :most
"""
_SAID = "i.fact_no, i.at, i.type, i.channel, i.lane, i.source, i.summary"
_THESE = {  # SQLite knows no LATERAL, PostgreSQL no index for a correlated IN
    "postgresql": f"CROSS JOIN LATERAL ({_NEWEST.format(columns=_SAID)}) AS i",
    "sqlite": f"JOIN interaction i ON i.fact_no IN (SELECT fact_no FROM ({_NEWEST.format(columns='i.at, i.fact_no')}))",  # noqa: S608
}
_LATEST = """
SELECT b.customer_no, {said} FROM batch b {these} ORDER BY b.customer_no, i.at DESC, i.fact_no DESC
"""


class Shortlists(NamedTuple):
    """Columns of customer_card. A list that would make the card wide is null: who reads it asks the tables."""

    open_flag_count: int = 0
    flags: str | None = "[]"
    timeline_count: int = 0
    latest: str | None = "[]"


NOTHING = Shortlists()


def shortlists(connection: Connection) -> dict[int, Shortlists]:
    """The lists of the customers in `batch`, without those for whom NOTHING holds; `risk_flag` must be written."""
    found: dict[int, Shortlists] = {}
    for customer_no, rows in _grouped(connection.execute(text(_FLAGS))):
        worst = _narrow([row[1:] for row in rows[:MOST_FLAGS]])
        found[customer_no] = Shortlists(open_flag_count=len(rows), flags=worst)
    latest = _LATEST.format(said=_SAID, these=_THESE[connection.dialect.name])
    many: dict[int, int] = dict(connection.execute(text(_MANY)).all())
    for customer_no, rows in _grouped(connection.execute(text(latest), {"most": MOST_INTERACTIONS})):
        wordy = any(len(row.summary or "") > LONGEST_SUMMARY for row in rows)
        newest = None if wordy else _narrow([row[1:] for row in rows])
        known = found.get(customer_no, NOTHING)
        found[customer_no] = known._replace(timeline_count=many[customer_no], latest=newest)
    return found


def _grouped(rows: Iterable[Row[Any]]) -> Iterator[tuple[int, list[Row[Any]]]]:
    """Rows customer by customer: the first column says whose."""
    return ((customer_no, list(group)) for customer_no, group in groupby(rows, lambda row: row[0]))


def _narrow(rows: list[Any]) -> str | None:
    encoded = msgspec.json.encode(rows)
    return encoded.decode() if len(encoded) <= MOST_BYTES else None
