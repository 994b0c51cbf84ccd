"""Keys: by what profiles find each other. In: a portrait. Out: numbers, equal where two profiles share something.

A strong key is a thing that both hold: an e-mail address, a phone, an id. A weak key joins two coarse parts of what a
profile says (a sound of its name, birth date, postcode, street, town), so that an error in one part leaves other keys
whole. It only says that two are worth comparing, and says so only while few hold it.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from hub.identity.evidence.means import MEANS_BITS, Means
from hub.identity.evidence.organizations import organization_keys
from hub.identity.evidence.sounds import sound
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Address, Name, Portrait
from hub.identity.normalise.words import REMEMBERED, REMEMBERED_WHOLE

_SEVERAL = 3  # values of one sort that weak keys are made of; a profile that says more has strong ones
_SHORTEST_LOCAL = 7  # letters before the @ from which a half still tells people apart
_STREET_SOUND = 3  # letters: with fewer, `linden weg` and `lindenweg` still sound alike

_BITS = (1 << 63) - 1 & ~MEANS_BITS  # of a key, those that say what it is; its sign is never used
_SPREAD = 0x9E3779B97F4A7C15  # any odd number of 64 bits, so that 32 bits of a hash reach all of a key
_EIGHT_BYTES = Struct("<q").unpack_from

# As plain numbers: an operation on an enum's member costs more than all else here.
_ID, _EMAIL, _INBOX, _PHONE, _DEVICE, _HANDLE, _ADDRESS, _NAME, _NAME_BIRTH, _NAME_PLACE, _BIRTH_PLACE, _PLACE = (
    means.value
    for means in (
        Means.ID, Means.EMAIL, Means.INBOX, Means.PHONE, Means.DEVICE, Means.HANDLE, Means.ADDRESS, Means.NAME,
        Means.NAME_BIRTH, Means.NAME_PLACE, Means.BIRTH_PLACE, Means.PLACE,
    )
)  # fmt: skip
_EMAIL_TYPO = Means.EMAIL_TYPO.value
_KINDS = {"P": 0, "O": 1 << 40}  # added to what both have: theirs are different keys

_Hashes = tuple[int, ...]


class _Sounds(NamedTuple):
    """A name as weak keys use it, hashed: its parts, as nobody is sure which is which, and all of it if it is whole."""

    parts: _Hashes
    wholes: _Hashes


class _Place(NamedTuple):
    """An address, hashed: its parts as weak keys use them, 0 for one that is missing, and all of it where that is one
    door.
    """

    postcode: int
    town: int
    streets: tuple[int, ...]
    number: int
    door: int | None


def keys_of(portrait: Portrait, forms: Forms) -> dict[int, bool]:
    """The profile's keys, each with whether it is the id of the profile's own record; a function of the portrait and
    the rules alone. They fit a signed column of 64 bits. Those of persons and of organizations never meet; a profile
    without a record has none.
    """
    if not portrait.kind:
        return {}
    told = portrait.kind[0]
    places = [_place(address, forms.addresses.kinds) for address in portrait.addresses]
    weak = _weak(portrait, places, forms) if told == "P" else _organizations(portrait, forms)
    found = dict.fromkeys(weak, False)
    for system, value in portrait.ids:
        found[_digest(f"{told}{system}\n{value}") & _BITS | _ID] = False
    for email in portrait.emails:
        found[_digest(told + email) & _BITS | (_INBOX if forms.role_inbox(email) else _EMAIL)] = False
    for means, values in ((_PHONE, portrait.phones), (_DEVICE, portrait.devices), (_HANDLE, portrait.handles)):
        for value in values:
            found[_digest(told + value) & _BITS | means] = False
    for place in places:
        if place.door is not None:
            found[place.door + _KINDS[told] & _BITS | _ADDRESS] = False
    source, key = portrait.own
    found[_digest(f"{told}{source}\n{key}") & _BITS | _ID] = True
    return found


def _organizations(portrait: Portrait, forms: Forms) -> list[int]:
    return [_digest(f"O{text}") & _BITS | means for means, text in organization_keys(portrait, forms)]


def _weak(portrait: Portrait, places: list[_Place], forms: Forms) -> list[int]:
    """Pairs of coarse parts. A nameless profile has none but those of birth date and place."""
    names = portrait.names if len(portrait.names) <= _SEVERAL else portrait.names[:_SEVERAL]
    parts, wholes = _sounds_of(names)
    found: list[int] = []
    for birth in portrait.births[:_SEVERAL]:
        date, year, day = _birth(birth)
        found += [date + part & _BITS | _NAME_BIRTH for part in parts]
        found += [part + whole & _BITS | _NAME_BIRTH for whole in wholes for part in (year, day)]
        found += [date + (place.town or place.postcode) & _BITS | _BIRTH_PLACE for place in places[:_SEVERAL]]
    if places:
        reached = bool(portrait.emails or portrait.phones)
        for place in places[:_SEVERAL]:
            found += _of_place(place, parts, wholes, reached)
    if wholes:
        for name in names:
            if _is_whole(name):
                found += _full(name, forms.formal.get(name.given[0]) or frozenset(name.given[:1]))
        for email in portrait.emails[:_SEVERAL]:
            found += _of_email(email, wholes)
    return found


def _of_place(place: _Place, parts: _Hashes, wholes: _Hashes, reached: bool) -> list[int]:
    """A part of the name with the postcode, all of it with the town. For who is known by no e-mail and no phone also
    a part of the name with the street, and the postcode with street or house number.
    """
    postcode, town, streets, number, _ = place
    found = [town + whole & _BITS | _NAME_PLACE for whole in wholes] if town else []
    if postcode:
        found += [postcode + part & _BITS | _NAME_PLACE for part in parts]
    if reached:
        return found
    found += [street + part & _BITS | _NAME_PLACE for part in parts for street in streets]
    if postcode:
        found += [postcode + street & _BITS | _PLACE for street in streets]
        if number:
            found.append(postcode + number & _BITS | _PLACE)
    return found


def _of_email(email: str, wholes: _Hashes) -> list[int]:
    """Halves of an e-mail address with the sound of the name."""
    local, _, domain = email.rpartition("@")
    if len(local) < _SHORTEST_LOCAL:
        return []
    half = (len(local) + 1) // 4 * 2  # mostly the same for a letter more or less
    halves = _coarse(local[:half]), _coarse(f"{local[-half:]}@{domain}")
    return [whole + part & _BITS | _EMAIL_TYPO for whole in wholes for part in halves]


@lru_cache(maxsize=REMEMBERED_WHOLE)
def _full(name: Name, formal: frozenset[str]) -> list[int]:
    """The full name alone, by what the given name is short for."""
    given = _hashed(_formal(formal))
    return [given + _hashed(family) & _BITS | _NAME for family in name.family[:2]]


def _is_whole(name: Name) -> bool:
    return bool(name.given and name.family and len(name.given[0]) > 1 and not name.loose)


def _sounds_of(names: tuple[Name, ...]) -> tuple[_Hashes, _Hashes]:
    """Each part and each whole of the names, once."""
    if len(names) == 1:
        return _sounds(names[0])
    found = [_sounds(name) for name in names]
    parts = dict.fromkeys(part for name in found for part in name.parts)
    return tuple(parts), tuple(dict.fromkeys(whole for name in found for whole in name.wholes))


@lru_cache(maxsize=REMEMBERED_WHOLE)
def _sounds(name: Name) -> _Sounds:
    words = [word for word in (*name.given[:1], *name.family[:_SEVERAL]) if len(word) > 1]
    parts = tuple(dict.fromkeys(_hashed(sound(word)) for word in words))
    if not _is_whole(name):
        return _Sounds(parts, ())
    return _Sounds(parts, (_hashed(sound(name.given[0])) + _hashed(sound(name.family[-1])),))


@lru_cache(maxsize=REMEMBERED_WHOLE)
def _place(address: Address, kinds: frozenset[str]) -> _Place:
    """The postcode without the order of its digits; of the street the two longest words that are not its kind."""
    names = [word for word in address.street if word not in kinds] or address.street
    longest = sorted(names, key=lambda word: (-len(word), word))[:2]
    door = f"{' '.join(address.street)}\n{address.number}\n{address.postcode or ' '.join(address.city)}"
    whole = address.street and address.number and (address.postcode or address.city)
    return _Place(
        _hashed("postcode " + "".join(sorted(address.postcode))) if address.postcode else 0,
        _hashed("town " + sound("".join(address.city))) if address.city else 0,
        tuple(_hashed("street " + sound(word)[:_STREET_SOUND]) for word in longest),
        _hashed(f"number {address.number}") if address.number else 0,
        _digest(door) if whole else None,
    )


@lru_cache(maxsize=REMEMBERED)
def _birth(birth: str) -> tuple[int, int, int]:
    """The date, its year, its day of the year; with day and month in one order, as they are often swapped."""
    year, _, rest = birth.partition("-")
    day = "-".join(sorted(rest.split("-")))
    return _hashed(f"{year}-{day}"), _hashed(f"year {year}"), _hashed(day)


@lru_cache(maxsize=REMEMBERED)
def _formal(names: frozenset[str]) -> str:
    """Of the names that a word may stand for the one that keys are made of: the longest."""
    return max(names, key=lambda name: (len(name), name))


@lru_cache(maxsize=REMEMBERED)
def _hashed(text: str) -> int:
    return _digest(text)


def _coarse(text: str) -> int:
    """A hash for what only proposes a pair; cheaper than one that nobody can find two texts for."""
    return crc32(text.encode()) * _SPREAD


def _digest(text: str) -> int:
    return int(_EIGHT_BYTES(blake2b(text.encode()).digest())[0])
