"""Keys: by what profiles find each other. In: a profile's contact points and identifiers. Out: key texts, and what a
key says when one knows everybody who holds it.

A key reads `person:email:anna@host`. Keys of persons and of organizations never meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hub.identity.likeness import BirthDates, Likeness, Likenesses, birth_dates
from hub.identity.normalise import Forms, Name, Title

STATED_DOMAIN = ("domain", "website")  # identifier systems by which a source states an organization's own domain


class Means(StrEnum):
    """What kind of thing a key is."""

    ID = "id"
    EMAIL = "email"
    PHONE = "phone"
    DEVICE = "device"
    DOMAIN = "domain"
    NAME = "name"


_MEANS = {means.value: means for means in Means}


class Standing(StrEnum):
    """What a key is, learnt from who holds it."""

    PERSONAL = "personal"  # nobody who holds it contradicts anybody else
    SHARED = "shared"  # its holders have different names or birth dates
    ROLE = "role"  # an inbox that several people are meant to read


@dataclass(frozen=True, slots=True)
class Profile:
    """One source's view, as far as identity looks at it. `place` orders profiles whatever their numbers are."""

    number: int
    place: tuple[str, str, str]
    kind: str
    names: frozenset[Name | Title]
    births: frozenset[str]
    countries: frozenset[str]
    customer_no: int | None
    previous_no: int | None


@dataclass(frozen=True, slots=True)
class Stated:
    """What one profile states of itself: (type, value) of contact points, (system, value) of identifiers, names."""

    kind: str
    source: str
    key: str
    contacts: Iterable[tuple[str, str]]
    identifiers: Iterable[tuple[str, str]]
    names: Iterable[Name | Title]


def keys_of(stated: Stated, forms: Forms) -> dict[str, bool]:
    """The profile's keys, each with whether it is the id of the profile's own record."""
    kind = stated.kind.lower()
    keys = {f"{kind}:{Means.ID}:{system}:{value}": False for system, value in stated.identifiers}
    keys[f"{kind}:{Means.ID}:{stated.source}:{stated.key}"] = True
    for means, value in _contact_keys(stated, forms):
        keys[f"{kind}:{means}:{value}"] = False
    if stated.kind == "ORGANIZATION":
        for means, value in _organization_keys(stated, forms):
            keys[f"{kind}:{means}:{value}"] = False
    return keys


def _contact_keys(stated: Stated, forms: Forms) -> Iterable[tuple[Means, str]]:
    comparison: dict[str, Callable[[str], str | None]]
    comparison = {"EMAIL": forms.email, "PHONE": forms.phone, "DEVICE": str.strip}
    for type_, value in stated.contacts:
        if type_ in comparison and (said := comparison[type_](value)):
            yield Means(type_.lower()), said


def _organization_keys(stated: Stated, forms: Forms) -> Iterable[tuple[Means, str]]:
    domains = [forms.own_domain(value) for type_, value in stated.contacts if type_ == "EMAIL"]
    domains += [forms.domain(value) for system, value in stated.identifiers if system in STATED_DOMAIN]
    yield from ((Means.DOMAIN, domain) for domain in domains if domain)
    yield from ((Means.NAME, " ".join(name.words)) for name in stated.names if isinstance(name, Title))


def means_of(key: str) -> Means:
    """What kind of thing a key is."""
    return _MEANS[key.split(":", 2)[1]]


def value_of(key: str) -> str:
    """The comparison form that a key holds."""
    return key.split(":", 2)[2]


def bare_device(keys: Iterable[str], named: bool) -> bool:
    """Whether a profile is a device and nothing else: nobody, until it says who uses it."""
    means = {means_of(key) for key in keys}
    return Means.DEVICE in means and not named and means <= {Means.DEVICE, Means.ID}


def standing(key: str, holders: Sequence[Profile], forms: Forms, likenesses: Likenesses) -> Standing:
    """What the key is, from all who hold it; the same whatever their order."""
    if means_of(key) is Means.EMAIL and forms.role_inbox(value_of(key)):
        return Standing.ROLE
    distinct = list({(p.names, p.births): p for p in holders if p.names or p.births}.values())
    for at, left in enumerate(distinct):
        if any(contradict(left, right, likenesses) for right in distinct[at + 1 :]):
            return Standing.SHARED
    return Standing.PERSONAL


def contradict(left: Profile, right: Profile, likenesses: Likenesses) -> bool:
    """Whether two profiles say of themselves that they are different people (or organizations)."""
    if birth_dates(left.births, right.births) is BirthDates.DIFFERENT:
        return True
    return likenesses.names(left.names, right.names) is Likeness.CLASH
