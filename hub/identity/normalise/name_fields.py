"""Given and family name fields. In: the text of one field, and the rules. Out: its words without what is no name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from hub.identity.normalise.patterns import Patterns
from hub.identity.normalise.words import folded, spelling, words
from mappings.identity import Identity

_BRACKETS = re.compile(r"[(\[{<]([^)\]}>]*)[)\]}>]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_VOWELS = frozenset("aeiouyAEIOUY")
_JOINED = frozenset(("mc", "mac", "o"))  # beginnings of a family name that are written apart, too
_BETWEEN_TWO = str.maketrans({sign: f" {sign} " for sign in "&+/;"})
_MOST_WORDS = 8


class Part(NamedTuple):
    """A field: its spelled words, the generation in it, and the whole as one folded text."""

    words: tuple[str, ...]
    generation: str | None
    plain: str


class NameFields:
    """What the rules say of words in names, and how a field is read by it."""

    def __init__(self, rules: Identity) -> None:
        said = rules.name_words
        self._junk = Patterns(folded(name) for name in rules.junk.names)
        self.titles = frozenset(folded(title) for title in rules.titles)
        self.particles = frozenset(folded(particle) for particle in rules.particles)
        self.generations = {folded(w): name for name, listed in rules.generations.items() for w in listed}
        self.maiden, self.households = frozenset(said.maiden), frozenset(said.households)
        self._degrees, self._couples, self._glued = frozenset(said.degrees), frozenset(said.couples), tuple(said.glued)

    def junk(self, value: str) -> bool:
        """Whether the name names nobody: a listed word, punctuation, digits or an e-mail address."""
        plain = folded(value).strip()
        return "@" in plain or not any(c.isalpha() for c in plain) or self._junk.match(plain)

    def given(self, text: str) -> Part:
        """A given name field. Somebody and somebody else in it is nobody in particular, nor is a family."""
        plain = folded(text).strip()
        if self.junk(text) or self.couple(text.translate(_BETWEEN_TWO)):
            return Part((), None, plain)
        found = self.untitled(self.tokens(self.unbracketed(text)))
        found = [w for w in found if w not in self.titles and not any(c.isdigit() for c in w)]
        if any(w in self.households for w in found):
            return Part((), None, plain)
        found, generation = self.without_generation(found)
        while len(found) > 1 and found[-1] in self.particles:
            found.pop()
        return Part(spelled(found), generation, plain)

    def family(self, text: str) -> Part:
        """A family name field, without particles; both names of somebody who married."""
        plain = folded(text).strip()
        if self.junk(text):
            return Part((), None, plain)
        text = self.unbracketed(text)
        found = words(_CAMEL.sub(" ", text) if self._camel(text) else text)[:_MOST_WORDS]
        found = [w for w in found if not any(c.isdigit() for c in w)]
        found = [w for w in found if w not in self.titles and w not in self.households] or found
        found, generation = self.without_generation(found)
        return Part(self.family_words(found), generation, plain)

    def family_words(self, found: Sequence[str]) -> tuple[str, ...]:
        """Words of a family name as they are compared; the last one always stays."""
        found = [w for w in found[:-1] if w not in self.maiden and w not in self._couples] + list(found[-1:])
        joined: list[str] = []
        for word in found:
            if joined and joined[-1] in _JOINED:
                word = joined.pop() + word
            joined.append(word)
        kept = [w for w in joined if w not in self.particles] or joined
        return spelled([self._unglued(w) for w in kept])

    def tokens(self, text: str) -> list[str]:
        """The words of a name; initials written as one word (`JR Smith`) are parted."""
        text = text.strip()
        first = text.partition(" ")[0]
        initials = 1 < len(first) < 4 and first.isupper() and first.isalpha() and _VOWELS.isdisjoint(first)
        if initials and first.casefold() not in self.titles:
            text = " ".join(first) + text[len(first) :]
        return words(text)[:_MOST_WORDS]

    def untitled(self, found: list[str]) -> list[str]:
        """Without titles; behind the first name only where a whole name is left (Anna Vogt MBA, not Anna Dame)."""
        first = 0
        while first < len(found) and (found[first] in self.titles or (first and found[first] in self._degrees)):
            first += 1
        plain = [w for w in found[first:] if w not in self.titles]
        return plain if len(plain) > 1 else found[first:]

    def without_generation(self, found: list[str], name: int = 1) -> tuple[list[str], str | None]:
        """`jr` and its like behind a name of so many words or more; before that, the word is a name (Amartya Sen)."""
        later = [w for w in found[name:] if w in self.generations]
        if not later:
            return found, None
        return [*found[:name], *(w for w in found[name:] if w not in self.generations)], self.generations[later[0]]

    def couple(self, text: str) -> bool:
        """Whether two people stand in one field: Anna & Peter; not where a particle follows (von und zu)."""
        pieces = folded(text).replace("&", " & ").replace("+", " + ").split()
        return any(one in self._couples and two not in self.particles for one, two in pairwise(pieces[1:]))

    def unbracketed(self, text: str) -> str:
        """The text without what stands in brackets; a maiden name stays, and a nickname within the name."""
        if not any(sign in text for sign in "([{<"):
            return text
        end = len(text.rstrip())

        def kept(found: re.Match[str]) -> str:
            said = words(found[1])
            nickname = found.end() < end and len(said) == 1 and len(said[0]) > 2
            return f" {found[1]} " if nickname or (said and said[0] in self.maiden) else " "

        return _BRACKETS.sub(kept, text)

    def _camel(self, text: str) -> bool:
        """Whether a particle is written as one word with the name: DeLuca."""
        beginning = _CAMEL.split(text, maxsplit=1)[0]
        return beginning != text and beginning.casefold() in self.particles

    def _unglued(self, word: str) -> str:
        for beginning in self._glued:
            if word.startswith(beginning) and len(word) >= len(beginning) + 3:
                return word[len(beginning) :]
        return word


def spelled(found: Iterable[str]) -> tuple[str, ...]:
    """The words, each by its one spelling."""
    return tuple(spelling(word) for word in found)
