"""How alike two names or birth dates are. In: comparison forms. Out: a level; not knowing is a level of its own."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from rapidfuzz.distance import JaroWinkler

from hub.identity.normalise import REMEMBERED, Forms, Name, Title

SHORTEST_TYPO = 4  # below that many letters another letter is another name


class Likeness(IntEnum):
    """From contradiction to agreement. GIVEN_ONLY: the family name differs, as after a marriage."""

    CLASH = 0
    UNKNOWN = 1
    GIVEN_ONLY = 2
    INITIAL = 3
    CLOSE = 4
    EQUAL = 5


class BirthDates(IntEnum):
    """NEAR: day and month swapped, or one digit of them mistyped in the same year."""

    DIFFERENT = 0
    UNKNOWN = 1
    NEAR = 2
    SAME = 3


class Likenesses:
    """Compares names by the company's rules; remembers what it compared."""

    def __init__(self, forms: Forms) -> None:
        self._formal = forms.formal
        self._similarity = forms.similarity
        self._known: dict[tuple[Name | Title, Name | Title], Likeness] = {}

    def names(self, left: Iterable[Name | Title], right: Iterable[Name | Title]) -> Likeness:
        """The best that any name of the one makes with any of the other; UNKNOWN where one has none."""
        return max((self.pair(a, b) for a in left for b in right), default=Likeness.UNKNOWN)

    def pair(self, left: Name | Title, right: Name | Title) -> Likeness:
        """How alike two names are; symmetric."""
        if left == right and not isinstance(left, Title):
            return Likeness.EQUAL if left.given and left.family else Likeness.CLOSE
        key = (left, right)
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            level = self._compared(left, right)
            self._known[key] = self._known[right, left] = level
        return self._known[key]

    def _compared(self, left: Name | Title, right: Name | Title) -> Likeness:
        if isinstance(left, Title) or isinstance(right, Title):
            both = isinstance(left, Title) and isinstance(right, Title)
            return self._titles(left, right) if both else Likeness.UNKNOWN  # type: ignore[arg-type]
        if left.generation and right.generation and left.generation != right.generation:
            return Likeness.CLASH
        if _other_script(left, right):
            return Likeness.UNKNOWN
        if left.loose or right.loose:
            return self._loose(left, right)
        return max(self._straight(left, right), self._swapped(left, right))

    def _straight(self, left: Name, right: Name) -> Likeness:
        family = self._family(left.family, right.family)
        given = self._given(left.given, right.given)
        if given is Likeness.UNKNOWN:
            return Likeness.CLASH if family is False else Likeness.UNKNOWN
        if given is Likeness.INITIAL:
            return {True: Likeness.INITIAL, None: Likeness.UNKNOWN, False: Likeness.CLASH}[family]
        if given is Likeness.CLASH or family is False:
            return Likeness.CLASH if given is Likeness.CLASH else Likeness.GIVEN_ONLY
        return given if family else Likeness.CLOSE

    def _swapped(self, left: Name, right: Name) -> Likeness:
        """Given and family name in each other's field: both must agree, and as whole words."""
        crossed = self._given(left.given, right.family), self._given(left.family, right.given)
        return Likeness.CLOSE if min(crossed) >= Likeness.CLOSE else Likeness.CLASH

    def _loose(self, left: Name, right: Name) -> Likeness:
        """One word against a name: it may be either part."""
        one, other = (left, right) if left.loose else (right, left)
        if self._given(one.given, other.given) >= Likeness.CLOSE:
            return Likeness.CLOSE
        return Likeness.UNKNOWN if self._family(one.given, other.family) else Likeness.CLASH

    def _given(self, left: tuple[str, ...], right: tuple[str, ...]) -> Likeness:
        """The first of the one against any of the other: Hans is Hans-Peter, but Anna Maria is not Eva Maria."""
        if not left or not right:
            return Likeness.UNKNOWN
        if left == right:
            return Likeness.EQUAL
        pairs = [(left[0], word) for word in right] + [(word, right[0]) for word in left[1:]]
        return max(self._word(a, b) for a, b in pairs)

    def _word(self, left: str, right: str) -> Likeness:
        if left == right:
            return Likeness.EQUAL
        if min(len(left), len(right)) == 1:
            return Likeness.INITIAL if left[0] == right[0] else Likeness.CLASH
        if not self._formal.get(left, frozenset((left,))).isdisjoint(self._formal.get(right, frozenset((right,)))):
            return Likeness.CLOSE
        return Likeness.CLOSE if self._typo(left, right) else Likeness.CLASH

    def _typo(self, left: str, right: str) -> bool:
        """One word mistyped. Not where the ending differs: Christian and Christina are brother and sister."""
        if min(len(left), len(right)) < SHORTEST_TYPO or left[0] != right[0] or left[-2:] != right[-2:]:
            return False
        return JaroWinkler.similarity(left, right) >= self._similarity

    def _family(self, left: tuple[str, ...], right: tuple[str, ...]) -> bool | None:
        """Whether family names agree; one part of a double name is enough. None where one is missing."""
        if not left or not right:
            return None
        if not set(left).isdisjoint(right) or "".join(left) == "".join(right):
            return True
        return any(_mistyped(a, b, self._similarity) for a in left for b in right)

    def _titles(self, left: Title, right: Title) -> Likeness:
        """Organizations: the same words; a word more may be a subsidiary. Same words, other legal form: CLOSE."""
        if left.words == right.words or "".join(left.words) == "".join(right.words):
            apart = left.forms and right.forms and set(left.forms).isdisjoint(right.forms)
            return Likeness.CLOSE if apart else Likeness.EQUAL
        return (
            Likeness.CLOSE if _mistyped(" ".join(left.words), " ".join(right.words), self._similarity)
            else Likeness.CLASH
        )  # fmt: skip


def _mistyped(left: str, right: str, similarity: float) -> bool:
    """Nearly the same word, by at most one letter more or less; for words where an ending tells nothing."""
    if min(len(left), len(right)) < SHORTEST_TYPO or left[0] != right[0] or abs(len(left) - len(right)) > 1:
        return False
    return JaroWinkler.similarity(left, right) >= similarity


def _other_script(left: Name, right: Name) -> bool:
    """Whether one is written in the basic alphabet and the other is not: they cannot be compared."""
    first, second = ("".join(n.given + n.family) for n in (left, right))
    return first.isascii() != second.isascii()


def birth_dates(left: Iterable[str], right: Iterable[str]) -> BirthDates:
    """The best that any date of the one makes with any of the other; UNKNOWN where one has none."""
    return max((_dates(a, b) for a in left for b in right), default=BirthDates.UNKNOWN)


def _dates(left: str, right: str) -> BirthDates:
    if left == right:
        return BirthDates.SAME
    (year, month, day), (other_year, other_month, other_day) = left.split("-"), right.split("-")
    if year != other_year:
        return BirthDates.DIFFERENT
    wrong = sum(a != b for a, b in zip(month + day, other_month + other_day, strict=True))
    swapped = (month, day) == (other_day, other_month)
    return BirthDates.NEAR if swapped or wrong == 1 else BirthDates.DIFFERENT
