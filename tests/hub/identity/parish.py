"""A parish register: names, birth dates and addresses, and no contact. In: a seed, shares. Out: records as a world is
told them, each with who it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

GIVEN = [
    "Anna", "Berta", "Clara", "Dora", "Edith", "Frieda", "Gerda", "Helga", "Ingrid", "Judith", "Karin", "Laura",
    "Martha", "Nora", "Olga", "Paula", "Renate", "Sabine", "Tanja", "Ursula", "Albert", "Bruno", "Daniel", "Ernst",
    "Fabian", "Gustav", "Heinz", "Igor", "Jonas", "Karl", "Ludwig", "Moritz", "Norbert", "Oskar", "Peter", "Richard",
    "Simon", "Thomas", "Viktor", "Walter",
]  # fmt: skip
FAMILIES = [
    f"{first}{middle}{last}"
    for first, middle, last in product(
        ("Bren", "Dol", "Fing", "Gram", "Hol", "Jas", "Kul"),
        ("ber", "dor", "kin", "los"),
        ("ger", "mann", "ner", "wald"),
    )
]
STREETS = [f"{first}{last}" for first, last in product(("Ahorn", "Birken", "Linden"), ("allee", "gasse", "ring"))]


@dataclass(frozen=True)
class Parish:
    """Homes of which the share `shared` hold a family of two to four, the others one person. Of the second records, so
    many have another given name, or another birth date; so many siblings are twins.
    """

    homes: int
    shared: float = 0.0
    wrong_given: float = 0.0
    wrong_birth: float = 0.0
    twins: float = 0.03

    def records(self, seed: int) -> list[tuple[str, dict[str, Any]]]:
        """Two records of everybody: who it is (`17.2`), and what is said."""
        chance, found = Random(seed), []
        for home in range(self.homes):
            place = f"{chance.choice(STREETS)} {home + 1}, {10_000 + home // 9}, dorf {home // 9}, de"
            people = chance.randint(2, 4) if chance.random() < self.shared else 1
            family = chance.choice(FAMILIES)
            births = [self._birth(chance)]
            for number, given in enumerate(chance.sample(GIVEN, people)):
                if number:
                    births.append(births[-1] if chance.random() < self.twins else self._birth(chance))
                said = {"given": given, "family": family, "birth": births[-1], "addresses": [place]}
                found += [(f"{home}.{number}", said), (f"{home}.{number}", self._again(said, chance))]
        return found

    def _again(self, said: dict[str, Any], chance: Random) -> dict[str, Any]:
        wrong: dict[str, Any] = {}
        if chance.random() < self.wrong_given:
            wrong["given"] = chance.choice([name for name in GIVEN if name != said["given"]])
        if chance.random() < self.wrong_birth:
            wrong["birth"] = self._birth(chance)
        return said | wrong

    def _birth(self, chance: Random) -> str:
        return f"{chance.randint(1930, 2004)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
