"""People of a town and what sources say of them. In: a seed. Out: records that are shared, wrong and incomplete."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

GIVEN = (
    "Anna", "Peter", "Hans", "Eva", "Jonas", "Margarethe", "Robert", "Elisabeth", "Mehmet", "Chloé", "Tim", "Tom",
    "Paul", "Paula", "Christian", "Christina",
)  # fmt: skip
SHORT = {"Margarethe": "Grete", "Robert": "Bob", "Elisabeth": "Liz", "Christian": "Chris", "Christina": "Chris"}
FAMILY = ("Vogt", "Holm", "Brandt", "Weber", "Lindner", "Kaya", "Müller", "Schmidt", "Ritter", "de Boer", "Sørensen")
STREETS = ("Lindenweg", "Hauptstraße", "Am Markt", "Kirchgasse")
TOWNS = (("10115", "Berlin"), ("22765", "Hamburg"), ("80331", "München"))
JUNK = {
    "emails": ("test@test.com", "n/a@example.com", "info@acme.example"),
    "phones": ("+490000000", "+493023125000"),
    "births": ("1900-01-01", "1970-01-01"),
}
SOURCES = ("crm", "billing", "support", "web")
_COMPANIES = ("Acme Robotics", "Nordlicht Energie", "Vogt Bau", "Holm Logistik", "Vogt Bau Service", "Blue Whale")
_FORMS = ("GmbH", "AG", "", "Inc.")
_PER_COMPANY = 3  # records of one company, on the average
_LARGEST_HOME = 5
_RECORDS = 2  # of a person in a source, at first
_REGULAR, _OF_REGULAR = 9, 600  # each ninth record, of the first ones, is of the shop's best guest


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, with what is one's own and what a home shares."""

    number: int
    given: str
    family: str
    birth: str
    home: int
    address: str
    employer: str


class Town:
    """Who lives there, and what a source may say of each; every choice is the seed's."""

    def __init__(self, people: int, seed: int) -> None:
        self.chance = Random(seed)
        self.companies = max(4, people // 12)
        self.people: list[Person] = []
        while len(self.people) < people:
            self.people += self._household(len(self.people))

    def _household(self, first: int) -> list[Person]:
        chance = self.chance
        family, (postcode, town) = chance.choice(FAMILY), chance.choice(TOWNS)
        address = f"{chance.choice(STREETS)} {chance.randint(1, 40)}, {postcode}, {town}, de".casefold()
        size, year = chance.randint(1, _LARGEST_HOME), chance.randint(1940, 1975)
        twins = chance.random() < 0.1
        found: list[Person] = []
        for at in range(size):
            born = year if at < 2 else year + 27 + (0 if twins else at)
            day = f"{born}-{1 + (first + at) % 12:02}-{1 + (first + at) % 28:02}"
            if twins and at > 2:
                day = found[-1].birth
            given = found[0].given if at == 2 and chance.random() < 0.1 else chance.choice(GIVEN)  # father and son
            employer = f"crm/o{chance.randrange(self.companies)}" if chance.random() < 0.3 else ""
            found.append(Person(first + at, given, family, day, first, address, employer))
        return found

    def place(self, organization: bool = False) -> str:
        """Where a record may come from, be it one that nobody has heard of."""
        source = self.chance.choice(SOURCES)
        if organization:
            return f"{source}/o{self.chance.randrange(2 * self.companies)}"
        return f"{source}/{self.chance.randrange(2 * _RECORDS * len(self.people))}"

    def places(self) -> list[str]:
        """Several of each source for everybody."""
        keys = [*range(_RECORDS * len(self.people)), *(f"o{at}" for at in range(self.companies))]
        return [f"{source}/{key}" for source in SOURCES for key in keys]

    def record(self, place: str) -> dict[str, Any]:
        """What the source says at this place now: of anybody, for a place is not a person's for ever."""
        source, _, key = place.partition("/")
        if key.startswith("o"):
            return self._organization(int(key[1:]) % self.companies)
        regular = int(key) % _REGULAR == 0 and int(key) < _OF_REGULAR
        number = 0 if regular else int(key) + (self.chance.random() < 0.05)
        person = self.people[number % len(self.people)]
        if source == "web":
            return self._visitor(person)
        return self._named(person, source)

    def _visitor(self, person: Person) -> dict[str, Any]:
        """A browser, and who logged in with it."""
        devices = [f"device-{person.home if self.chance.random() < 0.2 else person.number}"]
        return {"devices": devices} | ({"emails": [self._email(person)]} if self.chance.random() < 0.4 else {})

    def _named(self, person: Person, source: str) -> dict[str, Any]:
        maybe = self.chance.random
        said: dict[str, Any] = {"given": self._given(person), "family": person.family, "country": "DE"}
        if maybe() < 0.05:
            said["given"], said["family"] = said["family"], said["given"]
        if maybe() < 0.1:
            said = {"name": f"{person.family}, {said['given']}" if maybe() < 0.5 else person.family}
        if maybe() < 0.06:
            said = {}
        if maybe() < 0.5:
            said["birth"] = person.birth if maybe() < 0.9 else self.chance.choice(JUNK["births"])
        said["emails"] = [self._email(person) for _ in range(self.chance.choice((0, 1, 1, 1, 2)))]
        said["phones"] = [self._phone(person)] if maybe() < 0.5 else []
        said["addresses"] = [person.address] if maybe() < 0.4 else []
        said["devices"] = [f"device-{person.number}"] if maybe() < 0.1 else []
        said["ids"] = self._ids(person, source)
        said["of"] = [person.employer] if person.employer and maybe() < 0.5 else []
        return said

    def _given(self, person: Person) -> str:
        roll = self.chance.random()
        if roll < 0.1:
            return f"{person.given[0]}."
        if roll < 0.2:
            return SHORT.get(person.given, person.given)
        if roll < 0.28:
            at = self.chance.randrange(1, len(person.given))
            return person.given[:at] + person.given[at - 1 :]  # a letter twice
        return person.given

    def _email(self, person: Person) -> str:
        roll = self.chance.random()
        if roll < 0.15:
            return f"family{person.home}@mail.example"
        if roll < 0.2:
            return self.chance.choice(JUNK["emails"])
        if roll < 0.25:
            return f"{person.given}.{person.family}@mail.example".replace(" ", "").casefold()
        local = f"{person.given}.{person.family}{person.number}".replace(" ", "").casefold()
        if roll < 0.32:
            local = local[:4] + local[5:]
        return f"{local}@{'post' if roll > 0.85 else 'mail'}.example"

    def _phone(self, person: Person) -> str:
        roll = self.chance.random()
        if roll < 0.08:
            return self.chance.choice(JUNK["phones"])
        return f"+4930{23_125_100 + person.home}" if roll < 0.5 else f"+49151{10_000_000 + person.number}"

    def _ids(self, person: Person, source: str) -> dict[str, str]:
        """The key of another system, the wrong one now and then; and seldom a national id."""
        roll = self.chance.random()
        found = {}
        if roll < 0.1 and source != "crm":
            found["crm"] = str(person.number if roll < 0.08 else self.chance.randrange(len(self.people)))
        if roll > 0.95:
            found["ssn"] = f"{100_000_000 + person.number}"
        return found

    def _organization(self, number: int) -> dict[str, Any]:
        chance, maybe = self.chance, self.chance.random
        number = max(0, number - chance.randrange(_PER_COMPANY)) if maybe() < 0.7 else number
        name = f"{_COMPANIES[number % len(_COMPANIES)]} {number // len(_COMPANIES) or ''} {chance.choice(_FORMS)}"
        site = f"company{number}.example"
        said: dict[str, Any] = {"kind": "ORGANIZATION", "name": " ".join(name.split()), "country": "DE"}
        said["emails"] = [f"{chance.choice(('info', 'office', 'buero'))}@{site}"] if maybe() < 0.5 else []
        said["ids"] = {"domain": site} if maybe() < 0.5 else {}
        if maybe() < 0.2:
            said["ids"] |= {"vat": "DE811907980" if number % 2 else "DE129273398"}
        said["phones"] = [f"+4940{31_125_100 + number // 2}"] if maybe() < 0.3 else []
        said["of"] = [f"crm/o{chance.randrange(self.companies)}"] if maybe() < 0.15 else []
        return said
