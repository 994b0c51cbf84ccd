"""A messy estate: six sources of one company that know the same people. In: how many profiles, a seed. Out: records.

Each source has habits: which fields it asks for, who types them, how carefully. Nothing here looks at the rules that
are measured with it, and they were written without looking at this.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

from tests.bench.identity.contacts import Home, Job
from tests.bench.identity.people import Person, Population
from tests.bench.identity.record import Record
from tests.bench.identity.slips import bare, plain, slipped, wrong_date, wrong_number

_JUNK_EMAILS = (
    "test@test.com",
    "noemail@noemail.com",
    "none@none.com",
    "keine@email.de",
    "no@mail.com",
    "a@a.com",
    "unknown@unknown.com",
)
_JUNK_PHONES = ("+490000000000", "+49123456789", "+10000000000", "+4411111111111", "+499999999999", "+12345678900")
_JUNK_BIRTHS = ("1900-01-01", "1900-01-01", "1970-01-01", "2000-01-01", "1111-11-11")
_JUNK_NAMES = (
    ("Test", "Test"),
    ("Max", "Mustermann"),
    ("", "n/a"),
    ("Unknown", "Unknown"),
    ("asdf", "asdf"),
    ("John", "Doe"),
    ("-", "-"),
)
_DOMAIN_SLIPS = {
    "gmail.com": ("gmial.com", "gmail.co", "gamil.com", "gmail.con"),
    "hotmail.com": ("hotmial.com", "hotmail.con"),
}


@dataclass(frozen=True, slots=True)
class Habits:
    """Of a source: the share of its records that have a field, and the share of fields that come with an error."""

    part: float  # share of people it knows
    again: float  # share of those it has twice
    name: float
    birth: float
    email: float
    phone: float
    address: float
    device: float
    slips: float
    nicknames: float
    shouting: float  # in capitals, or all small
    junk: float  # values put in so that a form goes on
    work: float  # a person with a job is known by it


SOURCES = {
    "crm": Habits(0.55, 0.08, 0.98, 0.35, 0.86, 0.7, 0.6, 0, 0.035, 0.05, 0.03, 0.02, 0.7),
    "billing": Habits(0.5, 0.06, 0.99, 0.08, 0.8, 0.3, 0.93, 0, 0.02, 0.015, 0.12, 0.008, 0.5),
    "support": Habits(0.3, 0.12, 0.75, 0, 0.96, 0.2, 0.02, 0, 0.015, 0.1, 0.06, 0.004, 0.4),
    "newsletter": Habits(0.3, 0.1, 0.35, 0.04, 1, 0, 0, 0.05, 0.02, 0.08, 0.08, 0.002, 0.1),
    "web": Habits(0.35, 0.5, 0.02, 0, 0.42, 0.01, 0, 1, 0.005, 0.05, 0.02, 0.002, 0.1),
    "shop": Habits(0.3, 0, 0.98, 0.05, 0.98, 0.6, 0.97, 0.4, 0.03, 0.06, 0.12, 0.006, 0.05),
}
_CARRY = {"billing": 0.35, "support": 0.25, "web": 0.12, "newsletter": 0.05}  # share that carries the id of the CRM


def estate(profiles: int, seed: int = 5) -> list[Record]:
    """Exactly so many records, the same for the same numbers, in no order."""
    chance = Random(seed)
    writer = _Writer(chance)
    records: list[Record] = []
    while len(records) < profiles:
        for person in writer.population.household():
            records.extend(writer.records(person))
        if chance.random() < 0.004:
            records.append(writer.nonsense())
    del records[profiles:]
    chance.shuffle(records)
    return records


class _Writer:
    """What the sources write down of people. Keeps the keys that each source counts by, all from 1."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.population = Population(chance)
        self._keys = {source: count(1) for source in SOURCES}

    def records(self, person: Person) -> Iterator[Record]:
        """All records of a person; everybody is known to one source at least."""
        chance = self._chance
        crm = ""
        known = [source for source in SOURCES if chance.random() < SOURCES[source].part] or ["crm"]
        for source in known:
            for turn in range(self._times(source, person)):
                record = self._record(person, source, crm, turn)
                crm = record.key if source == "crm" else crm
                yield record

    def nonsense(self) -> Record:
        """A record of nobody, as somebody makes it who tries a form."""
        chance = self._chance
        given, family = chance.choice(_JUNK_NAMES)
        source = chance.choice(("crm", "shop", "support"))
        key = str(next(self._keys[source]))
        emails = (chance.choice(_JUNK_EMAILS),) if chance.random() < 0.8 else ()
        phones = (chance.choice(_JUNK_PHONES),) if chance.random() < 0.4 else ()
        return Record(source, key, f"nobody {source} {key}", given, family, emails=emails, phones=phones)

    def _times(self, source: str, person: Person) -> int:
        """Guests order often: most of them once, few of them up to sixty times. Elsewhere double records are rare, but
        for visitors of the web, who are another one on each of their devices.
        """
        chance = self._chance
        if source == "shop":
            return min(60, int(chance.paretovariate(1.5)))
        times = 1 + (chance.random() < SOURCES[source].again)
        return min(times, len(person.devices)) if source == "web" else times

    def _record(self, person: Person, source: str, crm: str, turn: int) -> Record:
        chance, habits = self._chance, SOURCES[source]
        old = chance.random() < 0.35  # written before the person moved, married, changed the provider
        job = chance.choice(person.jobs) if person.jobs and chance.random() < habits.work else None
        given, family, display = self._name(person, habits, source, old)
        home = job.company.home if job and chance.random() < 0.7 else person.homes[0 if old else -1]
        street, postcode, city = self._address(home, habits)
        country = person.country.name.upper() if chance.random() < 0.85 else ""
        carried = (("crm", crm),) if crm and chance.random() < _CARRY.get(source, 0) else ()
        return Record(
            source, str(next(self._keys[source])), person.number, given, family, display,
            self._birth(person, habits), country, street, postcode, city,
            emails=self._emails(person, habits, source, job, old), phones=self._phones(person, habits, job, old),
            devices=self._devices(person, habits, source, turn), ids=carried,
        )  # fmt: skip

    # names ----------------------------------------------------------------------------------------------------------
    def _name(self, person: Person, habits: Habits, source: str, old: bool) -> tuple[str, str, str]:
        chance = self._chance
        if chance.random() > habits.name:
            return "", "", ""
        given, family = self._given(person, habits), self._family(person, old)
        if chance.random() < habits.slips:
            if chance.random() < 0.45:
                given = slipped(given, chance)
            else:
                family = slipped(family, chance)
        given, family = self._written(given, habits), self._written(family, habits)
        if source == "support" and chance.random() < 0.8:
            return "", "", self._display(given, family)
        if source == "newsletter" and chance.random() < 0.4:
            return given, "", ""
        if chance.random() < 0.012:
            return family, given, ""
        return given, family, ""

    def _given(self, person: Person, habits: Habits) -> str:
        chance = self._chance
        if person.calls and chance.random() < habits.nicknames * 2:
            return chance.choice(person.calls)
        given = person.given
        if chance.random() < 0.015:
            return given[0] + chance.choice((".", ""))
        if person.second and chance.random() < 0.2:
            given = f"{given} {person.second}" if chance.random() < 0.5 else f"{given} {person.second[0]}."
        return person.title + given if person.title and chance.random() < 0.5 else given

    def _family(self, person: Person, old: bool) -> str:
        family = person.former if old and person.former else person.family
        if ("-" in family or " " in family) and self._chance.random() < 0.2:
            parts = family.replace("-", " ").split(" ")
            return parts[-1] if parts[0].islower() else self._chance.choice((parts[0], family.replace("-", " ")))
        return family

    def _written(self, text: str, habits: Habits) -> str:
        kind = self._chance.random()
        if not text.isascii() and kind < 0.3:
            text = plain(text) if kind < 0.2 else bare(text)
        if kind > 1 - habits.shouting:
            return text.upper() if kind > 1 - habits.shouting / 2 else text.lower()
        return text

    def _display(self, given: str, family: str) -> str:
        kind = self._chance.random()
        if kind < 0.75:
            return f"{given} {family}"
        if kind < 0.85:
            return f"{family}, {given}"
        if kind < 0.93:
            return f"{given[:1]}. {family}"
        return given if kind < 0.97 else f"{family.upper()} {given}"

    # the rest -------------------------------------------------------------------------------------------------------
    def _birth(self, person: Person, habits: Habits) -> str:
        chance = self._chance
        if chance.random() > habits.birth:
            return ""
        if chance.random() < 0.015:
            return chance.choice(_JUNK_BIRTHS)
        return wrong_date(person.birth, chance) if chance.random() < 0.025 else person.birth

    def _address(self, home: Home, habits: Habits) -> tuple[str, str, str]:
        chance = self._chance
        if chance.random() > habits.address:
            return "", "", ""
        street, postcode, city = home
        if "str." in street and chance.random() < 0.5:
            street = street.replace("str.", chance.choice(("straße", "strasse", "str")))
        elif chance.random() < 0.3:
            for long, short in (
                ("Road", "Rd"),
                ("Street", "St"),
                ("Ave", "Avenue"),
                ("avenue", "av."),
                ("Calle", "C/"),
            ):
                street = street.replace(long, short)
        if chance.random() < habits.slips:
            street = slipped(street, chance)
        if chance.random() < habits.slips / 2:
            city = slipped(city, chance)
        if chance.random() < 0.008:
            postcode = wrong_number(postcode, chance) if postcode.isdigit() else ""
        return self._written(street, habits), postcode, self._written(city, habits)

    def _emails(self, person: Person, habits: Habits, source: str, job: Job | None, old: bool) -> tuple[str, ...]:
        chance = self._chance
        if chance.random() > habits.email:
            return ()
        if chance.random() < habits.junk:
            return (chance.choice(_JUNK_EMAILS),)
        if job:
            inbox = (source == "billing" and chance.random() < 0.3) or chance.random() < 0.04
            return (chance.choice(job.company.inboxes) if inbox else job.email,)
        if person.shared_email and chance.random() < 0.35:
            return (person.shared_email,)
        address = person.emails[0 if old else -1] if chance.random() < 0.88 else chance.choice(person.emails)
        typed = source in ("crm", "shop", "newsletter", "billing")
        if typed and chance.random() < 0.012:
            return (self._wrong_email(address),)
        if chance.random() < 0.03 and len(person.emails) > 1:
            return (address, chance.choice([other for other in person.emails if other != address]))
        return (self._tagged(address, source),)

    def _wrong_email(self, address: str) -> str:
        local, _, domain = address.partition("@")
        if domain in _DOMAIN_SLIPS and self._chance.random() < 0.5:
            return f"{local}@{self._chance.choice(_DOMAIN_SLIPS[domain])}"
        return f"{slipped(local, self._chance).strip('.').lower()}@{domain}"

    def _tagged(self, address: str, source: str) -> str:
        """As people who sort their mail write it: with a tag, or with dots that their provider does not see."""
        local, _, domain = address.partition("@")
        if domain not in ("gmail.com", "googlemail.com", "outlook.com", "icloud.com"):
            return address
        if self._chance.random() < 0.03:
            return f"{local}+{source}@{domain}"
        if domain in ("gmail.com", "googlemail.com") and self._chance.random() < 0.08:
            dotted = local.replace(".", "") if "." in local else f"{local[:3]}.{local[3:]}"
            return f"{dotted}@{domain}"
        return address

    def _phones(self, person: Person, habits: Habits, job: Job | None, old: bool) -> tuple[str, ...]:
        chance = self._chance
        if chance.random() > habits.phone:
            return ()
        if chance.random() < habits.junk:
            return (chance.choice(_JUNK_PHONES),)
        if job and chance.random() < 0.7:
            return (job.phone,)
        own = person.phones[0 if old else -1]
        if chance.random() < 0.01:
            own = "+" + wrong_number(own[1:], chance)
        if person.landline and chance.random() < 0.35:
            return (person.landline,) if chance.random() < 0.7 else (own, person.landline)
        return (own,)

    def _devices(self, person: Person, habits: Habits, source: str, turn: int) -> tuple[str, ...]:
        chance = self._chance
        if source == "web":
            return (person.devices[turn],)
        if chance.random() > habits.device:
            return ()
        if person.tablet and chance.random() < 0.3:
            return (person.tablet,)
        return (chance.choice(person.devices),)
