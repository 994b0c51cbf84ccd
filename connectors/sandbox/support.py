"""In: the stories. Out: users, organizations, tickets with comments and satisfaction ratings in Zendesk's shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from connectors.sandbox import noise
from connectors.sandbox.cases import Case, Comment
from connectors.sandbox.clerk import Clerk
from connectors.sandbox.crm import CrmBooks
from connectors.sandbox.names import AGENTS
from connectors.sandbox.story import OrganizationStory, PersonStory
from connectors.sandbox.truth import ProfileRef
from connectors.sandbox.window import FIRST, seconds

FIRST_USER, FIRST_AGENT, FIRST_ORGANIZATION, FIRST_TICKET = 1_000_001, 500_001, 300_001, 1
EMAIL_AS_NAME_SHARE = 0.04
STREAMS = ("users", "organizations", "tickets", "satisfaction_ratings")
_LOCALES = {"de": "de", "fr": "fr", "nl": "nl", "ja": "ja", "en": "en-US"}

Record = dict[str, Any]


@dataclass
class SupportBooks:
    """Records by stream and the users that are profiles of people."""

    streams: dict[str, list[Record]] = field(default_factory=lambda: {name: [] for name in STREAMS})
    profiles: dict[str, list[ProfileRef]] = field(default_factory=dict)


def write_support(
    seed: int, people: Sequence[PersonStory], organizations: Sequence[OrganizationStory], crm: CrmBooks
) -> SupportBooks:
    """Agents first, then organizations, then everybody who ever asked for help."""
    rng = Random(seed * 31 + 3)
    books, clerk = SupportBooks(), Clerk(rng, unique_emails=True)
    for place, name in enumerate(AGENTS):
        email = f"{name.lower().replace(' ', '.')}@hub-station.example"
        role = "admin" if place == 0 else "agent"
        agent = _user(FIRST_AGENT + place, name, email, None, "en", role, None, None, FIRST, FIRST)
        books.streams["users"].append(agent)
    for told in organizations:
        _organization(books, told, crm)
    for story in people:
        if "zendesk" in story.part.systems:
            _requester(books, rng, clerk, story, crm)
    return books


def _user(
    key: int,
    name: str,
    email: str | None,
    phone: str | None,
    language: str,
    role: str,
    external: str | None,
    organization: int | None,
    created: int,
    updated: int,
) -> Record:
    return {
        "id": key,
        "url": f"https://hub-station.example/api/v2/users/{key}.json",
        "name": name,
        "email": email,
        "phone": phone,
        "locale": _LOCALES[language],
        "role": role,
        "external_id": external,
        "organization_id": organization,
        "created_at": seconds(created),
        "updated_at": seconds(updated),
        "time_zone": "Berlin",
        "verified": email is not None,
        "active": True,
        "suspended": False,
        "tags": [],
        "notes": None,
        "details": None,
    }


def _organization(books: SupportBooks, told: OrganizationStory, crm: CrmBooks) -> None:
    organization = told.organization
    books.streams["organizations"].append(
        {
            "id": FIRST_ORGANIZATION + organization.index,
            "name": organization.name,
            "domain_names": [organization.domain],
            "external_id": crm.company_ids[organization.index],
            "created_at": seconds(told.began),
            "updated_at": seconds(told.began),
            "details": None,
            "notes": None,
            "tags": [],
        }
    )


def _requester(books: SupportBooks, rng: Random, clerk: Clerk, story: PersonStory, crm: CrmBooks) -> None:
    person, held = story.person, clerk.write(story.person)
    key = FIRST_USER + len(books.streams["users"]) - len(AGENTS)
    name = held.full_name or "unknown"
    if held.email is not None and rng.random() < EMAIL_AS_NAME_SHARE:
        name = held.email.partition("@")[0]
    known_as = crm.contact_ids.get(person.index)
    external = known_as if rng.random() < noise.EXTERNAL_ID_SHARE else None
    employer = FIRST_ORGANIZATION + person.organization.index if person.organization is not None else None
    created = story.cases[0].at if story.cases else story.began
    books.profiles[person.id] = [ProfileRef("zendesk", "users", str(key))]
    updated = story.cases[-1].at if story.cases else created
    user = _user(key, name, held.email, held.phone, person.language, "end-user", external, employer, created, updated)
    books.streams["users"].append(user)
    for case in story.cases:
        _ticket(books, case, key, employer)


def _ticket(books: SupportBooks, case: Case, requester: int, employer: int | None) -> None:
    key = FIRST_TICKET + len(books.streams["tickets"])
    assignee = FIRST_AGENT + case.agent
    # The vendor serves comments at /tickets/{id}/comments.json; here they come sideloaded within their ticket.
    comments = [
        _comment(key, place, comment, requester if comment.by_customer else assignee, case.channel)
        for place, comment in enumerate(case.comments)
    ]
    books.streams["tickets"].append(
        {
            "id": key,
            "url": f"https://hub-station.example/api/v2/tickets/{key}.json",
            "requester_id": requester,
            "submitter_id": requester,
            "assignee_id": assignee,
            "organization_id": employer,
            "subject": case.subject,
            "description": case.comments[0].text,
            "status": case.status,
            "priority": "high" if case.kind in ("complaint", "cancel") else "normal",
            "type": "task" if case.due_at is not None else "question",
            "via": {"channel": case.channel},
            "tags": [case.kind],
            "due_at": seconds(case.due_at) if case.due_at is not None else None,
            "external_id": None,
            "created_at": seconds(case.at),
            "updated_at": seconds(case.updated_at),
            "is_public": True,
            "comments": comments,
            "satisfaction_rating": {"score": case.rating.score if case.rating is not None else "unoffered"},
        }
    )
    if case.rating is not None:
        serial = 10_001 + len(books.streams["satisfaction_ratings"])
        books.streams["satisfaction_ratings"].append(
            {
                "id": serial,
                "url": f"https://hub-station.example/api/v2/satisfaction_ratings/{serial}.json",
                "ticket_id": key,
                "requester_id": requester,
                "assignee_id": assignee,
                "group_id": None,
                "score": case.rating.score,
                "comment": case.rating.comment,
                "reason": None,
                "created_at": seconds(case.rating.at),
                "updated_at": seconds(case.rating.at),
            }
        )


def _comment(ticket: int, place: int, comment: Comment, author: int, channel: str) -> Record:
    return {
        "id": ticket * 100 + place,
        "type": "Comment",
        "author_id": author,
        "body": comment.text,
        "public": comment.public,
        "created_at": seconds(comment.at),
        "via": {"channel": channel},
        "attachments": [],
    }
