"""In: what the generator dealt. Out: who is who, what was earned, which stories were told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class ProfileRef(NamedTuple):
    """One source's record of a person or organization; `key` is its id as text."""

    system: str
    stream: str
    key: str


@dataclass(frozen=True)
class TruthPerson:
    """An invented person, all profiles that are theirs and the organizations they belong to."""

    id: str
    profiles: tuple[ProfileRef, ...]
    organization_ids: tuple[str, ...]


@dataclass(frozen=True)
class TruthOrganization:
    """An invented organization, its profiles and the organization that owns it, if any."""

    id: str
    profiles: tuple[ProfileRef, ...]
    parent_id: str | None


@dataclass(frozen=True)
class Truth:
    """The answer key, fixed when the company is generated: later changes by a test do not reach it.

    `money` is in minor units by (system, stream, ISO currency): `invoices` is revenue net of tax of invoices that are
    open, paid or uncollectible, `tax` the tax of the same, `refunds` gross refunds, `charges` payments that succeeded,
    `fees` the payment fees on them. `stories` is by id of a person or organization. `memberships` is (person id,
    organization id). `anonymous_visitors` are visitor ids that never log in.
    """

    persons: tuple[TruthPerson, ...]
    organizations: tuple[TruthOrganization, ...]
    memberships: tuple[tuple[str, str], ...]
    anonymous_visitors: tuple[str, ...]
    money: dict[tuple[str, str, str], int]
    stories: dict[str, tuple[str, ...]]

    def as_json(self) -> dict[str, Any]:
        """The same as plain JSON values: references become [system, stream, key], money a list of rows."""
        return {
            "persons": [
                {"id": p.id, "profiles": [list(r) for r in p.profiles], "organization_ids": list(p.organization_ids)}
                for p in self.persons
            ],
            "organizations": [
                {"id": o.id, "profiles": [list(r) for r in o.profiles], "parent_id": o.parent_id}
                for o in self.organizations
            ],
            "memberships": [list(pair) for pair in self.memberships],
            "anonymous_visitors": list(self.anonymous_visitors),
            "money": [
                {"system": system, "stream": stream, "currency": currency, "minor": minor}
                for (system, stream, currency), minor in sorted(self.money.items())
            ],
            "stories": {owner: list(plots) for owner, plots in self.stories.items()},
        }
