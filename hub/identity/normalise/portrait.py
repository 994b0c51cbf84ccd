"""A portrait: what one profile says of itself, in comparison form. In: its mapped rows. Out: one small value that
keys are made of and that judgements compare. Nothing here is shown or stored as anybody's value.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Name(NamedTuple):
    """A person's name. `loose`: a single word of which nobody knows whether it is given or family."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    generation: str | None = None
    loose: bool = False


class Title(NamedTuple):
    """An organization's name: its words without legal forms, and these."""

    words: tuple[str, ...]
    forms: tuple[str, ...]


class Address(NamedTuple):
    """A postal address. Words are folded, `street` and its kin spelled one way; a part that is missing is empty."""

    street: tuple[str, ...]
    number: str
    postcode: str
    city: tuple[str, ...]
    country: str


class Portrait(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What all records of one profile say together; each tuple sorted and without repeats, junk left out.

    `kind` is PERSON or ORGANIZATION, empty where no record is there. `own` is (source, key): the id that other
    systems may carry. `ids` are (system, value) that the profile carries. `registrations` are VAT and register
    numbers, each with its kind; `domains` are an organization's own, freemail left out. `parents` are (source, key) of
    the organizations that an organization is a part of.
    """

    kind: str
    own: tuple[str, str]
    names: tuple[Name, ...] = ()
    titles: tuple[Title, ...] = ()
    births: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    ids: tuple[tuple[str, str], ...] = ()
    registrations: tuple[tuple[str, str], ...] = ()
    domains: tuple[str, ...] = ()
    parents: tuple[tuple[str, str], ...] = ()


def bare(portrait: Portrait) -> bool:
    """Whether a profile is a device and nothing else: nobody, until it says who uses it."""
    p = portrait
    if not p.devices or p.names or p.titles or p.emails or p.phones or p.handles:
        return False
    return not (p.births or p.addresses or p.ids or p.registrations)
