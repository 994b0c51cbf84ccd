"""Postal addresses for comparison. In: `street, postcode, city, country` as mapped, folded, parts left out where they
are missing. Out: an Address whose parts are equal where the place is, however its words are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hub.identity.normalise.portrait import Address
from hub.identity.normalise.words import REMEMBERED_WHOLE, Remembered, folded, spelling, words
from mappings.converting.countries import country_code
from mappings.identity import Identity

_POSTCODE = re.compile(r"(?:[a-z]{1,3}[- ])?(?=[a-z0-9 -]*\d)[a-z0-9][a-z0-9 -]{1,9}")
_COUNTRY_BEFORE = re.compile(r"^[a-z]{1,3}[- ](?=\d{3,5}$)")
_TOKEN = re.compile(r"[^\W_]+(?:[-/][^\W_]+)*")
_NUMBER = re.compile(r"(\d+)(bis|ter|[a-z]?)(?:[-/].*)?")
_PARTS = re.compile(r"[-/]")
_BETWEEN = str.maketrans({".": " ", "'": " ", "’": " ", "#": " unit "})
_GLUED = re.compile(r"(?<=[^\W\d_]{3})(?=\d)|(?<=\d)(?=[^\W\d_]{3})")  # hauptstr12
_DISTRICT = re.compile(r"\d{5}[- ]\d{4}")
_FIVE_DIGITS = frozenset(("DE", "FR", "ES", "IT", "US", "FI"))
_DIGITS = frozenset("0123456789")


class Addresses:
    """The rules about addresses; remembers what it was asked."""

    def __init__(self, rules: Identity) -> None:
        said = rules.address_words
        self._streets = _one_spelling(said.streets)
        self._endings = {end: self._streets.get(word, word) for end, word in _endings(said.endings).items()}
        self.kinds = frozenset((*self._streets.values(), *self._endings.values()))  # street, road: no street's name
        self._units = frozenset(folded(unit) for unit in said.units)
        self._towns = {_plain(name): words(town) for town, names in said.cities.items() for name in (town, *names)}
        self._beside = frozenset(said.beside)
        self._saint = self._streets.get("saint", "saint")
        self._words, self._cities = Remembered(self._street_words), Remembered(self._city)
        self._countries = Remembered(country_code)
        self._read: dict[str, Remembered[Address | None]] = {}

    def address(self, value: str, country: str = "") -> Address | None:
        """The address; None where it has no street, or neither a number nor a town nor a postcode. `country` is the
        profile's, where the address itself names none.
        """
        if country not in self._read:
            self._read[country] = Remembered(lambda said: self._address(said, country), REMEMBERED_WHOLE)
        return self._read[country][value]

    def _address(self, value: str, country: str) -> Address | None:
        parts = [
            part
            for part in (piece.strip() for piece in (value.lower() if value.isascii() else folded(value)).split(","))
            if part
        ]
        if len(parts) > 2 and (code := self._countries[parts[-1]]):
            country = code
            parts.pop()
        at = next((i for i in range(len(parts) - 1, 0, -1) if _is_postcode(parts[i])), None)
        if at is None:
            street, postcode, town = parts[:-1] or parts, "", parts[-1] if len(parts) > 1 else ""
        else:
            street, postcode, town = parts[:at], parts[at], " ".join(parts[at + 1 :])
        return self._made(street, postcode, town, country)

    def _made(self, street: list[str], postcode: str, town: str, country: str) -> Address | None:
        found, number = self._street(street)
        code, city = _plain_postcode(postcode, country), self._cities[town]
        if not found or not (number or code or city):
            return None
        return Address(found, number, code, city, country)

    def _street(self, parts: list[str]) -> tuple[tuple[str, ...], str]:
        """The street's words, and the house number; a flat, floor or door is left out."""
        found: list[str] = []
        number = ""
        for part in parts:
            tokens = _TOKEN.findall(part.translate(_BETWEEN))
            if not self._units.isdisjoint(tokens):
                tokens = self._without_units(tokens)
            if not number and _house_number(tokens) is None and _GLUED.search(part):
                tokens = _TOKEN.findall(_GLUED.sub(" ", part))
            if not number and (at := _house_number(tokens)) is not None:
                number = tokens.pop(at)
                if tokens[at : at + 1] in (["bis"], ["ter"]) or (tokens[at + 1 :] == [] and _is_letter(tokens[at:])):
                    number += tokens.pop(at)
            elif number:
                tokens = [token for token in tokens if _DIGITS.isdisjoint(token) and len(token) > 1]
            found += tokens
        found = found or _TOKEN.findall(" ".join(parts))
        return tuple(word for token in found for word in self._words[token]), _plain_number(number)

    def _without_units(self, tokens: list[str]) -> list[str]:
        """Without `flat 3`, `apt b` and `2nd floor`."""
        kept: list[str] = []
        skip = False
        for at, token in enumerate(tokens):
            following = tokens[at + 1] if at + 1 < len(tokens) else ""
            if skip:
                skip = False
            elif token in self._units and (not _DIGITS.isdisjoint(following) or len(following) == 1):
                skip = True
            elif token in self._units and kept and not _DIGITS.isdisjoint(kept[-1]) and len(kept) > 1:
                kept.pop()
            else:
                kept.append(token)
        return kept

    def _street_words(self, token: str) -> tuple[str, ...]:
        return tuple(word for piece in _PARTS.split(token) for word in self._street_word(piece))

    def _street_word(self, word: str) -> tuple[str, ...]:
        if word in self._streets:
            return (self._streets[word],)
        for ending, said in self._endings.items():
            if word.endswith(ending) and len(word) >= len(ending) + 3:
                return spelling(word[: -len(ending)]), said
        return (spelling(word),)

    def _city(self, text: str) -> tuple[str, ...]:
        found = [w for w in words(text.partition("(")[0]) if _DIGITS.isdisjoint(w)]
        known = self._towns.get(" ".join(found))
        kept = known or [w for w in found if w not in self._beside] or found
        return tuple(self._saint if self._streets.get(w) == self._saint else spelling(w) for w in kept)


def _is_postcode(text: str) -> bool:
    if text.isdecimal():
        return 2 < len(text) < 11
    return not _DIGITS.isdisjoint(text) and _POSTCODE.fullmatch(text) is not None


def _plain_postcode(text: str, country: str) -> str:
    """Letters and digits alone, without a country before them and a district behind; zeros that a spreadsheet lost."""
    code = text
    if not text.isdecimal():
        code = _COUNTRY_BEFORE.sub("", text)
        code = code[:5] if _DISTRICT.fullmatch(code) else code.replace(" ", "").replace("-", "")
    return code.zfill(5) if country in _FIVE_DIGITS and code.isdecimal() and len(code) == 4 else code


def _house_number(tokens: list[str]) -> int | None:
    """Where the house number stands: the first word, else the last that is one; `17th` and `5º` are none."""
    numbers = [at for at, token in enumerate(tokens) if token[0] in _DIGITS and _NUMBER.fullmatch(token)]
    if not numbers:
        return None
    return 0 if numbers[0] == 0 else numbers[-1]


def _is_letter(tokens: list[str]) -> bool:
    return bool(tokens) and len(tokens[0]) == 1


def _plain_number(text: str) -> str:
    """12 of 12/4 and of 12-14; 12a stays."""
    found = _NUMBER.fullmatch(text)
    return f"{found[1].lstrip('0') or '0'}{found[2]}" if found else text


def _plain(text: str) -> str:
    return " ".join(words(text))


def _one_spelling(listed: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Each spelling of a street word to one of them. Words that share one (`st`: street, saint) are one word."""
    joined: dict[str, str] = {}
    place: dict[str, int] = {}

    def first(word: str) -> str:
        place.setdefault(word, len(place))
        while joined.setdefault(word, word) != word:
            word = joined[word]
        return word

    for word, others in listed.items():
        for other in others:
            one, another = sorted((first(_plain(word)), first(_plain(other))), key=place.__getitem__)
            joined[another] = one
    return {word: spelling(first(word)) for word in joined}


def _endings(listed: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Each ending to its one spelling, the longest first."""
    found = {folded(one): folded(word) for word, others in listed.items() for one in (word, *others)}
    return dict(sorted(found.items(), key=lambda pair: (-len(pair[0]), pair[0])))
