"""Means: the kinds of keys. In: nothing. Out: what kinds there are, and how many profiles may hold one of each."""

from __future__ import annotations

from enum import IntEnum


class Means(IntEnum):
    """What kind of thing a key is. Numbers below 32; keys are stored with them."""

    __hash__ = int.__hash__  # means are looked up with every key; an Enum's own hash is slow

    ID = 0
    EMAIL = 1
    INBOX = 2  # an e-mail address that several are meant to read
    PHONE = 3
    DEVICE = 4
    HANDLE = 5
    ADDRESS = 6
    DOMAIN = 7
    TITLE = 8
    REGISTRATION = 9
    NAME = 16  # given and family name, in either order
    NAME_BIRTH = 17  # a part of the name, and the birth date
    NAME_PLACE = 18  # a part of the name, and postcode or street
    BIRTH_PLACE = 19  # birth date, and postcode or street
    PLACE = 20  # nearly the same address
    EMAIL_TYPO = 21  # the name, and half of an e-mail address


STRONG = frozenset(means for means in Means if means < Means.NAME)
MEANS_BITS = 31  # of a key, those that say its kind
_STRONG_MOST = 500
_WEAK_MOST = {
    Means.NAME: 10,
    Means.NAME_BIRTH: 12,
    Means.NAME_PLACE: 8,
    Means.BIRTH_PLACE: 8,
    Means.PLACE: 8,
    Means.EMAIL_TYPO: 6,
}
_BY_NUMBER = {means.value: means for means in Means}


def means_of(key: int) -> Means:
    """What kind of thing a key is."""
    return _BY_NUMBER[key & MEANS_BITS]


def most(means: Means) -> int:
    """How many profiles may hold a key of this kind; one that more hold says nothing and proposes nobody."""
    return _WEAK_MOST.get(means, _STRONG_MOST)
