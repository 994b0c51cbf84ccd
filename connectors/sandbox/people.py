"""In: a seed, a head count and the organizations. Out: invented people with names, addresses, phones and households."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from connectors.sandbox import noise
from connectors.sandbox.names import FAMILY, GIVEN, folded
from connectors.sandbox.organizations import CURRENCY, Organization

COUNTRIES = ("DE",) * 10 + ("GB",) * 3 + ("US",) * 2 + ("FR",) * 2 + ("NL", "AT", "CH", "JP", "KW")
LANGUAGE = {"DE": "de", "AT": "de", "CH": "de", "FR": "fr", "NL": "nl", "JP": "ja"}
FREEMAIL = ("mail.example", "post.example", "inbox.example", "webmail.example")


@dataclass(frozen=True)
class Person:
    """One invented human. `emails[0]` is the address they use most; `inbox` the shared one they also write from."""

    index: int
    id: str
    given: str
    family: str
    born: str | None
    birth_date: str
    country: str
    language: str
    currency: str
    emails: tuple[str, ...]
    phone: str | None
    inbox: str | None
    email_shared: bool
    namesake: bool
    organization: Organization | None


class Population:
    """Deals people one household at a time and keeps addresses and phone numbers from being given out twice."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._locals: Counter[str] = Counter()
        self._phones: Counter[str] = Counter()
        self.people: list[Person] = []

    def settle(self, count: int, organizations: list[Organization]) -> list[Person]:
        """Exactly `count` people: the contacts of the organizations first, then private households."""
        for organization in organizations:
            self._phones[organization.country] += 1
        for organization in organizations:
            for _ in range(organization.size):
                self._contact(organization)
        while len(self.people) < count:
            self._household(count - len(self.people))
        return self.people

    def _household(self, room: int) -> None:
        head = self._private(self._rng.choice(COUNTRIES))
        roll = self._rng.random()
        if room >= 2 and roll < noise.FAMILY_SHARE:
            self._family(head, min(room, self._rng.randint(2, 3)))
        elif room >= 2 and roll < noise.FAMILY_SHARE + noise.NAMESAKE_SHARE:
            self._namesakes(head)
        else:
            self.people.append(head)

    def _family(self, head: Person, size: int) -> None:
        one_inbox = self._rng.random() < noise.FAMILY_EMAIL_SHARE
        phone = head.phone or self._phone(head.country)
        taken: set[str] = set()
        for place in range(size):
            member = head if place == 0 else self._private(head.country)
            given = self._rng.choice([name for name in GIVEN[head.country] if name not in taken])
            taken.add(given)
            member = replace(
                member,
                given=given,
                family=head.family,
                phone=phone,
                born=None,
                email_shared=one_inbox,
                index=len(self.people),
                id=_person_id(len(self.people)),
            )
            emails = head.emails[:1] if one_inbox else self._emails(given, head.family)
            self.people.append(replace(member, emails=emails))

    def _namesakes(self, parent: Person) -> None:
        phone = parent.phone or self._phone(parent.country)
        born = date(1945, 1, 1) + timedelta(days=self._rng.randint(0, 20 * 365))
        child_born = born + timedelta(days=self._rng.randint(22 * 365, 32 * 365))
        parent = replace(parent, phone=phone, namesake=True, born=None, birth_date=born.isoformat())
        self.people.append(parent)
        self.people.append(
            replace(
                parent,
                index=len(self.people),
                id=_person_id(len(self.people)),
                birth_date=child_born.isoformat(),
                emails=self._emails(parent.given, parent.family),
            )
        )

    def _private(self, country: str) -> Person:
        given, family = self._rng.choice(GIVEN[country]), self._rng.choice(FAMILY[country])
        married = self._rng.random() < noise.MARRIED_SHARE
        return Person(
            index=len(self.people),
            id=_person_id(len(self.people)),
            given=given,
            family=family,
            born=self._rng.choice(FAMILY[country]) if married else None,
            birth_date=(date(1950, 1, 1) + timedelta(days=self._rng.randint(0, 55 * 365))).isoformat(),
            country=country,
            language=LANGUAGE.get(country, "en"),
            currency=CURRENCY.get(country, "EUR"),
            emails=self._emails(given, family),
            phone=None if self._rng.random() < noise.MISSING_PHONE_SHARE else self._phone(country),
            inbox=None,
            email_shared=False,
            namesake=False,
            organization=None,
        )

    def _contact(self, organization: Organization) -> None:
        person = self._private(organization.country)
        work = self._address(f"{_ascii(person.given)}.{_ascii(person.family)}", organization.domain)
        second = person.emails[:1] if self._rng.random() < noise.SECOND_EMAIL_SHARE else ()
        inbox = f"info@{organization.domain}" if self._rng.random() < noise.INFO_INBOX_SHARE else None
        self.people.append(replace(person, emails=(work, *second), inbox=inbox, organization=organization))

    def _emails(self, given: str, family: str) -> tuple[str, ...]:
        first, last = _ascii(given), _ascii(family)
        forms = (f"{first}.{last}", f"{first}{last}", f"{first}_{last}", f"{first[0]}.{last}", f"{last}.{first}")
        emails = [self._address(self._rng.choice(forms), self._rng.choice(FREEMAIL))]
        if self._rng.random() < noise.SECOND_EMAIL_SHARE:
            emails.append(self._address(self._rng.choice(forms), self._rng.choice(FREEMAIL)))
        return tuple(emails)

    def _address(self, local: str, domain: str) -> str:
        self._locals[f"{local}@{domain}"] += 1
        turn = self._locals[f"{local}@{domain}"]
        return f"{local}@{domain}" if turn == 1 else f"{local}.{turn:02d}@{domain}"

    def _phone(self, country: str) -> str:
        self._phones[country] += 1
        return noise.phone_number(country, self._phones[country] - 1)


def _person_id(index: int) -> str:
    return f"person-{index + 1:06d}"


def _ascii(name: str) -> str:
    return "".join(letter for letter in folded(name).lower() if letter.isascii() and letter.isalpha()) or "x"
