"""In: a person. Out: what one system holds of them: a name, an e-mail and a phone as they were once typed in."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from connectors.sandbox import noise
from connectors.sandbox.people import Person


@dataclass(frozen=True)
class Held:
    """One system's view of a person; what it does not know is None."""

    given: str | None
    family: str | None
    email: str | None
    phone: str | None

    @property
    def full_name(self) -> str | None:
        """Given and family name in one field, as far as known."""
        return " ".join(part for part in (self.given, self.family) if part) or None


class Clerk:
    """Keeps one system's address book; a system with `unique_emails` refuses a second record for an address."""

    def __init__(self, rng: Random, *, unique_emails: bool) -> None:
        self._rng, self._unique = rng, unique_emails
        self._taken: set[str] = set()

    def write(self, person: Person) -> Held:
        """A new record of the person, noise included; it always holds an e-mail or a phone that is real."""
        rng = self._rng
        phone = self._phone(person)
        reachable = person.phone is not None and phone is not None and phone not in noise.JUNK_PHONES
        email = self._email(person, may_lack=reachable)
        if email is None and not reachable:
            phone = person.phone  # the shared address is taken here: people then leave their number
        given: str | None = noise.given_as_written(rng, person.given)
        roll = rng.random()
        if roll < noise.JUNK_NAME_SHARE:
            given = rng.choice(noise.JUNK_NAMES)
        elif roll < noise.JUNK_NAME_SHARE + noise.MISSING_NAME_SHARE:
            given = None
        return Held(given, noise.family_as_written(rng, person.family, person.born), email, phone)

    def another(self, email: str) -> str | None:
        """The address as an additional one of the same record, unless a record holds it already."""
        return email if self._free(email) else None

    def _phone(self, person: Person) -> str | None:
        roll = self._rng.random()
        if roll < noise.JUNK_PHONE_SHARE:
            return self._rng.choice(noise.JUNK_PHONES)
        if person.phone is None or roll < noise.JUNK_PHONE_SHARE + noise.MISSING_PHONE_SHARE:
            return None
        return noise.phone_as_written(self._rng, person.phone, person.country)

    def _email(self, person: Person, *, may_lack: bool) -> str | None:
        rng = self._rng
        roll = rng.random()
        if may_lack and roll < noise.MISSING_EMAIL_SHARE:
            return None
        if may_lack and not self._unique and roll < noise.MISSING_EMAIL_SHARE + noise.JUNK_EMAIL_SHARE:
            return rng.choice(noise.JUNK_EMAILS)
        chosen = person.emails[0]
        if len(person.emails) > 1 and rng.random() < noise.SECOND_EMAIL_USE:
            chosen = person.emails[1]
        if person.inbox is not None and rng.random() < 0.5 and self._free(person.inbox):
            return person.inbox
        written = noise.email_as_written(rng, chosen)
        return written if self._free(written) else None

    def _free(self, email: str) -> bool:
        if not self._unique:
            return True
        free = email.lower() not in self._taken
        self._taken.add(email.lower())
        return free
