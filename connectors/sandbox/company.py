"""In: a head count and a seed. Out: the invented company: records of four systems, and the truth."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from connectors.sandbox.billing import BillingBooks, write_billing
from connectors.sandbox.crm import CrmBooks, write_crm
from connectors.sandbox.organizations import found_organizations
from connectors.sandbox.people import Population
from connectors.sandbox.story import OrganizationStory, PersonStory, tell_organization, tell_person
from connectors.sandbox.support import SupportBooks, write_support
from connectors.sandbox.truth import ProfileRef, Truth, TruthOrganization, TruthPerson
from connectors.sandbox.web import WebBooks, write_web
from connectors.sandbox.window import LAST_EVENT, day, millis, seconds

CONTACT_SHARE = 4  # one in four people is a contact of an organization
KEYS = {"hubspot": "id", "stripe": "id", "zendesk": "id", "matomo": "idVisit"}

Record = dict[str, Any]


class Company:
    """Records by system and stream in the vendors' shapes, and the truth about them.

    `change`, `add` and `remove` act as somebody at the vendor would; servers show the effect at once. The truth stays
    as generated. A record is replaced, never edited in place, so that a page being written is whole.
    """

    def __init__(self, records: dict[str, dict[str, list[Record]]], truth: Truth) -> None:
        self.records = records
        self.truth = truth
        self.changes: list[tuple[str, str, str]] = []
        self._clock = LAST_EVENT
        self._places: dict[tuple[str, str], dict[str, int]] = {}

    def get(self, system: str, stream: str, key: str | int) -> Record:
        """The record; KeyError names system, stream and key when there is none."""
        return self.records[system][stream][self._place(system, stream, str(key))]

    def change(self, system: str, stream: str, key: str | int, **fields: Any) -> Record:
        """Set fields (for the CRM: properties) and the vendor's own updated stamp, a second later at each call.

        Billing has no such stamp: there a change shows only to those who read the record again.
        """
        place = self._place(system, stream, str(key))
        self._clock += 1
        changed = _changed(system, stream, self.records[system][stream][place], fields, self._clock)
        self.records[system][stream][place] = changed
        self.changes.append((system, stream, str(key)))
        return changed

    def add(self, system: str, stream: str, record: Record) -> None:
        """One more record, in the vendor's shape; ValueError when its id is taken."""
        key = str(record[KEYS[system]])
        places = self._index(system, stream)
        if key in places:
            raise ValueError(f"{system} {stream} {key} exists already; use change()")
        places[key] = len(self.records[system][stream])
        self.records[system][stream].append(record)
        self.changes.append((system, stream, key))

    def remove(self, system: str, stream: str, key: str | int) -> None:
        """The record is gone, as if the vendor had deleted it for good."""
        place = self._place(system, stream, str(key))
        del self.records[system][stream][place]
        del self._places[system, stream]
        self.changes.append((system, stream, str(key)))

    def to_json(self) -> bytes:
        """The truth as JSON."""
        return msgspec.json.encode(self.truth.as_json())

    def write(self, path: Path) -> None:
        """The truth as a JSON file."""
        path.write_bytes(self.to_json())

    def _index(self, system: str, stream: str) -> dict[str, int]:
        if (system, stream) not in self._places:
            key = KEYS[system]
            listed = enumerate(self.records[system][stream])
            self._places[system, stream] = {str(record[key]): place for place, record in listed}
        return self._places[system, stream]

    def _place(self, system: str, stream: str, key: str) -> int:
        try:
            return self._index(system, stream)[key]
        except KeyError:
            raise KeyError(f"no record {key} in {system} {stream}") from None


def _changed(system: str, stream: str, record: Record, fields: dict[str, Any], at: int) -> Record:
    if system == "hubspot":
        stamp = "lastmodifieddate" if stream == "contacts" else "hs_lastmodifieddate"
        return {**record, "properties": {**record["properties"], **fields, stamp: millis(at)}, "updatedAt": millis(at)}
    if system == "zendesk":
        return {**record, **fields, "updated_at": seconds(at)}
    if system == "matomo":
        return {**record, **fields, "lastActionTimestamp": at, "serverTimestamp": at, "serverDate": day(at)}
    return {**record, **fields}


def generate(customers: int = 1000, seed: int = 7) -> Company:
    """The company with `customers` people; the same arguments give the same records and truth, byte for byte."""
    with _without_collector():
        return _generate(customers, seed)


@contextmanager
def _without_collector() -> Iterator[None]:
    # A million small dicts without a cycle among them: the collector would walk them again and again, for nothing.
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _generate(customers: int, seed: int) -> Company:
    founded = found_organizations(Random(seed * 31 + 5), customers // CONTACT_SHARE)
    people = [tell_person(seed, person) for person in Population(Random(seed * 31 + 6)).settle(customers, founded)]
    organizations = [tell_organization(seed, organization) for organization in founded]
    crm = write_crm(seed, people, organizations)
    billing = write_billing(seed, people, organizations, crm)
    support = write_support(seed, people, organizations, crm)
    web = write_web(seed, people, crm)
    records = {"hubspot": crm.streams, "stripe": billing.streams, "zendesk": support.streams, "matomo": web.streams}
    return Company(records, _truth(people, organizations, crm, billing, support, web))


def _truth(
    people: list[PersonStory],
    organizations: list[OrganizationStory],
    crm: CrmBooks,
    billing: BillingBooks,
    support: SupportBooks,
    web: WebBooks,
) -> Truth:
    def profiles(owner: str) -> tuple[ProfileRef, ...]:
        found = (books.profiles.get(owner, []) for books in (crm, billing, support, web))
        return tuple(reference for references in found for reference in references)

    ids = [told.organization.id for told in organizations]
    employed = [(story.person.id, story.person.organization.id) for story in people if story.person.organization]
    employers = dict(employed)
    parties = [(story.person.id, story.part) for story in people]
    parties += [(told.organization.id, told.part) for told in organizations]
    return Truth(
        persons=tuple(
            TruthPerson(owner, profiles(owner), (employers[owner],) if owner in employers else ())
            for owner in (story.person.id for story in people)
        ),
        organizations=tuple(
            TruthOrganization(
                told.organization.id,
                profiles(told.organization.id),
                ids[told.organization.parent] if told.organization.parent is not None else None,
            )
            for told in organizations
        ),
        memberships=tuple(employed),
        anonymous_visitors=tuple(web.anonymous),
        money=billing.money,
        stories={owner: part.plots for owner, part in parties},
    )
