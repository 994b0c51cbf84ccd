"""What a key is. In: everybody who holds it. Out: whether it is a person's, a household's, a company's, or junk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from hub.identity.evidence.judge import Judge
from hub.identity.evidence.means import STRONG, Means
from hub.identity.evidence.organizations import organization_standing
from hub.identity.evidence.sides import Heard
from hub.identity.evidence.sounds import sound
from hub.identity.evidence.verdict import Standing
from hub.identity.normalise.portrait import Portrait

_OF_TWO = frozenset((Means.EMAIL, Means.HANDLE))  # two at one address that no role names live together


def standing(means: Means, holders: Sequence[Portrait], judge: Judge) -> Standing:
    """What the key is, learnt from the different people who hold it and not from how many profiles they have; the
    same whatever the order of its holders. A weak key is nobody's thing: PERSONAL.
    """
    if means not in STRONG or not holders:
        return Standing.PERSONAL
    if holders[0].kind == "ORGANIZATION":
        return organization_standing(means, holders, judge.shared_limit, judge.forms)
    distinct = _sides(holders)
    if _people(distinct, judge) > judge.shared_limit:
        return Standing.JUNK
    if means is Means.INBOX:
        return Standing.COMPANY
    if not _at_odds(distinct, judge):
        return Standing.PERSONAL
    couple = means in _OF_TWO and _people(distinct, judge) == 2
    return Standing.HOUSEHOLD if couple or _one_family(distinct) else Standing.COMPANY


def _sides(holders: Sequence[Portrait]) -> list[Portrait]:
    """One portrait for each that is said of who somebody is, who says most first; mostly all say one thing."""
    first = holders[0]
    others = [p for p in holders if p.names != first.names or p.births != first.births]
    sides = {(p.names, p.births): p for p in (first, *others) if p.names or p.births} if others else {}
    return [sides[side] for side in sorted(sides, key=_fullest_first)] if len(sides) > 2 else list(sides.values())


def _at_odds(distinct: Sequence[Portrait], judge: Judge) -> bool:
    if len(distinct) <= 2:  # nothing else is heard that could explain a contradiction
        return len(distinct) == 2 and judge.contradict(*distinct)
    heard = Heard(distinct, judge)
    return any(heard.at_odds(left, right) for left, right in combinations(distinct, 2))


def _fullest_first(side: tuple[tuple[object, ...], tuple[str, ...]]) -> tuple[int, str]:
    """Who says most comes first, so that `A. Vogt` is taken for Anna and for Arno, and is not a third."""
    said = repr(side)
    return -len(said), said


def _people(distinct: Iterable[Portrait], judge: Judge) -> int:
    """How many different people there are at least; counted no further than one more than the limit."""
    found: list[Portrait] = []
    for portrait in distinct:
        if all(judge.contradict(portrait, other) for other in found):
            found.append(portrait)
            if len(found) > judge.shared_limit:
                break
    return len(found)


def _one_family(distinct: Iterable[Portrait]) -> bool:
    """Whether all who say a family name share one, be it by way of a double name."""
    families: list[set[str]] = []
    for portrait in distinct:
        words = {sound(word) for name in portrait.names for word in name.family}
        if words:
            apart = [family for family in families if family.isdisjoint(words)]
            families = [*apart, words.union(*(family for family in families if not family.isdisjoint(words)))]
    return len(families) == 1
