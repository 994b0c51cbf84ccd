"""Holders. In: keys. Out: who holds them, of those keys that few enough hold to say anything."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection

from hub.identity.evidence.means import MEANS_BITS, STRONG, Means, most
from hub.identity.stored import unpacked
from hub.store.bulk import insert_rows
from hub.store.derived import match_key
from hub.store.plain import rows, run

TOLD = STRONG | {Means.NAME}  # the means of whose keys a judgement is told how many hold them, or what they are
Holder = tuple[Any, ...]  # key, profile, whether it is the id of the profile's own record

_MOST = {means.value: most(means) for means in Means}
_TOLD = frozenset(means.value for means in TOLD)
_PART = """
    SELECT k.key, k.profile_no, k.own FROM LISTED CROSS JOIN match_key k WHERE k.key = a.value
    AND (SELECT count(*) FROM (
        SELECT 1 FROM match_key c WHERE c.key = a.value ORDER BY c.profile_no LIMIT {over}) held
    ) BETWEEN ? AND {most}
"""  # in order, for that takes the index: a planner that knows nothing yet would read the table up to the limit
_PACKED = "SELECT profile_no, keys FROM portrait WHERE profile_no > ? ORDER BY profile_no LIMIT ?"
_AT_ONCE = 50_000  # portraits
_PART_SHIFT = 55  # keys are spread evenly over 63 bits: 256 parts, each of which is sorted by itself
_PARTS_OF_ALL = 1 << 63 - _PART_SHIFT


def active_holders(connection: Connection, keys: Iterable[int]) -> list[Holder]:
    """All who hold an active key of these, where at least two do.

    A key that more profiles hold than its means allows is inactive: its holders are counted no further than that.
    """
    return _held(connection, [(limit, 2, asked) for limit, asked in _by_limit(keys).items()])


def concerned(connection: Connection, keys: Mapping[int, int]) -> set[int]:
    """Whom it concerns that keys come and go: all who hold one that is active and tells more than that it is shared.

    `keys` are told with how many come or go. Of a weak key that only one comes to or goes from, it concerns its holders
    only where it is at its limit, and so becomes inactive or active.
    """
    every = _by_limit(key for key, times in keys.items() if times > 1 or key & MEANS_BITS in _TOLD)
    brimful = _by_limit(key for key, times in keys.items() if times == 1 and key & MEANS_BITS not in _TOLD)
    asked = [(limit, 1, listed) for limit, listed in every.items()]
    asked += [(limit, limit, listed) for limit, listed in brimful.items()]
    return {number for _, number, _ in _held(connection, asked)}


def _held(connection: Connection, asked: Sequence[tuple[int, int, list[int]]]) -> list[Holder]:
    """The holders of keys: how many may hold them, how many have to, and the keys."""
    if not asked:
        return []
    statement = _union(tuple(most for most, _, _ in asked))
    return rows(connection, statement, *(value for _, least, keys in asked for value in (keys, least)))


@cache
def _union(limits: tuple[int, ...]) -> str:
    """One statement with a part for each: LIMIT is no expression."""
    return " UNION ALL ".join(_PART.format(over=limit + 1, most=limit) for limit in limits)


def _by_limit(keys: Iterable[int]) -> dict[int, list[int]]:
    """The keys by how many may hold them, both in ascending order."""
    found: dict[int, list[int]] = defaultdict(list)
    for key in sorted(keys):
        found[_MOST[key & MEANS_BITS]].append(key)
    return dict(sorted(found.items()))


def write_all_keys(connection: Connection) -> None:
    """Fills match_key, which is empty, from all portraits, in the order of its keys: so each page is written once."""
    parts = [(array("q"), array("q"), array("b")) for _ in range(_PARTS_OF_ALL)]
    last = 0
    while read := rows(connection, _PACKED, last, _AT_ONCE):
        last = read[-1][0]
        for number, keys in read:
            own = 1  # the first is
            for key in unpacked(keys):
                of_keys, of_numbers, of_owns = parts[key >> _PART_SHIFT]
                of_keys.append(key)
                of_numbers.append(number)
                of_owns.append(own)
                own = 0
    for part in parts:
        insert_rows(connection, match_key, ("key", "profile_no", "own"), sorted(zip(*part, strict=True)))
    if connection.dialect.name == "postgresql":
        run(connection, "ANALYZE match_key, portrait")  # nobody else does before they are read
