"""The words people are made of. In: words.yml. Out: a country's names, streets and towns, drawn by frequency."""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import yaml

_MIDDLES = ("", "", "", "", "n", "er", "en", "s", "e", "l")


class Pool:
    """Words of which the first are frequent: the n-th weighs 1 / (n + shift) ** slope, as Zipf's law has it."""

    def __init__(self, words: str, shift: float, slope: float) -> None:
        self._words = [word.replace("_", " ") for word in words.split()]
        self._sums = list(accumulate(1 / (rank + shift) ** slope for rank in range(len(self._words))))

    def draw(self, chance: Random) -> str:
        return self._words[bisect(self._sums, chance.random() * self._sums[-1])]


class Country:
    """What is said of a country; one without a share lends only names."""

    def __init__(self, name: str, said: dict[str, Any]) -> None:
        self.name, self.share, self._listed = name, said["share"], said["listed"]
        self._women, self._men = Pool(said["women"], 5, 0.9), Pool(said["men"], 5, 0.9)
        self._families = Pool(said["families"], 3, 0.75)
        self._roots, self._ends = Pool(said["roots"], 20, 0.6), Pool(said["ends"], 6, 0.6)
        pairs = (pair.partition(":") for pair in said["nicknames"].split())
        self.nicknames = {formal.replace("_", " "): tuple(short.split(",")) for formal, _, short in pairs}
        if self.share:
            self.streets, self.cities = Pool(said["streets"], 8, 0.5), Pool(said["cities"], 3, 0.7)
            self.mail = Pool(said["mail"], 1, 1.0)
            self.code, length, self.fixed, *self.mobiles = said["phones"].split()
            self.length = int(length)

    def given(self, female: bool, chance: Random) -> str:
        return (self._women if female else self._men).draw(chance)

    def family(self, chance: Random) -> str:
        """One of the frequent names, or one of the many rare ones."""
        if chance.random() < self._listed:
            return self._families.draw(chance)
        return self._roots.draw(chance) + chance.choice(_MIDDLES) + self._ends.draw(chance)


def countries() -> dict[str, Country]:
    """All countries by code."""
    said = yaml.safe_load(Path(__file__).with_name("words.yml").read_text(encoding="utf-8"))
    return {name: Country(name, words) for name, words in said.items()}
