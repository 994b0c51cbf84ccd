"""How alike birth dates and national ids are. In: texts as stated. Out: levels; not knowing is a level of its own."""

from __future__ import annotations

from enum import IntEnum

from rapidfuzz.distance import OSA

GENERATION = range(14, 50)  # years between parents and children


class Births(IntEnum):
    """How birth dates agree. PART: as far as known, or with day, month or year wrong. FAR: too much is wrong for
    evidence and too little for a contradiction. GENERATION: as parents and children.
    """

    __hash__ = int.__hash__

    GENERATION = 0
    DIFFERENT = 1
    FAR = 2
    UNKNOWN = 3
    PART = 4
    NEAR = 5
    SWAPPED = 6
    SAME = 7


class Nationals(IntEnum):
    """How ids of one person's kind agree. NEAR: one digit wrong or two swapped. COMMON: the same, but many state it."""

    __hash__ = int.__hash__

    DIFFERENT = 0
    UNKNOWN = 1
    NEAR = 2
    COMMON = 3
    SAME = 4


def births(left: tuple[str, ...], right: tuple[str, ...]) -> Births:
    """The best that any date of the one makes with any of the other; UNKNOWN where one has none. Symmetric."""
    if not left or not right:
        return Births.UNKNOWN
    if left == right:
        return Births.SAME
    return max(_dates(a, b) for a in left for b in right)


def _dates(left: str, right: str) -> Births:
    """Two dates as YYYY-MM-DD, or with parts missing; days that no calendar has are compared as they are written."""
    if left == right:
        return Births.SAME
    one, other = left.split("-"), right.split("-")
    if len(one) != 3 or len(other) != 3:
        return Births.PART if left.startswith(right) or right.startswith(left) else Births.FAR
    (year, month, day), (other_year, other_month, other_day) = one, other
    if year == other_year and (month, day) == (other_day, other_month):
        return Births.SWAPPED
    first, second = year + month + day, other_year + other_month + other_day
    errors = OSA.distance(first, second, score_cutoff=2)
    apart, same_day = _years(year, other_year), (month, day) == (other_month, other_day)
    if apart in GENERATION:
        return Births.GENERATION
    if errors == 1 or (same_day and apart == 1):
        return Births.NEAR
    if same_day or (apart == 0 and (month == other_month or day == other_day)):
        return Births.PART
    return Births.FAR if errors == 2 else Births.DIFFERENT


def _years(left: str, right: str) -> int:
    return abs(int(left) - int(right)) if left.isdecimal() and right.isdecimal() else 0


def nationals(
    left: tuple[tuple[str, str], ...], right: tuple[tuple[str, str], ...], systems: frozenset[str]
) -> Nationals:
    """How the ids agree that a state gives a person; the best that two of one system make. Symmetric."""
    best = None
    for system, value in left:
        if system in systems:
            for other, second in right:
                if other == system:
                    level = _numbers(value, second)
                    best = level if best is None else max(best, level)
    return Nationals.UNKNOWN if best is None else best


def _numbers(left: str, right: str) -> Nationals:
    if left == right:
        return Nationals.SAME
    if left.isdecimal() and right.isdecimal() and abs(int(left) - int(right)) == 1:
        return Nationals.DIFFERENT  # twins are numbered one after the other
    near = min(len(left), len(right)) >= 6 and OSA.distance(left, right, score_cutoff=1) == 1
    return Nationals.NEAR if near else Nationals.DIFFERENT
