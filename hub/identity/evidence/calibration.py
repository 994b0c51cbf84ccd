"""What was learnt of a store's errors. In: how two records of one home agree. Out: the odds that they are one person's.

People of one home are one person, two of a household, or strangers; within each of these, given name, family name and
birth date agree independently (latent classes: Dempster, Laird & Rubin 1977; for linkage Winkler 1988).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log2
from typing import Any, NamedTuple

import msgspec

from hub.identity.evidence.births import Births
from hub.identity.evidence.likeness import Family, Given, Names
from hub.identity.evidence.places import Place

HOMES = (Place.PARTS, Place.STREET, Place.HOME)  # where people live together, or are taken to


class CalibrationError(Exception):
    """What the database keeps cannot be read; the message says what to do."""


class Cell(NamedTuple):
    """How two records of one home agree. `family`: whether the family name does, None where that is not known."""

    place: Place
    given: Given
    births: Births
    family: bool | None


class Home(NamedTuple):
    """Of pairs of one nearness: how many there were, and the shares that are two of a household, or strangers."""

    pairs: int
    households: float
    strangers: float


@dataclass(frozen=True, slots=True)
class _People:
    """How two people agree who are not one: chances by level, and that the family name agrees."""

    given: tuple[float, ...]
    births: tuple[float, ...]
    family: float


def levels_of(levels: Mapping[Any, float], kind: Iterable[Any]) -> tuple[float, ...]:
    """A chance for each level; not knowing says nothing about anybody."""
    return tuple(1.0 if level.name == "UNKNOWN" else levels.get(level, 1e-6) for level in kind)


def _people(given: Mapping[Given, float], births: Mapping[Births, float], family: float) -> _People:
    return _People(levels_of(given, Given), levels_of(births, Births), family)


_GIVEN_OF_TWO = {
    Given.CLASH: 0.95, Given.DOUBTFUL: 0.02, Given.INITIAL: 0.01, Given.TYPO: 0.005, Given.FORMAL: 0.005,
    Given.EQUAL: 0.01,
}  # fmt: skip
_BIRTHS_OF_TWO = {
    Births.GENERATION: 0.38, Births.DIFFERENT: 0.52, Births.FAR: 0.04, Births.PART: 0.012, Births.NEAR: 0.008,
    Births.SWAPPED: 0.002,
}  # fmt: skip
_TWINS, _NAMESAKES = 0.03, 0.03  # of two of a household: twins; parent and child of one name
_HOUSEHOLD = _people(_GIVEN_OF_TWO, _BIRTHS_OF_TWO | {Births.SAME: _TWINS}, 0.8)
_STRANGERS = _people(_GIVEN_OF_TWO, _BIRTHS_OF_TWO | {Births.SAME: 1 / 16_000}, 0.01)
_NAMED_ALIKE = _people(
    {Given.TYPO: 0.02, Given.FORMAL: 0.08, Given.EQUAL: 0.9}, {Births.GENERATION: 0.95, Births.DIFFERENT: 0.05}, 0.99
)


@dataclass(frozen=True)
class Calibration:
    """What was learnt. Of one person's records: `given` and `births`, the share at each level of agreement, and
    `family`, that of family names that agree. `homes`: who the pairs of each of HOMES are.
    """

    given: tuple[float, ...]
    births: tuple[float, ...]
    family: float
    homes: tuple[Home, ...]

    @property
    def pairs(self) -> int:
        """From how many pairs it was learnt."""
        return sum(home.pairs for home in self.homes)

    @property
    def wrong_given(self) -> float:
        """Of one person's records, how often two say other given names."""
        return self.given[Given.CLASH]

    @property
    def wrong_birth(self) -> float:
        """Of one person's records, how often two say other birth dates."""
        return self.births[Births.GENERATION] + self.births[Births.DIFFERENT]

    @cached_property
    def given_bits(self) -> tuple[float, ...]:
        """What each level of given names says for one person and against two; disagreement at most nothing."""
        return _bits(self.given, _STRANGERS.given)

    @property
    def family_bits(self) -> float:
        """What another family name says for one person and against two."""
        return log2((1 - self.family) / (1 - _STRANGERS.family))

    @cached_property
    def births_bits(self) -> tuple[float, ...]:
        """What each level of birth dates says for one person and against two; disagreement at most nothing."""
        return _bits(self.births, _STRANGERS.births)

    def odds(self, cell: Cell) -> float:
        """How much likelier a pair is one person than two, as it agrees so."""
        home = self.homes[HOMES.index(cell.place)]
        return self.one(cell) / sum(others(home, cell))

    def one(self, cell: Cell) -> float:
        """How likely a pair is one person's who agree so."""
        home = self.homes[HOMES.index(cell.place)]
        one = (1 - home.households - home.strangers) * self.given[cell.given] * self.births[cell.births]
        return one if cell.family is None else one * (self.family if cell.family else 1 - self.family)


def cell_of(names: Names, births: Births, place: Place) -> Cell:
    """The cell that a pair counts in, or is judged by. Where the given names clash, nothing told of the family name
    means that it differs, too.
    """
    family = None if names.family in (Family.UNKNOWN, Family.DOUBTFUL) else names.family > Family.UNKNOWN
    if names.family is Family.UNKNOWN and names.given is Given.CLASH:
        family = False
    return Cell(place, names.given, births, family)


def others(home: Home, cell: Cell) -> tuple[float, float]:
    """How likely a pair is two of a household who agree so, and two strangers."""
    kin = (1 - _NAMESAKES) * _chance(_HOUSEHOLD, cell) + _NAMESAKES * _chance(_NAMED_ALIKE, cell)
    return home.households * kin, home.strangers * _chance(_STRANGERS, cell)


def _chance(people: _People, cell: Cell) -> float:
    found = people.given[cell.given] * people.births[cell.births]
    return found if cell.family is None else found * (people.family if cell.family else 1 - people.family)


def _bits(one: tuple[float, ...], two: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(log2(m / u) for m, u in zip(one, two, strict=True))


def written(calibration: Calibration) -> str:
    """The calibration as text, equal for equal ones: shares of records, and nobody's data."""
    return msgspec.json.encode(calibration).decode()


def read(text: str) -> Calibration:
    """The calibration that was written. Raises CalibrationError where another version of the hub wrote it."""
    try:
        return msgspec.json.decode(text, type=Calibration)
    except msgspec.MsgspecError:
        remedy = "`hub identity calibrate --write` learns it anew, --forget does without it"
        raise CalibrationError(f"what was learnt of names and birth dates cannot be read; {remedy}") from None
