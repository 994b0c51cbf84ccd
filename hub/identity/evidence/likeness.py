"""How alike two people's names are. In: names in comparison form. Out: levels; not knowing is a level of its own.

Words are compared by edit distance with transpositions (Damerau), more letters forgiving more. Two given names that
people bear are two names, however alike: Tim and Tom, Christian and Christina.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Name
from hub.identity.normalise.words import REMEMBERED, REMEMBERED_WHOLE

SHORTEST_TYPO = 4  # below that many letters another letter is another name
SHORTEST_BEGINNING = 4  # so many letters may stand for a longer name that begins with them
_GENDERS = frozenset("aeiou")  # endings that make Paula of Paul
_OF_A_WIFE = ("ova", "eva", "ovna", "a", "iene", "yte")


class Given(IntEnum):
    """How given names agree, from contradiction to agreement. FORMAL: a short or pet form, a part. INITIAL: a letter
    of the name, or one goes by the other's second name.
    """

    __hash__ = int.__hash__  # levels are hashed with every pair; an Enum's own hash is slow

    CLASH = 0
    DOUBTFUL = 1
    UNKNOWN = 2
    INITIAL = 3
    TYPO = 4
    FORMAL = 5
    EQUAL = 6


class Family(IntEnum):
    """How family names agree. PART: one part of a double name."""

    __hash__ = int.__hash__

    DIFFERENT = 0
    DOUBTFUL = 1
    UNKNOWN = 2
    INITIAL = 3
    TYPO = 4
    PART = 5
    EQUAL = 6


class Names(NamedTuple):
    """How two people's names agree. `clash`: nobody is called both."""

    given: Given
    family: Family
    clash: bool = False

    @property
    def full(self) -> bool:
        """Whether both parts agree as whole words."""
        return self.given >= Given.TYPO and self.family >= Family.TYPO


EQUAL_NAMES = Names(Given.EQUAL, Family.EQUAL)
UNKNOWN_NAMES = Names(Given.UNKNOWN, Family.UNKNOWN)
CLASH = Names(Given.CLASH, Family.UNKNOWN, clash=True)
HALF = Names(Given.CLASH, Family.TYPO, clash=True)  # the given name of the one is the family name of the other


class Likenesses:
    """Compares names by the company's rules; remembers what it compared."""

    def __init__(self, forms: Forms) -> None:
        self._formal = forms.formal
        self._known = forms.known
        self._similarity = forms.similarity
        self._words: dict[tuple[str, str], Given] = {}
        self._remembered: dict[tuple[tuple[Name, ...], tuple[Name, ...]], Names] = {}

    def names(self, left: tuple[Name, ...], right: tuple[Name, ...]) -> Names:
        """The best that any name of the one makes with any of the other; symmetric. Unknown where one has none."""
        if not left or not right:
            return UNKNOWN_NAMES
        if left == right and len(left) == 1 and _whole(left[0]):
            return EQUAL_NAMES
        key = (left, right)
        found = self._remembered.get(key)
        if found is None:
            if len(self._remembered) >= 2 * REMEMBERED_WHOLE:
                self._remembered.clear()
            found = max((self._pair(a, b) for a in left for b in right), key=_agreement)
            self._remembered[key] = self._remembered[right, left] = found
        return found

    def _pair(self, left: Name, right: Name) -> Names:
        if left.generation and right.generation and left.generation != right.generation:
            return CLASH
        if _other_script(left, right):
            return UNKNOWN_NAMES
        if left.loose or right.loose:
            return max(self._loose(left, right), self._loose(right, left), key=_agreement)
        straight = self._straight(left, right)
        if straight.family > Family.UNKNOWN and not straight.clash:
            return straight
        return max(straight, self._crossed(left, right), self._crossed(right, left), key=_agreement)

    def _straight(self, left: Name, right: Name) -> Names:
        family = self.family(left.family, right.family)
        given = self.given(left.given, right.given)
        apart = family is Family.DIFFERENT and given <= Given.INITIAL
        return Names(given, family, clash=apart or given is Given.CLASH)

    def _crossed(self, left: Name, right: Name) -> Names:
        """Given and family name in each other's field; a missing part says nothing, but not both may be missing."""
        if not _begin_crossed(left, right):
            return CLASH
        given, family = self.given(left.given, right.family), self.given(left.family, right.given)
        if max(given, family) < Given.TYPO:
            return CLASH
        if Given.UNKNOWN not in (given, family):
            least = Given.EQUAL if left.given[0] in self._known and right.given[0] in self._known else Given.TYPO
            return Names(Given.FORMAL, Family.PART) if min(given, family) >= least else HALF
        alone = not (left.given and left.family and right.given and right.family)
        return Names(Given.UNKNOWN, Family.TYPO) if alone else CLASH

    def _loose(self, one: Name, other: Name) -> Names:
        """One word against a name: it may be either part, or a name that somebody gave himself."""
        if not one.loose:
            return CLASH
        if other.loose and one.given == other.given:
            return Names(Given.FORMAL, Family.UNKNOWN)
        given = self.given(one.given, other.given)
        if given >= Given.INITIAL:
            return Names(min(given, Given.FORMAL), Family.UNKNOWN)
        if other.given and other.family and one.given[0] in _user_names(other):
            return Names(Given.INITIAL, Family.TYPO)
        if self.family(one.given, other.family) >= Family.TYPO:
            return Names(Given.UNKNOWN, Family.TYPO)
        borne = one.given[0] in self._known
        return CLASH if borne else Names(Given.DOUBTFUL, Family.UNKNOWN)

    def given(self, left: tuple[str, ...], right: tuple[str, ...]) -> Given:
        """The first of the one against any of the other: Hans is Hans-Peter, but Anna Maria is not Eva Maria."""
        if not left or not right:
            return Given.UNKNOWN
        if left == right:
            return Given.EQUAL if any(len(word) > 1 for word in left) else Given.INITIAL
        if "".join(left) == "".join(right):
            return Given.EQUAL
        first = self._word(left[0], right[0])
        if len(left) > 1 and len(right) > 1:
            return self._several(left, right, first)
        if first >= Given.TYPO:
            return first
        later = [(left[0], word) for word in right[1:]] + [(word, right[0]) for word in left[1:]]
        second = max((self._word(a, b) for a, b in later), default=Given.CLASH)
        if second >= Given.TYPO:  # a name of one's own that one goes by, or that of a parent
            return Given.INITIAL
        if second is Given.INITIAL:
            return max(first, Given.DOUBTFUL) if len(left[0]) == 1 or len(right[0]) == 1 else first
        whole = self._word("".join(left), "".join(right)) if len(left) != len(right) else Given.CLASH
        return max(first, second, whole if whole in (Given.TYPO, Given.DOUBTFUL) else Given.CLASH)

    def _several(self, left: tuple[str, ...], right: tuple[str, ...], first: Given) -> Given:
        """Each says several given names: the others count, too. Fathers and sons share the first and differ there, and
        a child's second name is often the first of a parent.
        """
        if first >= Given.INITIAL:
            met = self._each_met(left[1:], right[1:], Given.INITIAL)
            return min(first, Given.FORMAL) if met else Given.DOUBTFUL
        return Given.FORMAL if self._each_met(left, right, Given.TYPO) else first

    def _each_met(self, left: tuple[str, ...], right: tuple[str, ...], least: Given) -> bool:
        """Whether each word of the shorter is found in the longer."""
        shorter, longer = sorted((left, right), key=len)
        return all(any(self._word(word, other) >= least for other in longer) for word in shorter)

    def _word(self, left: str, right: str) -> Given:
        if left == right:
            return Given.EQUAL
        key = (left, right) if left < right else (right, left)
        found = self._words.get(key)
        if found is None:
            if len(self._words) >= REMEMBERED:
                self._words.clear()
            found = self._words[key] = self._compared(*key)
        return found

    def _compared(self, left: str, right: str) -> Given:
        formal, other = self._formal.get(left, frozenset((left,))), self._formal.get(right, frozenset((right,)))
        if min(len(left), len(right)) == 1:
            return Given.INITIAL if _begin_alike(formal, other) else Given.CLASH
        if not formal.isdisjoint(other):
            return Given.FORMAL
        borne = (left in self._known) + (right in self._known)
        return Given.CLASH if borne == 2 else self._mistyped(left, right, borne == 1)

    def _mistyped(self, left: str, right: str, one_known: bool) -> Given:
        """A given name that nobody bears beside one that somebody may."""
        shorter, longer = sorted((left, right), key=len)
        if _other_gender(shorter, longer):
            return Given.DOUBTFUL if one_known else Given.CLASH
        if len(shorter) >= SHORTEST_BEGINNING and longer.startswith(shorter):
            return Given.FORMAL
        errors = OSA.distance(left, right, score_cutoff=3)
        if len(shorter) < SHORTEST_TYPO:
            slip = errors == 1 or (errors == 2 and _letters_alike(left, right))
            return Given.DOUBTFUL if slip and one_known and len(longer) > 2 else Given.CLASH
        if errors == 1:
            return Given.TYPO if one_known or len(shorter) > SHORTEST_TYPO else Given.DOUBTFUL
        if errors == 2 and len(longer) >= 7:
            return Given.TYPO if one_known else Given.DOUBTFUL
        alike = (errors == 2 and (one_known or len(longer) >= 5)) or (
            JaroWinkler.similarity(left, right) >= self._similarity
        )
        return Given.DOUBTFUL if alike or (errors == 3 and len(longer) >= 8) else Given.CLASH

    def family(self, left: tuple[str, ...], right: tuple[str, ...]) -> Family:
        """How family names agree; one part of a double name is enough to agree in part."""
        if not left or not right:
            return Family.UNKNOWN
        if left == right or "".join(left) == "".join(right):
            return Family.EQUAL if any(len(word) > 1 for word in left) else Family.INITIAL
        if any(len(word) > 1 and word in right for word in left):
            return Family.PART
        pairs = [(a, b) for a in left for b in right]
        if len(left) != len(right):
            pairs.append(("".join(left), "".join(right)))
        return max(_family_word(a, b, self._similarity) for a, b in pairs)


def _user_names(name: Name) -> tuple[str, ...]:
    """What people make of their names where one word is asked for: avogt, annavogt, vogta, vogtanna."""
    given, family = name.given[0], "".join(name.family)
    if len(family) < SHORTEST_TYPO - 1:
        return given + family, family + given
    return given[0] + family, given + family, family + given[0], family + given


def _begin_crossed(left: Name, right: Name) -> bool:
    """Whether any first letter stands in the other field; so most names need no comparing across the fields."""
    first = bool(left.given and right.family) and left.given[0][0] == right.family[0][0]
    return first or (bool(left.family and right.given) and left.family[0][0] == right.given[0][0])


def _whole(name: Name) -> bool:
    """Whether both parts are said, and as words."""
    return bool(name.given and name.family) and len(name.given[0]) > 1 and len(name.family[0]) > 1


def _agreement(names: Names) -> tuple[bool, int, int]:
    """What is the better agreement: no clash, then the sum of both parts."""
    return not names.clash, names.given + names.family, names.given


def _family_word(left: str, right: str, similarity: float) -> Family:
    shorter, longer = sorted((left, right), key=len)
    if len(shorter) == 1:
        return Family.INITIAL if longer[0] == shorter else Family.DIFFERENT
    if len(shorter) >= SHORTEST_TYPO and longer.startswith(shorter) and longer[len(shorter) :] in _OF_A_WIFE:
        return Family.TYPO
    errors = OSA.distance(left, right, score_cutoff=3)
    if len(shorter) < SHORTEST_TYPO:
        return Family.DOUBTFUL if errors == 1 else Family.DIFFERENT
    if errors == 1 or (errors == 2 and len(longer) >= 7):
        return Family.TYPO
    alike = errors in (2, 3) and len(longer) >= 3 * errors
    return Family.DOUBTFUL if alike or JaroWinkler.similarity(left, right) >= similarity else Family.DIFFERENT


def _other_gender(shorter: str, longer: str) -> bool:
    """Whether only an ending differs that makes another name of it: Daniel and Daniela, Mario and Maria."""
    rest = longer[len(shorter) :]
    if not rest:
        return shorter[:-1] == longer[:-1] and shorter[-1] in _GENDERS and longer[-1] in _GENDERS
    return longer.startswith(shorter) and rest[-1] in _GENDERS and len(rest) <= 2


def _letters_alike(left: str, right: str) -> bool:
    """Whether the letters of the shorter are those of the longer but for one."""
    return len(set(left) ^ set(right)) <= 1


def _begin_alike(left: Iterable[str], right: Iterable[str]) -> bool:
    """Whether an initial fits; Ph is written f in comparison form, but not where it stands alone."""
    first = {word[0] for word in left}
    second = {word[0] for word in right}
    return not first.isdisjoint(second) or ("p" in first and "f" in second) or ("f" in first and "p" in second)


def _other_script(left: Name, right: Name) -> bool:
    """Whether one is written in the basic alphabet and the other is not: they cannot be compared."""
    first, second = ("".join(n.given + n.family) for n in (left, right))
    return first.isascii() != second.isascii()
