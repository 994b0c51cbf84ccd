"""Where people live and how they are reached. In: a country's words, chance. Out: homes, numbers, employers."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from tests.bench.identity.slips import plain
from tests.bench.identity.words import Country

_BUSINESSES = ("consulting", "logistik", "software", "medien", "bau", "services", "trading", "design", "foods", "tech")
_ROLES = (
    ("info", "buchhaltung", "einkauf", "kontakt", "office", "rechnung", "bestellung", "verwaltung"),
    ("info", "accounts", "office", "sales", "contact", "billing", "orders", "admin"),
)
_NAMED_FOR = {
    "de": "{}str.", "at": "{}gasse", "ch": "{}strasse", "nl": "{}straat", "fr": "rue {}", "es": "Calle {}",
    "it": "Via {}", "pl": "ul. {}", "gb": "{} Road", "us": "{} Ave",
}  # fmt: skip


class Home(NamedTuple):
    street: str
    postcode: str
    city: str


class Company(NamedTuple):
    domain: str
    inboxes: tuple[str, ...]
    switchboard: str
    home: Home


class Job(NamedTuple):
    company: Company
    email: str
    phone: str


class Contacts:
    """Hands out contacts; an address of e-mail only once. Companies take on people, large ones more often."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._companies: dict[str, list[Company]] = {}
        self._taken: set[str] = set()

    def home(self, country: Country) -> Home:
        chance = self._chance
        city, _, code = country.cities.draw(chance).partition(":")
        name = country.streets.draw(chance)
        if chance.random() < 0.4:  # most streets are in no list of the frequent ones
            name = _NAMED_FOR[country.name].format(country.family(chance))
        number = 1 + int(chance.expovariate(1 / 35))
        street = f"{number} {name}" if country.name in ("fr", "gb", "us") else f"{name} {number}"
        return Home(street + self._door(country.name), self._postcode(country.name, code), city)

    def _door(self, country: str) -> str:
        chance = self._chance
        if country in ("us", "gb") and chance.random() < 0.2:
            return f", {'Apt' if country == 'us' else 'Flat'} {chance.randint(1, 40)}"
        if country == "de" and chance.random() < 0.12:
            return chance.choice("abc")
        return f"/{chance.randint(1, 30)}" if country == "at" and chance.random() < 0.3 else ""

    def _postcode(self, country: str, code: str) -> str:
        chance = self._chance
        district = int(chance.triangular(0, 60, 5))
        if country == "gb":
            return f"{code}{district // 5 + 1} {chance.randint(1, 9)}{''.join(chance.choices('ABDEFGHJLN', k=2))}"
        if country == "nl":
            return f"{code}{district:02} {''.join(chance.choices('ABCDEFGHKL', k=2))}"
        text = f"{code}{district:0{(4 if country in ('at', 'ch') else 5) - len(code)}}"
        return f"{text[:2]}-{text[2:]}" if country == "pl" else text

    def phone(self, country: Country, fixed: bool) -> str:
        chance = self._chance
        start = country.fixed if fixed else chance.choice(country.mobiles)
        if fixed and country.name in ("de", "gb", "us", "it"):
            start = f"{start[0]}{chance.randint(10, 99)}"
        rest = country.length - len(start)
        return f"{country.code}{start}{chance.randrange(2 * 10 ** (rest - 1), 10**rest)}"

    def email(self, local: str, domain: str) -> str:
        """The address, with digits where somebody else has it."""
        address = f"{local}@{domain}"
        while address in self._taken:
            address = f"{local}{self._chance.randint(1, 9999)}@{domain}"
        self._taken.add(address)
        return address

    def device(self) -> str:
        return f"{self._chance.getrandbits(64):016x}"

    def job(self, country: Country, given: str, family: str) -> Job:
        company = self._company(country)
        first, last = plain(given).lower().replace(" ", "-"), plain(family).lower().replace(" ", "").replace("'", "")
        ways = (f"{first}.{last}", f"{first[0]}.{last}", f"{first[0]}{last}", last)
        local = ways[len(company.domain) % 4]  # a company has one way of making addresses
        direct = self._chance.random() < 0.4
        phone = company.switchboard[:-1] + str(self._chance.randint(10, 99)) if direct else company.switchboard
        return Job(company, self.email(local, company.domain), phone)

    def _company(self, country: Country) -> Company:
        chance, known = self._chance, self._companies.setdefault(country.name, [])
        if known and chance.random() > 0.2:
            return known[int(len(known) * chance.random() ** 2.5)]
        name = plain(country.family(chance)).lower().replace(" ", "-").replace("'", "")
        ending = {"gb": "co.uk", "us": "com"}.get(country.name, country.name)
        domain = f"{name}-{chance.choice(_BUSINESSES)}.{chance.choice((ending, ending, 'com'))}"
        inboxes = tuple(f"{role}@{domain}" for role in chance.sample(_ROLES[country.name != "de"], 2))
        known.append(Company(domain, inboxes, self.phone(country, True) + "0", self.home(country)))
        return known[-1]
