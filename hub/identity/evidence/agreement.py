"""How two profiles of people agree. In: nothing. Out: the levels that are weighed, and their words for people."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from hub.identity.evidence.births import Births, Nationals
from hub.identity.evidence.likeness import Family, Given, Names
from hub.identity.evidence.means import Means
from hub.identity.evidence.places import Mail, Place
from hub.identity.evidence.verdict import Standing, masked

Held = frozenset[tuple[Means, Standing]]


class Agreement(NamedTuple):
    """How two profiles agree, in levels. `rarity`: 1 where few bear the full name, -1 where many do.

    `owned`: one carries the id that the other owns. `visitor`: one is a device and nothing else. `contactless`: neither
    states any contact. `other_contacts`: of how many kinds both have contacts and share none.
    """

    names: Names
    births: Births
    place: Place
    mail: Mail
    phones_alike: bool
    other_contacts: int
    nationals: Nationals
    mask: int
    rarity: int
    owned: bool
    visitor: bool
    abroad: bool
    contactless: bool

    @property
    def held(self) -> Held:
        """The shared contacts, each with what it is worth."""
        return _held(self.mask)


_SHARED = {
    Means.ID: "same id", Means.EMAIL: "same e-mail", Means.INBOX: "same e-mail", Means.PHONE: "same phone",
    Means.HANDLE: "same account", Means.DEVICE: "same device",
}  # fmt: skip
_STANDING = {Standing.HOUSEHOLD: " (which a household shares)", Standing.COMPANY: " (which several people use)"}
_NAMES = {
    (Given.EQUAL, Family.EQUAL): "names agree",
    (Given.UNKNOWN, Family.UNKNOWN): "names cannot be compared",
}
_GIVEN = {
    Given.CLASH: "given names differ", Given.DOUBTFUL: "given names are hardly alike",
    Given.INITIAL: "given name agrees by its initial or as a second name",
    Given.TYPO: "given names agree but for a slip",
    Given.FORMAL: "given names are compatible (short form or a part)", Given.EQUAL: "given names agree",
}  # fmt: skip
_FAMILY = {
    Family.DIFFERENT: "family names differ", Family.DOUBTFUL: "family names are hardly alike",
    Family.INITIAL: "family name agrees by its initial", Family.TYPO: "family names agree but for a slip",
    Family.PART: "family names agree in a part", Family.EQUAL: "family names agree",
}  # fmt: skip
_BIRTHS = {
    Births.GENERATION: "birth dates a generation apart",
    Births.DIFFERENT: "different birth dates", Births.FAR: "birth dates hardly alike",
    Births.PART: "birth dates agree as far as known", Births.NEAR: "birth dates nearly the same",
    Births.SWAPPED: "birth dates the same with day and month swapped", Births.SAME: "same birth date",
}  # fmt: skip
_PLACES = {
    Place.APART: "other addresses", Place.MOVED: "another address in the same town",
    Place.AREA: "another address in the same postcode", Place.TOWN: "same town", Place.POSTCODE: "same postcode",
    Place.PARTS: "addresses agree in parts", Place.STREET: "nearly the same address", Place.HOME: "same address",
}  # fmt: skip
_MAILS = {
    Mail.EMPLOYER: "e-mail at the same company", Mail.NAME: "same name in the e-mail",
    Mail.TYPO: "e-mail nearly the same", Mail.NUMBERED: "e-mail at the same company with another number",
}  # fmt: skip
_NATIONALS = {
    Nationals.DIFFERENT: "different national ids", Nationals.NEAR: "national ids nearly the same",
    Nationals.SAME: "same national id", Nationals.COMMON: "same national id (which many state)",
}  # fmt: skip


@cache
def _held(mask: int) -> Held:
    kinds = [(means, standing) for means in Means for standing in Standing]
    return frozenset(kind for kind in kinds if masked(*kind) & mask)


def is_national(means: Means, found: Agreement) -> bool:
    """Whether a shared id is a national one: it is weighed as such."""
    return means is Means.ID and found.nationals >= Nationals.COMMON


def reasons_of(found: Agreement) -> list[str]:
    """What agreed and what did not, in words; the strongest first."""
    said = ["one carries the other's id"] if found.owned else []
    for means, standing in sorted(found.held):
        if means in _SHARED and not is_national(means, found) and not (found.owned and means is Means.ID):
            said.append(_SHARED[means] + _STANDING.get(standing, ""))
    said += _levels(_NATIONALS, found.nationals)
    given, family = found.names.given, found.names.family
    both = _NAMES.get((given, family))
    said += [both] if both else [*_levels(_GIVEN, given), *_levels(_FAMILY, family)]
    said += _levels(_BIRTHS, found.births) + _levels(_PLACES, found.place) + _levels(_MAILS, found.mail)
    said += ["phones nearly the same"] if found.phones_alike else []
    said += ["few bear this name"] if found.rarity > 0 else ["many bear this name"] if found.rarity < 0 else []
    return said + (["different countries"] if found.abroad else [])


def _levels(words: Mapping[Any, str], level: int) -> list[str]:
    return [words[level]] if level in words else []
