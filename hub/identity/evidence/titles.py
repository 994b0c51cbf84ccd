"""How alike organizations' names are. In: titles. Out: a level, and whether their legal forms differ."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Title
from hub.identity.normalise.titles import form_family
from hub.identity.normalise.words import REMEMBERED, spelling

SHORTEST_TYPO = 5  # letters below which another letter is another word
LONG = 8  # letters of a word in which two may be wrong
SHORTEST_ACRONYM = 3


class Named(IntEnum):
    """From contradiction to agreement."""

    CLASH = 0
    UNKNOWN = 1
    SISTER = 2  # they begin with the same word: Acme Logistics, Acme Trading
    PART = 3  # the one has all words of the other and more: Acme, Acme Logistics
    LOCAL = 4  # the same but for a country's name: Acme, Acme Germany
    CLOSE = 5  # a typo, an acronym
    EQUAL = 6


class Alike(NamedTuple):
    """How alike two organizations' names are. `formal`: both with a legal form; `apart`: these differ."""

    level: Named
    formal: bool = False
    apart: bool = False


UNNAMED = Alike(Named.UNKNOWN)


def names_alike(
    left: Sequence[Title], right: Sequence[Title], countries: Collection[Collection[str]], forms: Forms
) -> Alike:
    """The best that any name of the one makes with any of the other; UNKNOWN where one has none. Symmetric.

    `countries` are those of the left and of the right: Acme Germany is Acme where both are in Germany.
    """
    if left == right and len(left) == 1:
        return Alike(Named.EQUAL, bool(left[0].forms))
    left, right = _fullest(left), _fullest(right)
    found = [_settled(titles_alike(a, b, forms), a, b, countries) for a in left for b in right]
    if len(found) < 2:
        return found[0] if found else UNNAMED
    return max(found, key=lambda alike: (alike.level, not alike.apart, alike.formal))


def _fullest(titles: Sequence[Title]) -> Sequence[Title]:
    """Without names that another one says more exactly, with its legal form."""
    if len(titles) < 2:
        return titles
    formal = {title.words for title in titles if title.forms}
    return [title for title in titles if title.forms or title.words not in formal]


@lru_cache(maxsize=REMEMBERED)
def titles_alike(left: Title, right: Title, forms: Forms) -> Alike:
    """How alike two names are; symmetric."""
    level = _words_alike(left.words, right.words, forms)
    if level < Named.CLOSE and (
        _same(left.words + left.forms, right.words) or _same(left.words, right.words + right.forms)
    ):
        return Alike(Named.EQUAL)  # a form that is a word of the name elsewhere: Day Spa, Day Spa Ltd
    families = [{form_family(form) for form in title.forms} for title in (left, right)]
    formal = bool(families[0] and families[1])
    return Alike(level, formal, formal and families[0].isdisjoint(families[1]))


def _settled(alike: Alike, left: Title, right: Title, countries: Collection[Collection[str]]) -> Alike:
    """What a country's name in one of the names says, by where the other organization is."""
    if alike.level is not Named.LOCAL:
        return alike
    codes = [{word[1:] for word in title.words if word.startswith("=")} for title in (left, right)]
    if codes[0] and codes[1]:
        return alike._replace(level=Named.SISTER)
    code, elsewhere = codes[0] | codes[1], [set(own) for own in countries]
    others = elsewhere[1] if codes[0] else elsewhere[0]
    level = Named.PART if not others else Named.SISTER if code.isdisjoint(others) else Named.CLOSE
    return alike._replace(level=level)


def _words_alike(left: tuple[str, ...], right: tuple[str, ...], forms: Forms) -> Named:
    if left[0].isascii() != right[0].isascii():
        return Named.UNKNOWN  # another script
    one, other = forms.titling.full(left), forms.titling.full(right)
    if _same(one, other):
        return Named.EQUAL
    places = [tuple(w for w in words if not w.startswith("=")) for words in (one, other)]
    if places[0] and places[0] == places[1]:
        return Named.LOCAL
    begins = one[0] == other[0]
    part = set(one) < set(other) or set(other) < set(one)
    if _numbers(left) != _numbers(right):
        return Named.PART if part else Named.SISTER if begins else Named.CLASH
    if _acronym(left, right) or _acronym(right, left) or _mistyped(left, right, forms):
        return Named.CLOSE
    return Named.PART if part else Named.SISTER if begins else Named.CLASH


def _same(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    return left == right or whole(left) == whole(right) or sorted(left) == sorted(right)


def whole(words: tuple[str, ...]) -> str:
    """The words as one: Blue Harbor is Blueharbor."""
    return spelling("".join(words))


def _numbers(words: tuple[str, ...]) -> list[str]:
    """What counts sites and funds apart: Kita 3, Fund II, Gate A."""
    return sorted(w for w in words[1:] if len(w) == 1 or any(c.isdigit() for c in w))


def _acronym(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    initials = "".join(word[0] for word in long)
    return len(short) == 1 and len(long) >= SHORTEST_ACRONYM and short[0] == initials


def _mistyped(left: tuple[str, ...], right: tuple[str, ...], forms: Forms) -> bool:
    """One word mistyped, or a letter of the whole where blanks are set otherwise."""
    if len(left) == len(right):
        full = zip(forms.titling.full(left), forms.titling.full(right), strict=True)
        differing = [at for at, (a, b) in enumerate(full) if a != b]
        return len(differing) == 1 and _near(left[differing[0]], right[differing[0]], forms.similarity)
    one, other = whole(left), whole(right)
    return min(len(one), len(other)) >= 2 * SHORTEST_TYPO and OSA.distance(one, other, score_cutoff=1) <= 1


def _near(left: str, right: str, similarity: float) -> bool:
    if min(len(left), len(right)) < SHORTEST_TYPO or left[0] != right[0]:
        return False
    errors = OSA.distance(left, right, score_cutoff=2)
    if errors == 1 or (errors == 2 and min(len(left), len(right)) >= LONG):
        return True
    return abs(len(left) - len(right)) <= 1 and JaroWinkler.similarity(left, right) >= similarity
