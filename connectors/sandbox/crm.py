"""In: the stories. Out: contacts, companies and deals in the shape of HubSpot's CRM objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from connectors.sandbox import noise, plots
from connectors.sandbox.catalogue import PLANS, decimal, price
from connectors.sandbox.clerk import Clerk
from connectors.sandbox.money import Account
from connectors.sandbox.names import CITIES, STREETS
from connectors.sandbox.people import Person
from connectors.sandbox.story import OrganizationStory, PersonStory
from connectors.sandbox.truth import ProfileRef
from connectors.sandbox.window import DAY, LAST_EVENT, millis

STREAMS = ("contacts", "companies", "deals")
FIRST_CONTACT, FIRST_COMPANY, FIRST_DEAL = 101, 9_000_001, 50_000_001
_SOURCES = ("ORGANIC_SEARCH", "PAID_SEARCH", "REFERRALS", "DIRECT_TRAFFIC", "EMAIL_MARKETING", "OFFLINE")
_JOBS = ("Office manager", "Head of operations", "Buyer", "Managing director", "IT lead", "Accountant", None)


@dataclass
class CrmBooks:
    """Records by stream, and the ids under which people (by index) and organizations (by index) are known."""

    streams: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in STREAMS})
    contact_ids: dict[int, str] = field(default_factory=dict)
    company_ids: dict[int, str] = field(default_factory=dict)
    first_contacts: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, list[ProfileRef]] = field(default_factory=dict)


def write_crm(seed: int, people: Sequence[PersonStory], organizations: Sequence[OrganizationStory]) -> CrmBooks:
    """Every organization is a company; people whose part names the CRM are contacts; what was bought is a deal."""
    rng = Random(seed * 31 + 1)
    clerk = Clerk(rng, unique_emails=True)
    books = CrmBooks()
    for told in organizations:
        _company(books, told)
    for story in people:
        if "hubspot" in story.part.systems:
            _contact(books, rng, clerk, story)
    for told in organizations:
        _organization_deal(books, rng, told)
    return books


def _object(key: int, properties: dict[str, str | None], created: int, updated: int) -> dict[str, Any]:
    stamps = {"createdate": millis(created), "hs_object_id": str(key)}
    return {
        "id": str(key),
        "properties": {**properties, **stamps},
        "createdAt": millis(created),
        "updatedAt": millis(updated),
        "archived": False,
    }


def _company(books: CrmBooks, told: OrganizationStory) -> None:
    organization = told.organization
    key = FIRST_COMPANY + organization.index
    books.company_ids[organization.index] = str(key)
    books.profiles[organization.id] = [ProfileRef("hubspot", "companies", str(key))]
    parent = books.company_ids[organization.parent] if organization.parent is not None else None
    books.streams["companies"].append(
        _object(
            key,
            {
                "name": organization.name,
                "domain": organization.domain,
                "phone": noise.phone_number(organization.country, organization.phone_serial),
                "country": organization.country,
                "city": CITIES[organization.country],
                "industry": organization.name.split(" ")[1].upper(),
                "numberofemployees": str(organization.size * 7),
                "lifecyclestage": "customer" if organization.billed else "opportunity",
                "hs_parent_company_id": parent,
                "hs_lastmodifieddate": millis(told.last),
            },
            told.began,
            told.last,
        )
    )


def _contact(books: CrmBooks, rng: Random, clerk: Clerk, story: PersonStory) -> None:
    person, held = story.person, clerk.write(story.person)
    key = FIRST_CONTACT + len(books.streams["contacts"])
    books.contact_ids[person.index] = str(key)
    books.profiles[person.id] = [ProfileRef("hubspot", "contacts", str(key))]
    born = person.namesake or rng.random() < noise.BIRTH_DATE_SHARE
    record = _object(
        key,
        {
            "email": held.email,
            "firstname": held.given,
            "lastname": held.family,
            "phone": held.phone,
            "mobilephone": person.phone if person.phone and rng.random() < 0.15 else None,
            "hs_additional_emails": _additional_emails(rng, clerk, person, held.email),
            "date_of_birth": person.birth_date if born else None,
            "country": person.country,
            "city": CITIES[person.country] if rng.random() < 0.7 else None,
            "address": f"{STREETS[person.country]} {rng.randint(1, 180)}" if rng.random() < 0.6 else None,
            "zip": f"{rng.randint(10000, 99999)}",
            "hs_language": person.language,
            "jobtitle": rng.choice(_JOBS) if person.organization is not None else None,
            "lifecyclestage": _stage(story),
            "hs_analytics_source": rng.choice(_SOURCES),
            "hs_email_optout": "true" if rng.random() < 0.08 else None,
            "lastmodifieddate": millis(story.last),
        },
        story.began,
        story.last,
    )
    if person.organization is not None:
        company = books.company_ids[person.organization.index]
        books.first_contacts.setdefault(company, str(key))
        record["associations"] = {"companies": {"results": [{"id": company, "type": "contact_to_company"}]}}
    books.streams["contacts"].append(record)
    _personal_deal(books, rng, story, str(key))


def _additional_emails(rng: Random, clerk: Clerk, person: Person, held: str | None) -> str | None:
    if held is None or len(person.emails) < 2 or rng.random() >= noise.SECOND_EMAIL_KNOWN:
        return None
    rest = [email for email in person.emails if email != held.lower()]
    return ";".join(email for email in rest[:1] if clerk.another(email)) or None


def _stage(story: PersonStory) -> str:
    if plots.ENDED in story.part.plots:
        return "other"
    if story.account.bills or story.person.organization is not None:
        return "customer"
    return "lead"


def _personal_deal(books: CrmBooks, rng: Random, story: PersonStory, contact: str) -> None:
    person = story.person
    worth = _worth(story.account, person.currency)
    if worth is None and rng.random() < 0.4:  # a lead: talks are open, or came to nothing
        stage = rng.choice(("appointmentscheduled", "qualifiedtobuy", "closedlost"))
        worth = price(PLANS["Plus"] * 12, person.currency)
    elif worth is not None and rng.random() < 0.5:
        stage = "closedwon"
    else:
        return
    name = f"{person.given} {person.family}"
    _deal(books, name, worth, person.currency, stage, story.began, {"contacts": [(contact, "deal_to_contact")]})


def _organization_deal(books: CrmBooks, rng: Random, told: OrganizationStory) -> None:
    organization = told.organization
    worth = _worth(told.account, organization.currency)
    stage = "closedwon" if worth is not None else rng.choice(("qualifiedtobuy", "contractsent", "closedlost"))
    company = books.company_ids[organization.index]
    links = {"companies": [(company, "deal_to_company")]}
    if company in books.first_contacts:
        links["contacts"] = [(books.first_contacts[company], "deal_to_contact")]
    worth = worth if worth is not None else price(PLANS["Pro"] * 12, organization.currency)
    _deal(books, organization.name, worth, organization.currency, stage, told.began, links)


def _worth(account: Account, currency: str) -> int | None:
    if account.agreement is not None:
        return price(PLANS[account.agreement.plan] * 12, currency) * account.agreement.seats
    return account.bills[0].net if account.bills else None


def _deal(
    books: CrmBooks,
    name: str,
    worth: int,
    currency: str,
    stage: str,
    began: int,
    links: dict[str, list[tuple[str, str]]],
) -> None:
    key = FIRST_DEAL + len(books.streams["deals"])
    closed = stage.startswith("closed")
    modified = min(LAST_EVENT, began + 5 * DAY) if not closed else began
    record = _object(
        key,
        {
            "dealname": f"{name} – new business",
            "amount": decimal(worth, currency),
            "deal_currency_code": currency,
            "dealstage": stage,
            "pipeline": "default",
            "closedate": millis(began if closed else LAST_EVENT + 20 * DAY),
            "hs_lastmodifieddate": millis(modified),
        },
        began,
        modified,
    )
    record["associations"] = {
        kind: {"results": [{"id": other, "type": type_} for other, type_ in pairs]} for kind, pairs in links.items()
    }
    books.streams["deals"].append(record)
