"""People's names for comparison. In: name fields as mapped, and the rules. Out: a Name, or None where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hub.identity.normalise.name_fields import NameFields, Part, spelled
from hub.identity.normalise.portrait import Name
from hub.identity.normalise.words import REMEMBERED_WHOLE, Remembered, folded, spelling, spellings, words
from mappings.identity import Identity

_BESIDE = re.compile(r"\s+[-–—|/•·]\s+|\s+c/o\s+", re.IGNORECASE)  # what follows is a firm or a place
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}")
_NOTHING = Part((), None, "")


class Names:
    """The rules about names; a field is read once, however many people have it.

    `formal` leads from a word of a given name to the names that it may stand for, itself among them.
    """

    def __init__(self, rules: Identity) -> None:
        self._fields = NameFields(rules)
        self._junk_beginnings = frozenset(folded(name).partition(" ")[0] for name in rules.junk.names if " " in name)
        self._roles = frozenset(folded(inbox) for inbox in rules.role_inboxes)
        self._firms, self._letters = frozenset(rules.name_words.firms), frozenset(rules.name_words.credentials)
        self._patronymics = tuple(rules.name_words.patronymics)
        listed = [*rules.nicknames.items(), *((w[0], w[1:]) for w in map(words, rules.given_names) if w)]
        self.formal = _formal_names(listed)
        self.known = frozenset(self.formal)
        self._givens, self._families = Remembered(self._fields.given), Remembered(self._fields.family)
        self._wholes = Remembered(self._whole, REMEMBERED_WHOLE)
        self.junk = self._fields.junk

    def name(self, given: str | None, family: str | None, display: str | None) -> Name | None:
        """A person's name; None where nobody is named. The display name counts where a part is missing."""
        first = self._givens[given] if given else _NOTHING
        last = self._families[family] if family else _NOTHING
        if first.plain in self._junk_beginnings and self.junk(f"{first.plain} {last.plain}"):
            return None
        if first.words and last.words:
            given_words, family_words = first.words, last.words
            if len(given_words) > 1 or len(family_words) > 1:
                given_words, family_words = _said_twice(given_words, family_words)
            return Name(given_words, family_words, first.generation or last.generation)
        return self._incomplete(first, last, display)

    def _incomplete(self, first: Part, last: Part, display: str | None) -> Name | None:
        """One part, or none: the display name counts where it says both, or where there is nothing else."""
        whole = self._wholes[display] if display else None
        part = first.words or last.words
        if not part or (whole and whole.given and whole.family and set(part) <= {*whole.given, *whole.family}):
            return whole
        whole_name = len(part) > 1 and len(part[-1]) > 1 and part[0] in self.formal
        if whole_name and (not first.words or part[-1] not in self.formal):
            return Name(part[:-1], part[-1:], first.generation or last.generation)
        return Name(first.words, last.words, first.generation or last.generation)

    def _whole(self, display: str) -> Name | None:
        """A name in one field: `Anna Maria Müller`, `Müller, Anna`, `MÜLLER Anna`, or one word alone."""
        text = self._without_firm(self._fields.unbracketed(display))
        if self.junk(text) or folded(text).strip() in self._roles:
            return None
        before, behind = self._parted_by_comma(text)
        couple = self._fields.couple(text)
        if any(w in self._firms or any(c.isdigit() for c in w) for w in words(f"{before} {behind}")):
            return None
        if behind and not couple:
            first, last = self._fields.given(behind), self._fields.family(before)
            if first.words and last.words:
                return Name(first.words, last.words, first.generation or last.generation)
        return self._straight(f"{before} {behind}", couple)

    def _parted_by_comma(self, text: str) -> tuple[str, str]:
        """`Müller, Anna` as its two parts. Letters behind a name (`, M.A.`) and a firm are left out; its generation
        and maiden name (`, geb. Vogt`) belong to the first part.
        """
        fields = self._fields
        before, *further = text.split(",")
        behind = ""
        for piece in further:
            said = words(_INITIALS.sub(lambda m: m[0].replace(".", ""), piece))
            if said and (said[0] in fields.maiden or all(w in fields.generations or w in self._firms for w in said)):
                before += f" {piece}"
            elif not any(w in self._firms for w in said) and any(
                w not in self._letters and w not in fields.titles for w in said
            ):
                behind += f" {piece}"
        return before, behind

    def _straight(self, text: str, couple: bool) -> Name | None:
        fields = self._fields
        tokens = fields.tokens(text)
        found, generation = fields.without_generation(fields.untitled(tokens), 2)
        alone = [w for w in found if w not in fields.households]
        if not alone:
            return None
        if couple or len(alone) < len(found):
            return Name((), fields.family_words(alone[-1:]), None)
        if len(found) == 1:
            titled = len(tokens) > 1 and tokens[0] in fields.titles
            return Name((), spelled(found), generation) if titled else Name(spelled(found), (), None, loose=True)
        given, family = self._parted(text, found)
        return Name(spelled(given), fields.family_words(family), generation)

    def _parted(self, text: str, found: list[str]) -> tuple[list[str], list[str]]:
        """Where the family name begins: in capitals, at a particle, before the maiden name, else the last word."""
        shouted = (token for token in text.split() if token.isupper() and "." not in token)
        capitals = {w for token in shouted for w in words(token) if len(w) > 2}
        if 0 < len(rest := [w for w in found if w not in capitals]) < len(found):
            return rest, [w for w in found if w in capitals]
        if len(found) == 3 and found[2].endswith(self._patronymics) and not text.isascii():
            return found[1:], found[:1]
        given_name = len(found) == 2 and spelling(found[0]) in self.known
        if all(w in self._fields.particles for w in found[:-1]) and not given_name:
            return [], found  # De Veen, van der Berg: nothing but a family name; Van Morrison is more
        maiden = (i for i, w in enumerate(found[:-1]) if i > 1 and w in self._fields.maiden)
        end = next(maiden, len(found))
        starts = (i for i, w in enumerate(found[1 : end - 1], 1) if w in self._fields.particles and len(w) > 1)
        cut = next(starts, end - _words_of_last(text, found[:end]))
        return found[:cut], found[cut:]

    def _without_firm(self, text: str) -> str:
        """The name beside a dash, a bar or their like between blanks; one word behind a dash is part of the name."""
        found = _BESIDE.search(text)
        before, behind = (words(text[: found.start()]), words(text[found.end() :])) if found else ([], [])
        if not found or not before or not behind:
            return text
        if spelling(before[0]) not in self.known and spelling(behind[0]) in self.known:
            return text[found.end() :]
        if found[0].strip() in ("-", "–", "—") and len(behind) == 1 and len(before) > 1:
            return f"{text[: found.start()]}-{text[found.end() :].strip()}"
        return text[: found.start()]


def _words_of_last(text: str, found: Sequence[str]) -> int:
    """How many words the last piece between blanks has, hyphens being none; at least one stays before it."""
    for piece in reversed(text.split()):
        said = words(piece)
        if said and said == list(found[-len(said) :]):
            return min(len(said), len(found) - 1)
    return 1


def _said_twice(given: tuple[str, ...], family: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Fields of which one holds the whole name, or both do, without what stands in both."""
    if len(given) > 1 and given == family:
        return given[:-1], family[-1:]
    if len(given) > len(family) and given[-len(family) :] == family:
        return given[: -len(family)], family
    if len(family) > len(given) and family[: len(given)] == given:
        return given, family[len(given) :]
    return given, family


def _formal_names(listed: Iterable[tuple[str, Iterable[str]]]) -> dict[str, frozenset[str]]:
    """Each word to the names that it may stand for, itself among them; all spelled one way."""
    stands_for: dict[str, set[str]] = {}
    for formal, pets in listed:
        for one in spellings([formal]):
            for word in {one, *spellings(pets)}:
                if len(word) > 1:
                    stands_for.setdefault(word, {word}).add(one)
    return {word: frozenset(names) for word, names in stands_for.items()}
