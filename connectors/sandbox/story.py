"""In: people, organizations and a seed. Out: one story each, in which money, cases and visits fit together."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from connectors.sandbox import plots
from connectors.sandbox.cases import Case, open_cases
from connectors.sandbox.money import Account, Till
from connectors.sandbox.organizations import Organization
from connectors.sandbox.people import Person
from connectors.sandbox.visits import NEVER_LOGIN_SHARE, Visit, pay_visits
from connectors.sandbox.window import DAY, FIRST, HOUR, LAST_EVENT


@dataclass(frozen=True)
class PersonStory:
    """Everything that happened with one person; `began` is when we first knew them, `last` the last event."""

    person: Person
    part: plots.Part
    account: Account
    cases: tuple[Case, ...]
    visits: tuple[Visit, ...]
    began: int
    last: int


@dataclass(frozen=True)
class OrganizationStory:
    """What an organization bought and how that stands."""

    organization: Organization
    part: plots.Part
    account: Account
    began: int
    last: int


def tell_person(seed: int, person: Person) -> PersonStory:
    """The person's story; depends on the seed and the person alone."""
    rng = Random(seed * 1_000_003 + person.index)
    part = plots.deal_person(rng, person)
    account = Till(rng, person.country, person.currency, 1).account(part)
    began = _beginning(rng, account)
    silent = plots.SILENCE_AFTER_ORDER in part.plots
    quiet_from = account.bills[-1].at - HOUR if silent else LAST_EVENT - HOUR
    cases, visits = [], []
    if "zendesk" in part.systems:
        cases = open_cases(rng, part, account, person.language, began, quiet_from)
    if "matomo" in part.systems:
        must = plots.USE_DROPPING in part.plots or part.buys == "orders" or part.systems == {"matomo"}
        known = must or rng.random() >= NEVER_LOGIN_SHARE
        visits = pay_visits(rng, part, account, began, quiet_from, known)
    touched = [case.updated_at for case in cases] + [visit.until for visit in visits]
    last = max([began, *touched, *_money_instants(account)])
    return PersonStory(person, part, account, tuple(cases), tuple(visits), began, last)


def tell_organization(seed: int, organization: Organization) -> OrganizationStory:
    """The organization's story; depends on the seed and the organization alone."""
    rng = Random(seed * 1_000_033 + organization.index)
    part = plots.deal_organization(rng, organization)
    seats = organization.size * rng.randint(2, 5)
    account = Till(rng, organization.country, organization.currency, seats).account(part)
    began = _beginning(rng, account)
    return OrganizationStory(organization, part, account, began, max([began, *_money_instants(account)]))


def _beginning(rng: Random, account: Account) -> int:
    starts = [bill.at for bill in account.bills]
    if account.agreement is not None:
        starts.append(account.agreement.start)
    if starts:
        return max(FIRST + HOUR, min(starts) - rng.randint(HOUR, 2 * DAY))
    return rng.randint(FIRST + HOUR, LAST_EVENT - 30 * DAY)


def _money_instants(account: Account) -> list[int]:
    instants = [bill.at for bill in account.bills]
    instants += [attempt.at for bill in account.bills for attempt in bill.attempts]
    instants += [refund.at for bill in account.bills for refund in bill.refunds]
    if account.agreement is not None and account.agreement.cancelled_at is not None:
        instants.append(account.agreement.cancelled_at)
    return instants
