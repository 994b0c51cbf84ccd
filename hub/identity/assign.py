"""Ids last. In: the components, and which customer each profile was last. Out: which customer each component is.

A component keeps the id that most of its profiles had; what a split leaves without gets back the id it had before the
merge, where it is the only one that had it; the rest are new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.identity.evidence.verdict import Profile


@dataclass(frozen=True, slots=True)
class Known:
    """An id that was minted once."""

    public_id: str
    kind: str
    merged_into: int | None


def kept_ids(components: Sequence[Sequence[Profile]], known: Mapping[int, Known]) -> dict[int, int]:
    """Component to the id it keeps: the largest overlap first; ties: the lowest id, then the lowest profile."""
    overlaps = []
    for at, profiles in enumerate(components):
        count = Counter(p.customer_no for p in profiles if p.customer_no is not None)
        least = min(p.number for p in profiles)
        overlaps += [
            (-shared, number, least, at)
            for number, shared in count.items()
            if number in known and known[number].kind == profiles[0].kind
        ]
    kept: dict[int, int] = {}
    given: set[int] = set()
    for _, number, _, at in sorted(overlaps):
        if at not in kept and number not in given:
            kept[at] = number
            given.add(number)
    return kept


def former_ids(components: Sequence[Sequence[Profile]], kept: Mapping[int, int]) -> dict[int, int]:
    """Component without an id to the one it had before, where no other component had it, too."""
    had: dict[int, set[int]] = {}
    for at, profiles in enumerate(components):
        for profile in profiles:
            if profile.previous_no is not None:
                had.setdefault(profile.previous_no, set()).add(at)
    found: dict[int, int] = {}
    for number, ats in sorted(had.items()):
        at = min(ats)
        if len(ats) == 1 and at not in kept:
            found.setdefault(at, number)
    return found


def successors(last: Mapping[int, Sequence[int | None]], held: set[int]) -> dict[int, int | None]:
    """Each id that nobody keeps, to the customer that most of its profiles became; ties: the lowest; None: nobody.

    `last` is the former id to what its profiles became, one a profile; `held` are the ids still in use.
    """
    found: dict[int, int | None] = {}
    for number, became in last.items():
        if number not in held:
            count = Counter(n for n in became if n is not None)
            found[number] = min(count, key=lambda n: (-count[n], n)) if count else None
    return found
