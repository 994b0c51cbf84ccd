"""Learning without labels. In: how records of one home agree, and how often so. Out: how often forms are wrong, and
how many such pairs are two people.

If errors were all there is, another given name with another birth date would be as rare as both rates say; what is more
than that are households and neighbours, among whom both differ nearly always. So the three classes are fitted by
expectation and maximisation (Dempster, Laird & Rubin 1977), what is believed beforehand counting as a few pairs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import Any

from hub.identity.evidence.births import Births
from hub.identity.evidence.calibration import HOMES, Calibration, Cell, Home, levels_of, others
from hub.identity.evidence.likeness import Given
from hub.identity.evidence.places import Place

FEWEST = 300  # pairs of one home and family that state given names and birth dates; with fewer nothing is learnt
MOST_WRONG = 0.25  # of one person's records: more is no error, but something that was not understood

# What is believed of one person's records before any is seen, and how many pairs must say otherwise.
_GIVEN_OF_ONE = {
    Given.CLASH: 0.005, Given.DOUBTFUL: 0.01, Given.INITIAL: 0.02, Given.TYPO: 0.04, Given.FORMAL: 0.06,
    Given.EQUAL: 0.865,
}  # fmt: skip
_BIRTHS_OF_ONE = {
    Births.GENERATION: 0.004, Births.DIFFERENT: 0.006, Births.FAR: 0.005, Births.PART: 0.015, Births.NEAR: 0.03,
    Births.SWAPPED: 0.01, Births.SAME: 0.93,
}  # fmt: skip
_FAMILY_OF_ONE = 0.97
_BELIEVED, _OTHERS_BELIEVED = 50.0, 0.5
# Families are in a register or they are not: where it is as well explained without them, to so much of a logarithm of
# likelihood (95 of 100 by its ratio), hardly any are believed in.
_TELLS, _SELDOM = 1.92, 1 / 5_000
_AGAINST = {"CLASH", "DOUBTFUL", "GENERATION", "DIFFERENT", "FAR"}
_ROUNDS, _SETTLED = 1_000, 1e-7


def learn(counts: Mapping[Cell, int]) -> Calibration | None:
    """The likeliest errors and households behind the counts of pairs at HOMES; None where too few of one family state
    given names and birth dates. The same for the same counts.
    """
    seen = {cell: counts[cell] for cell in sorted(counts, key=repr) if cell.place in HOMES and counts[cell]}
    if sum(n for cell, n in seen.items() if _telling(cell)) < FEWEST:
        return None
    found, alone = _fitted(seen, True), _fitted(seen, False)
    if _likelihood(found, seen) - _likelihood(alone, seen) < _TELLS:
        found = alone
    given, births = _bounded(found.given, _GIVEN_OF_ONE), _bounded(found.births, _BIRTHS_OF_ONE)
    return Calibration(given, births, found.family, found.homes)


def _fitted(seen: Mapping[Cell, int], families: bool) -> Calibration:
    """The likeliest; with hardly any two of one household where no `families` are believed in."""
    now = Calibration(
        levels_of(_GIVEN_OF_ONE, Given),
        levels_of(_BIRTHS_OF_ONE, Births),
        _FAMILY_OF_ONE,
        tuple(Home(sum(n for cell, n in seen.items() if cell.place is place), 0.25, 0.25) for place in HOMES),
    )
    for _ in range(_ROUNDS):
        before, now = now, _improved(now, seen, families)
        if all(abs(a - b) < _SETTLED for a, b in zip(_free(before), _free(now), strict=True)):
            break
    return now


def _likelihood(found: Calibration, seen: Mapping[Cell, int]) -> float:
    """Its logarithm, but for what does not depend on what was found."""
    homes = dict(zip(HOMES, found.homes, strict=True))
    return sum(n * log(found.one(cell) + sum(others(homes[cell.place], cell))) for cell, n in seen.items())


def _telling(cell: Cell) -> bool:
    return bool(cell.family) and cell.given != Given.UNKNOWN and cell.births != Births.UNKNOWN


def _free(found: Calibration) -> list[float]:
    return [*found.given, *found.births, found.family, *(share for home in found.homes for share in home[1:])]


def _improved(now: Calibration, seen: Mapping[Cell, int], families: bool) -> Calibration:
    """One round: how likely each pair is one person, and the shares that follow from it."""
    one: dict[Cell, float] = {}
    kin: dict[Place, float] = defaultdict(float)
    for cell, n in seen.items():
        odds = now.odds(cell)
        one[cell] = n * odds / (1 + odds)
        related, strange = others(now.homes[HOMES.index(cell.place)], cell)
        kin[cell.place] += (n - one[cell]) * related / (related + strange)
    same = {place: sum(n for cell, n in one.items() if cell.place is place) for place in HOMES}
    agree = [(cell.family, n) for cell, n in one.items() if cell.family is not None]
    return Calibration(
        _shares(_GIVEN_OF_ONE, Given, [(cell.given, n) for cell, n in one.items()]),
        _shares(_BIRTHS_OF_ONE, Births, [(cell.births, n) for cell, n in one.items()]),
        (_FAMILY_OF_ONE * _BELIEVED + sum(n for so, n in agree if so)) / (_BELIEVED + sum(n for _, n in agree)),
        tuple(_home(home.pairs, same[at], kin[at], families) for at, home in zip(HOMES, now.homes, strict=True)),
    )


def _home(pairs: int, same: float, kin: float, families: bool) -> Home:
    total = pairs + 3 * _OTHERS_BELIEVED
    households = (kin + _OTHERS_BELIEVED) / total if families else _SELDOM
    return Home(pairs, households, (pairs - same - kin + _OTHERS_BELIEVED) / total)


def _shares(believed: Mapping[Any, float], kind: Iterable[Any], seen: Sequence[tuple[Any, float]]) -> tuple[float, ...]:
    """The share of each level, what is believed counting as so many pairs."""
    held = {level: share * _BELIEVED for level, share in believed.items()}
    for level, n in seen:
        if level in held:
            held[level] += n
    total = sum(held.values())
    return levels_of({level: n / total for level, n in held.items()}, kind)


def _bounded(shares: tuple[float, ...], believed: Mapping[Any, float]) -> tuple[float, ...]:
    """Agreement that was seldom seen is no rarer than is believed, and disagreement no oftener than errors can be."""
    found = list(shares)
    for level, share in believed.items():
        found[level] = max(found[level], share) if level.name not in _AGAINST else min(found[level], MOST_WRONG)
    return tuple(found)
