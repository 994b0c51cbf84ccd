"""Who lives with whom. In: chance. Out: households of people, each with all its contacts.

Shares are of the order that statistics offices and providers report: two fifths of households are one person, one woman
in three keeps her name, half of the older households have a landline, one person in ten has a name from elsewhere.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from tests.bench.identity.contacts import Contacts, Home, Job
from tests.bench.identity.slips import plain
from tests.bench.identity.words import Country, countries

_TITLES = ("Dr. ", "Dr. ", "Prof. Dr. ", "Dipl.-Ing. ", "Mag. ")
_HANDLES = ("sonne", "star", "blue", "happy", "biker", "katze", "lucky", "dragon", "zebra", "moon", "tiger", "musik")
_YEAR = 2025


@dataclass(slots=True)
class Person:
    """`number` is the household and who of it, as `17.2`. `former` is the family name before a marriage that falls into
    the time of the records; `homes`, `emails` and `phones` are in the order of time. What a household shares is in
    `landline`, `shared_email` and `tablet`.
    """

    number: str
    country: Country
    given: str
    family: str
    birth: str
    homes: list[Home]
    second: str = ""
    calls: tuple[str, ...] = ()
    title: str = ""
    former: str = ""
    landline: str = ""
    shared_email: str = ""
    tablet: str = ""
    emails: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)

    @property
    def born(self) -> int:
        return int(self.birth[:4])


Kind = Callable[[Country, Country, Home], list[Person]]


class Population:
    """Households one after the other, the same ones for the same chance."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._contacts = Contacts(chance)
        self._countries = countries()
        self._lived = [country for country in self._countries.values() if country.share]
        self._shares = list(accumulate(country.share for country in self._lived))
        self._kinds: tuple[Kind, ...] = (
            self._single, self._couple, self._family, self._parent, self._flat, self._heirs
        )  # fmt: skip
        self._kind_shares = list(accumulate((0.42, 0.25, 0.2, 0.055, 0.06, 0.015)))
        self._households = self._people = 0

    def household(self) -> list[Person]:
        """The next household: its people, with homes, contacts and jobs."""
        chance = self._chance
        self._households, self._people = self._households + 1, 0
        country = self._lived[bisect(self._shares, chance.random() * self._shares[-1])]
        make = self._kinds[bisect(self._kind_shares, chance.random())]
        people = make(country, self._origin(country), self._contacts.home(country))
        self._share(people, make == self._flat)
        for person in people:
            self._equip(person)
        return people

    def _origin(self, country: Country) -> Country:
        chance = self._chance.random()
        if chance < 0.05 and country.name in ("de", "at", "nl", "ch"):
            return self._countries["tr"]
        return self._chance.choice(self._lived) if chance < 0.1 else country

    # who ------------------------------------------------------------------------------------------------------------
    def _person(
        self, country: Country, origin: Country, home: Home, age: int, family: str = "", female: bool | None = None
    ) -> Person:
        chance = self._chance
        female = chance.random() < 0.5 if female is None else female
        given, family = origin.given(female, chance), family or self._born_as(origin, female)
        self._people += 1
        birth = f"{_YEAR - age}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        person = Person(
            f"{self._households}.{self._people}",
            country,
            given,
            family,
            birth,
            [home],
            calls=origin.nicknames.get(given, ()),
        )
        if chance.random() < (0.6 if country.name in ("us", "gb") else 0.2):
            person.second = origin.given(female, chance)
        person.title = chance.choice(_TITLES) if chance.random() < 0.025 else ""
        return person

    def _born_as(self, origin: Country, female: bool) -> str:
        family = origin.family(self._chance)
        if origin.name == "es":
            return f"{family} {origin.family(self._chance)}"
        return family[:-1] + "a" if origin.name == "pl" and female and family.endswith("ki") else family

    def _age(self) -> int:
        return int(self._chance.triangular(18, 90, 42))

    def _single(self, country: Country, origin: Country, home: Home) -> list[Person]:
        return [self._person(country, origin, home, self._age())]

    def _couple(self, country: Country, origin: Country, home: Home) -> list[Person]:
        chance, age = self._chance, max(20, self._age())
        one = self._person(country, origin, home, age, female=False)
        other = self._person(country, origin, home, max(19, age + chance.randint(-6, 4)), female=chance.random() > 0.03)
        if origin.name == "es" or chance.random() < 0.3:
            return [one, other]
        maiden, kind = other.family, chance.random()
        double = f"{one.family}-{maiden}" if kind < 0.9 else f"{maiden}-{one.family}"
        other.family = one.family if kind < 0.8 else double
        if age < 45 and chance.random() < 0.12:
            other.former = maiden
        return [one, other]

    def _family(self, country: Country, origin: Country, home: Home) -> list[Person]:
        chance, parents = self._chance, self._couple(country, origin, home)
        oldest = min(30, _YEAR - parents[1].born - 20)
        children: list[Person] = []
        for _ in range(chance.choices((1, 2, 3), (5, 4, 1))[0]):
            if oldest >= 14 and chance.random() < 0.7:
                child = self._person(country, origin, home, chance.randint(14, oldest), parents[0].family)
                if children and chance.random() < 0.03:  # twins
                    child.birth = children[-1].birth
                children.append(child)
        return parents + children

    def _parent(self, country: Country, origin: Country, home: Home) -> list[Person]:
        parent = self._person(country, origin, home, self._chance.randint(36, 75))
        age = self._chance.randint(14, _YEAR - parent.born - 20)
        return [parent, self._person(country, origin, home, age, parent.family)]

    def _flat(self, country: Country, origin: Country, home: Home) -> list[Person]:
        chance = self._chance
        return [self._person(country, origin, home, chance.randint(19, 34)) for _ in range(chance.randint(2, 4))]

    def _heirs(self, country: Country, origin: Country, home: Home) -> list[Person]:
        """Father and son of one name under one roof."""
        father = self._person(country, origin, home, self._chance.randint(48, 80), female=False)
        age = _YEAR - father.born - self._chance.randint(22, 32)
        son = self._person(country, origin, home, age, father.family, False)
        son.given, son.calls = father.given, father.calls
        return [father, son]

    # what they have ---------------------------------------------------------------------------------------------------
    def _share(self, people: list[Person], strangers: bool) -> None:
        chance, first, own = self._chance, people[0], self._contacts
        landline = own.phone(first.country, True) if chance.random() < (0.55 if first.born < 1975 else 0.2) else ""
        tablet = own.device() if len(people) > 1 and chance.random() < 0.15 else ""
        shared = ""
        if len(people) > 1 and not strangers and chance.random() < 0.08:
            before = "familie." if first.country.name in ("de", "at", "ch") else ""
            local = before + plain(first.family).lower().replace(" ", "")
            shared = own.email(local, first.country.mail.draw(chance))
        for person in people:
            person.landline, person.tablet, person.shared_email = landline, tablet, shared

    def _equip(self, person: Person) -> None:
        """What belongs to one person: addresses of e-mail, phones, devices, a move, jobs."""
        chance, own, country = self._chance, self._contacts, person.country
        for _ in range(chance.choices((1, 2, 3), (62, 28, 10))[0]):
            person.emails.append(own.email(self._local(person), country.mail.draw(chance)))
        person.phones = [own.phone(country, False) for _ in range(chance.choices((1, 2), (78, 22))[0])]
        person.devices = [own.device() for _ in range(chance.choices((1, 2, 3), (5, 4, 1))[0])]
        if chance.random() < 0.18:
            person.homes.insert(0, own.home(country))
        if person.born > 1960 and chance.random() < 0.3:
            person.jobs = [own.job(country, person.given, person.family) for _ in range(1 + (chance.random() < 0.08))]

    def _local(self, person: Person) -> str:
        """What somebody calls himself before the @."""
        chance = self._chance
        formal = plain(person.given).lower().replace(" ", "")
        given = plain(chance.choice(person.calls)).lower() if person.calls and chance.random() < 0.15 else formal
        family = plain(person.former or person.family).lower().replace(" ", "").replace("'", "")
        year = person.birth[2:4]
        if chance.random() < 0.2:
            return f"{chance.choice(_HANDLES)}{chance.choice((given[:4], family[:5], ''))}{chance.randint(1, 9999)}"
        return chance.choice((
            f"{given}.{family}", f"{given}.{family}", f"{given}.{family}", f"{given[0]}.{family}", f"{given}{family}",
            f"{family}.{given}", f"{given}_{family}", f"{given}{year}", f"{family}{year}", f"{given[0]}{family}{year}",
            f"{given}.{family}{year}",
        ))  # fmt: skip
