"""How alike addresses, e-mails and phones are that are not the same. In: comparison forms. Out: levels."""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum

from rapidfuzz.distance import OSA, Indel

from hub.identity.normalise.portrait import Address

SPELLED_ALIKE = 0.8  # of the letters of two streets or towns, from which they are one, mistyped
SHORTEST_STREET = 4  # letters of a street's name that may be mistyped
_DIGITS = "0123456789"
DISTINCTIVE = 6  # letters of a local part from which one more or less is a slip


class Place(IntEnum):
    """How near two addresses are. MOVED and AREA: another door in one town, or in one postcode; TOWN and POSTCODE: the
    door is not known. PARTS: one street, another number. STREET: one street in one town, or one door with a part
    mistyped. HOME: one door.
    """

    __hash__ = int.__hash__

    APART = 0
    UNKNOWN = 1
    MOVED = 2
    TOWN = 3
    AREA = 4
    POSTCODE = 5
    PARTS = 6
    STREET = 7
    HOME = 8


class Mail(IntEnum):
    """How alike the e-mail addresses of two profiles are, none of which is the same. NUMBERED: an employer gave two
    of one name anna.vogt@ and anna.vogt2@.
    """

    __hash__ = int.__hash__

    UNLIKE = 0
    EMPLOYER = 1
    NAME = 2
    TYPO = 3
    NUMBERED = 4


def place(left: tuple[Address, ...], right: tuple[Address, ...], kinds: frozenset[str]) -> Place:
    """The nearest of the addresses; UNKNOWN where one has none. People move: APART says little. Symmetric.

    `kinds` are words that many streets have: street, place.
    """
    if not left or not right:
        return Place.UNKNOWN
    return max(_nearness(a, b, kinds) for a in left for b in right)


def _nearness(one: Address, other: Address, kinds: frozenset[str]) -> Place:
    if one == other:
        return Place.HOME if one.street else Place.POSTCODE if one.postcode else Place.TOWN
    if one.country and other.country and one.country != other.country:
        return Place.APART
    street, postcode = _streets(one.street, other.street, kinds), _codes(one.postcode, other.postcode)
    city = _words(one.city, other.city)
    area = _area(postcode, city)
    number = bool(one.number) and one.number == other.number
    if street and (area != 0 or (street == 2 and number and city)):
        other_door = bool(one.number and other.number) and not number
        if number:
            return Place.HOME if area == 2 else Place.STREET
        if postcode == 2 or area == 2:
            return Place.PARTS if other_door else Place.STREET
    another = bool(one.street and other.street)
    if postcode == 2:
        return Place.PARTS if number and city else Place.AREA if another else Place.POSTCODE
    if city == 2 or (postcode and city):
        return Place.MOVED if another else Place.TOWN
    return Place.UNKNOWN if area is None else Place.APART


def _area(postcode: int | None, city: int | None) -> int | None:
    """How postcode and town together agree: 2 surely, 1 with a slip or in one of them, 0 not, None unknown."""
    if postcode is None or city is None:
        return city if postcode is None else postcode
    if max(postcode, city) < 2:
        return min(postcode, city)
    return 2 if min(postcode, city) else 1


def _streets(left: tuple[str, ...], right: tuple[str, ...], kinds: frozenset[str]) -> int:
    """2: the same; 1: the name mistyped, or with words more; 0: another street, or unknown."""
    if not left or not right:
        return 0
    if left == right:
        return 2
    one = [word for word in left if word not in kinds] or left
    other = [word for word in right if word not in kinds] or right
    if set(one) == set(other):
        return 2
    first, second = sorted(("".join(one), "".join(other)), key=len)
    if len(first) >= SHORTEST_STREET and (second.startswith(first) or set(one) < set(other) or set(other) < set(one)):
        return 1
    return int(_spelled_alike(first, second) or _spelled_alike(one[0], other[0]))


def _spelled_alike(left: str, right: str) -> bool:
    long = min(len(left), len(right)) >= SHORTEST_STREET
    return long and Indel.normalized_similarity(left, right) >= SPELLED_ALIKE


def _words(left: tuple[str, ...], right: tuple[str, ...]) -> int | None:
    if not left or not right:
        return None
    if left == right:
        return 2
    return int(Indel.normalized_similarity("".join(left), "".join(right)) >= SPELLED_ALIKE)


def _codes(left: str, right: str) -> int | None:
    """2: the same; 1: one sign wrong or two swapped; 0: another; None: unknown."""
    if not left or not right:
        return None
    return 2 if left == right else int(OSA.distance(left, right, score_cutoff=1) == 1)


def mail(left: tuple[str, ...], right: tuple[str, ...], public: Collection[str]) -> Mail:
    """The likest of the e-mail addresses. `public` are domains that say nothing about an employer. Symmetric."""
    if not left or not right:
        return Mail.UNLIKE
    return max(_mails(a, b, public) for a in left for b in right)


def _mails(left: str, right: str, public: Collection[str]) -> Mail:
    name, _, domain = left.rpartition("@")
    other_name, _, other_domain = right.rpartition("@")
    if domain == other_domain:
        if min(len(name), len(other_name)) >= DISTINCTIVE and _slip(name, other_name):
            return Mail.TYPO
        if domain in public:
            return Mail.UNLIKE
        return Mail.NUMBERED if name.rstrip(_DIGITS) == other_name.rstrip(_DIGITS) else Mail.EMPLOYER
    if name != other_name:
        return Mail.UNLIKE
    mistyped = len(name) >= DISTINCTIVE and OSA.distance(domain, other_domain, score_cutoff=2) <= 2
    if mistyped and not (domain in public and other_domain in public):
        return Mail.TYPO
    return Mail.NAME if len(name) > DISTINCTIVE and any(c.isdigit() for c in name) else Mail.UNLIKE


def _slip(left: str, right: str) -> bool:
    """One letter wrong. Another digit or dot is another account, as namesakes have: anna1 and anna2."""
    if OSA.distance(left, right, score_cutoff=1) != 1:
        return False
    return [c for c in left if not c.isalpha()] == [c for c in right if not c.isalpha()]


def phones_alike(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether two numbers differ by one digit, or by two that are swapped."""
    return any(len(a) > 8 and OSA.distance(a, b, score_cutoff=1) == 1 for a in left for b in right)
