"""What cards say of flags and interactions, and what they should say by a second way: Python over whole tables.

In: a connection. Out: of each customer the columns open_flag_count, flags, timeline_count, latest, lists as lists.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, text

Lists = tuple[int, Any, int, Any]


def shown(connection: Connection) -> dict[int, Lists]:
    """What the cards say."""
    rows = connection.execute(
        text("SELECT customer_no, open_flag_count, flags, timeline_count, latest FROM customer_card")
    )
    return {no: (flags, _parsed(worst), touches, _parsed(latest)) for no, flags, worst, touches, latest in rows}


def expected(connection: Connection) -> dict[int, Lists]:
    """What they should say, but for lists that are too long for a card."""
    flags, touches = defaultdict(list), defaultdict(list)
    for f in connection.execute(text("SELECT * FROM risk_flag WHERE state = 'OPEN'")):
        place = (-f.severity_rank, f.since, f.flag_no)
        flags[f.customer_no].append((place, [f.flag_no, f.rule, f.severity, f.since, f.points, f.message]))
    for i in connection.execute(text("SELECT * FROM interaction")):
        said = [i.fact_no, i.at, i.type, i.channel, i.lane, i.source, i.summary]
        for owner in {i.customer_no, i.organization_no} - {None}:
            touches[owner].append(((-i.at, -i.fact_no), said))
    return {
        no: (
            len(flags[no]),
            [said for _, said in sorted(flags[no])][:8],
            len(touches[no]),
            [said for _, said in sorted(touches[no])][:5],
        )
        for no in connection.scalars(text("SELECT customer_no FROM customer_card"))
    }


def wide(customers: dict[int, Lists], like: dict[int, Lists]) -> dict[int, Lists]:
    """`customers` with null for the lists that `like` leaves to the tables."""
    return {
        no: (said[0], None if like[no][1] is None else said[1], said[2], None if like[no][3] is None else said[3])
        for no, said in customers.items()
    }


def _parsed(stored: Any) -> Any:
    return json.loads(stored) if isinstance(stored, str) else stored
