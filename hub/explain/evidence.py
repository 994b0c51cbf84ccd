"""Who is who in one customer. In: its number. Out: its profiles, the judgements that made it one and those that kept
others away, what stewards said, and how its id fared.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.identity.divide import Sets
from hub.identity.evidence.verdict import MATCH, WHOLE
from hub.identity.steward.review import Side, sides

STEWARD = "steward"


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement about two profiles: the hub's, or a steward's, whose name `rule` then follows. Scores in millionths.

    `waits`: it stands in the review queue. `withdrawn` says why and when a steward took it back.
    """

    left: int
    right: int
    verdict: str
    rule: str
    score: int
    reasons: tuple[str, ...]
    at: int
    waits: bool = False
    decided_by: str | None = None
    withdrawn: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to the customer's id. `at` in µs; `ids` are all ids concerned."""

    at: int
    event: str
    ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """`joins` span the customer, the strongest path first; `further` say the same once more.

    `apart` leads to profiles of others, at most one judgement a customer, the likeliest first, and `in_spite` are the
    judgements against pairs that stronger ones hold together. `sides` knows every profile named anywhere here.
    """

    profiles: tuple[Side, ...]
    joins: tuple[Judged, ...]
    further: tuple[Judged, ...]
    in_spite: tuple[Judged, ...]
    apart: tuple[Judged, ...]
    stewards: tuple[Judged, ...]
    history: tuple[Event, ...]
    sides: Mapping[int, Side]


_PROFILES = "SELECT profile_no FROM profile_ledger WHERE customer_no = :no"
_LINKS = """
SELECT k.left_profile_no, k.right_profile_no, k.verdict, k.rule, k.score, k.reasons, k.at, k.review
FROM profile_ledger l JOIN link k ON k.left_profile_no = l.profile_no WHERE l.customer_no = :no
UNION
SELECT k.left_profile_no, k.right_profile_no, k.verdict, k.rule, k.score, k.reasons, k.at, k.review
FROM profile_ledger l JOIN link k ON k.right_profile_no = l.profile_no WHERE l.customer_no = :no
"""
_STEWARDS = """
SELECT j.* FROM profile_ledger l JOIN judgement j ON j.left_profile_no = l.profile_no WHERE l.customer_no = :no
UNION
SELECT j.* FROM profile_ledger l JOIN judgement j ON j.right_profile_no = l.profile_no WHERE l.customer_no = :no
ORDER BY judgement_no
"""
_HISTORY = "SELECT at, event, customer_ids, reason FROM identity_log WHERE customer_no = :no ORDER BY log_no"


def evidence(connection: Connection, number: int, trust: Sequence[str]) -> Evidence:
    """All that speaks for and against this customer being one; profiles by source in the order of `trust`."""
    bound = {"no": number}
    inside = set(connection.execute(text(_PROFILES), bound).scalars())
    links = [_hubs(row) for row in connection.execute(text(_LINKS), bound)]
    stewards = tuple(_stewards(row) for row in connection.execute(text(_STEWARDS), bound))
    named = inside.union(*((one.left, one.right) for one in (*links, *stewards)))
    known = sides(connection, named)
    standing = [one for one in stewards if one.withdrawn is None and one.verdict == MATCH]
    joins, further = spanning(inside, [*standing, *(one for one in links if one.verdict == MATCH)])
    against = [one for one in links if one.verdict != MATCH]
    return Evidence(
        profiles=tuple(sorted((known[one] for one in inside), key=lambda side: _place(side, trust))),
        joins=joins,
        further=further,
        in_spite=tuple(one for one in against if one.left in inside and one.right in inside),
        apart=_likeliest(against, inside, known),
        stewards=stewards,
        history=tuple(_event(row) for row in connection.execute(text(_HISTORY), bound)),
        sides=known,
    )


def spanning(
    inside: Collection[int], matches: Iterable[Judged]
) -> tuple[tuple[Judged, ...], tuple[Judged, ...]]:  # fmt: skip
    """The strongest judgements that hold these profiles together, a steward's before any, and those they confirm.

    (Kruskal: of every circle of judgements the weakest one is left out.)
    """
    sets = Sets(inside)
    joins: list[Judged] = []
    further: list[Judged] = []
    for one in sorted(matches, key=lambda m: (m.decided_by is None, -m.score, m.left, m.right)):
        if one.left not in inside or one.right not in inside:
            continue
        needed = sets.root(one.left) != sets.root(one.right)
        sets.union(one.left, one.right)
        (joins if needed else further).append(one)
    return tuple(joins), tuple(further)


def _likeliest(against: Iterable[Judged], inside: Collection[int], known: Mapping[int, Side]) -> tuple[Judged, ...]:
    found: dict[object, Judged] = {}
    for one in sorted(against, key=lambda k: (not k.waits, -k.score, k.left, k.right)):
        if (one.left in inside) != (one.right in inside):
            other = known[other_end(one, inside)]
            found.setdefault(other.customer or other.number, one)
    return tuple(found.values())


def other_end(judged: Judged, inside: Collection[int]) -> int:
    """Of a judgement's two profiles the one that is of somebody else."""
    return judged.right if judged.left in inside else judged.left


def _place(side: Side, trust: Sequence[str]) -> tuple[int, str]:
    source = side.place.split("/", 1)[0]
    return (trust.index(source) if source in trust else len(trust)), side.place


def _hubs(row: Row[Any]) -> Judged:
    pair = (row.left_profile_no, row.right_profile_no)
    return Judged(*pair, row.verdict, row.rule, row.score, tuple(json.loads(row.reasons)), row.at, bool(row.review))


def _stewards(row: Row[Any]) -> Judged:
    withdrawn = None if row.withdrawn_at is None else (row.withdrawn_at, row.withdrawn_reason or "")
    return Judged(
        row.left_profile_no, row.right_profile_no, row.verdict, STEWARD, WHOLE, (row.reason,), row.at,
        decided_by=row.decided_by, withdrawn=withdrawn,
    )  # fmt: skip


def _event(row: Row[Any]) -> Event:
    return Event(row.at, row.event, tuple(json.loads(row.customer_ids)), row.reason)
