"""Organizations of three sources. In: how many profiles, a seed. Out: records, each with the legal entity it truly is.

Groups have subsidiaries with their brand, and often with their domain, address or switchboard; chains have franchisees
of one name; unlike companies are called alike. Sources write names with and without the legal form, numbers with and
without the country, and know some of it only. Written from what registers and CRM systems hold, not from the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from random import Random

from tests.bench.identity.contacts import Contacts, Home
from tests.bench.identity.record import Record
from tests.bench.identity.slips import bare, plain, slipped
from tests.bench.identity.words import Country, countries

_SHARES = {"de": 50, "fr": 20, "it": 15, "us": 15}
_FORMS = {
    "de": ("GmbH", "GmbH", "GmbH", "AG", "GmbH & Co. KG", "UG (haftungsbeschränkt)", "KG", "e.K.", "OHG"),
    "fr": ("SARL", "SARL", "SAS", "SAS", "SA", "EURL"),
    "it": ("S.r.l.", "S.r.l.", "S.p.A.", "S.n.c.", "S.a.s."),
    "us": ("Inc.", "LLC", "LLC", "Corp.", "Co."),
}
_TRADES = {
    "de": "Bau Logistik Elektrotechnik Maschinenbau Immobilien Medien Software Metallbau Gartenbau Möbel Reisen Druck",
    "fr": "Transports Bâtiment Conseil Informatique Menuiserie Distribution Services Immobilier Électricité Voyages",
    "it": "Costruzioni Trasporti Impianti Servizi Meccanica Arredamenti Consulenze Informatica Alimentari Immobiliare",
    "us": "Construction Logistics Consulting Software Plumbing Supply Dental Foods Media Properties Partners Electric",
}
_GROUP_WORDS = ("Holding", "Services", "International", "Immobilien", "Digital", "Verwaltung")
_JUNK = ("-", "n/a", "test", "privat", "unknown", "TEST GmbH")


@dataclass(frozen=True, slots=True)
class Firm:
    """A legal entity. `domain` is empty where it has none of its own, as franchisees have."""

    number: str
    country: Country
    brand: str
    form: str
    vat: str
    domain: str
    phone: str
    home: Home


def organizations(profiles: int, seed: int = 5) -> list[Record]:
    """Exactly so many records, the same for the same numbers, in no order."""
    chance = Random(seed)
    register, keys = _Register(chance), {source: count(1) for source in ("crm", "billing", "support")}
    records: list[Record] = []
    while len(records) < profiles:
        for firm in register.group():
            records.extend(_records(firm, keys, chance))
    del records[profiles:]
    chance.shuffle(records)
    return records


class _Register:
    """Groups of firms, most of them of one firm."""

    def __init__(self, chance: Random) -> None:
        self._chance, self._contacts, self._countries = chance, Contacts(chance), countries()
        self._groups = 0

    def group(self) -> list[Firm]:
        chance = self._chance
        self._groups += 1
        country = self._countries[chance.choices(list(_SHARES), list(_SHARES.values()))[0]]
        first = self._firm(country, self._brand(country), 1)
        kind = chance.random()
        if kind < 0.02:
            return [first, *self._franchisees(first)]
        return [first, *self._subsidiaries(first)] if kind < 0.14 else [first]

    def _brand(self, country: Country) -> str:
        chance = self._chance
        family, trade = country.family(chance), chance.choice(_TRADES[country.name].split())
        kind = chance.random()
        if kind < 0.1:
            return f"{family} {chance.choice(('&', 'und' if country.name == 'de' else '&'))} {country.family(chance)}"
        if kind < 0.25:
            return f"{family[:4]}{trade[:4].lower()}".capitalize()
        return f"{trade} {family}" if kind < 0.35 or country.name in ("fr", "it") else f"{family} {trade}"

    def _firm(self, country: Country, brand: str, member: int) -> Firm:
        chance = self._chance
        ending = "com" if country.name == "us" or chance.random() < 0.2 else country.name
        words = plain(brand).lower().replace("&", "und").replace("'", "").split()
        domain = self._contacts.email("-".join(words), ending).replace("@", ".")
        return Firm(
            f"{self._groups}.{member}", country, brand, chance.choice(_FORMS[country.name]), vat(country.name, chance),
            domain, self._contacts.phone(country, True), self._contacts.home(country),
        )  # fmt: skip

    def _subsidiaries(self, parent: Firm) -> Iterator[Firm]:
        """Abroad under the same name, or at home with a word more or another legal form; much is often shared."""
        chance = self._chance
        for member in range(2, 2 + chance.choices((1, 2, 3), (6, 3, 1))[0]):
            abroad = chance.random() < 0.5
            country = self._countries[chance.choice(list(_SHARES))] if abroad else parent.country
            more = "" if abroad or chance.random() < 0.25 else f" {chance.choice(_GROUP_WORDS)}"
            firm = self._firm(country, parent.brand + more, member)
            if not abroad and chance.random() < 0.6:
                firm = replace(firm, home=parent.home, phone=parent.phone)
            if chance.random() < 0.5:
                firm = replace(firm, domain=parent.domain)
            if not more and firm.country is parent.country:
                others = [form for form in _FORMS[country.name] if form != parent.form]
                firm = replace(firm, form=chance.choice(others))
            yield firm

    def _franchisees(self, first: Firm) -> Iterator[Firm]:
        for member in range(2, self._chance.randint(5, 25)):
            home, phone = self._contacts.home(first.country), self._contacts.phone(first.country, True)
            own = vat(first.country.name, self._chance)
            yield replace(first, number=f"{self._groups}.{member}", home=home, phone=phone, vat=own, domain="")


def vat(country: str, chance: Random) -> str:
    """A number of the country's form with a right check digit: DE by ISO 7064, FR and IT by Luhn, US has none."""
    if country == "de":
        digits = [chance.randint(1, 9), *(chance.randint(0, 9) for _ in range(7))]
        product = 10
        for digit in digits:
            product = 2 * ((digit + product) % 10 or 10) % 11
        return "DE" + "".join(map(str, digits)) + str((11 - product) % 10)
    if country == "fr":
        siren = _luhn("".join(str(chance.randint(1, 9)) for _ in range(8)))
        return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02}{siren}"
    if country == "it":
        return "IT" + _luhn(f"0{chance.randint(100000, 999999)}{chance.randint(1, 100):03}")
    return f"{chance.randint(10, 95)}-{chance.randint(1000000, 9999999)}"


def _luhn(digits: str) -> str:
    doubled = (2 * int(digit) if at % 2 == 0 else int(digit) for at, digit in enumerate(reversed(digits)))
    return digits + str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


# what sources write --------------------------------------------------------------------------------------------------
def _records(firm: Firm, keys: dict[str, count[int]], chance: Random) -> Iterator[Record]:
    crm = ""
    parts = {"crm": 0.75, "billing": 0.6, "support": 0.4}
    for source in [name for name, part in parts.items() if chance.random() < part] or ["crm"]:
        for _ in range(1 + (chance.random() < 0.07)):
            record = _record(firm, source, str(next(keys[source])), crm, chance)
            crm = record.key if source == "crm" else crm
            yield record


def _record(firm: Firm, source: str, key: str, crm: str, chance: Random) -> Record:
    billing = source == "billing"
    placed = chance.random() < {"billing": 0.95, "crm": 0.6}.get(source, 0.05)
    street, postcode, city = firm.home if placed else ("", "", "")
    ids = [("domain", firm.domain)] if firm.domain and not billing and chance.random() < 0.6 else []
    if chance.random() < {"billing": 0.6, "crm": 0.15}.get(source, 0):
        ids.append(("vat", _number(firm.vat, chance)))
    if crm and chance.random() < 0.2:
        ids.append(("crm", crm))
    wrote = firm.domain and chance.random() < {"billing": 0.5, "support": 0.7}.get(source, 0.2)
    return Record(
        source, key, firm.number, display=_title(firm, billing, chance), street=street, postcode=postcode, city=city,
        country=firm.country.name.upper() if chance.random() < 0.9 else "", kind="ORGANIZATION",
        emails=(f"{'accounts' if billing else 'info'}@{firm.domain}",) if wrote else (),
        phones=(firm.phone,) if chance.random() < (0.5 if source == "crm" else 0.25) else (), ids=tuple(ids),
    )  # fmt: skip


def _number(number: str, chance: Random) -> str:
    kind = chance.random()
    if kind < 0.15 and number[:2].isalpha():
        return number[2:]
    return f"{number[:2]} {number[2:5]} {number[5:]}" if kind < 0.3 else number


def _title(firm: Firm, formal: bool, chance: Random) -> str:
    if chance.random() < 0.004:
        return chance.choice(_JUNK)
    brand = slipped(firm.brand, chance) if chance.random() < 0.025 else firm.brand
    if " & " in brand and chance.random() < 0.3:
        brand = brand.replace(" & ", " + " if chance.random() < 0.3 else " and ")
    form = firm.form
    if chance.random() < 0.2:
        form = chance.choice((form.replace(".", ""), form.upper(), form.lower(), form.split(" (")[0]))
    name = f"{brand} {form}" if formal or chance.random() < 0.55 else brand
    kind = chance.random()
    if kind < 0.06:
        return name.upper()
    return (plain(name) if kind < 0.13 else bare(name)) if kind < 0.16 else name
