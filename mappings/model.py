"""The vocabulary: every canonical entity, its fields and what each means.

In: nothing. Out: ENTITIES, from which the mapping compiler takes the row shapes and the store its mapped tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Letters of what is looked up by: an index of PostgreSQL holds 2,700 bytes, and what is longer is no name and no key.
KEY_LIMIT = 500
NAME_LIMIT = 300


class Type(StrEnum):
    """What a canonical field holds, the same on both databases."""

    TEXT = "text"
    CHOICE = "choice"  # text out of Field.options
    INSTANT = "instant"  # microseconds since 1970-01-01 UTC, bigint
    DATE = "date"  # ISO text, YYYY-MM-DD, for dates that have no zone (births)
    NUMBER = "number"  # bigint
    RATIO = "ratio"  # bigint, millionths: 0.25 is 250_000
    AMOUNT = "amount"  # bigint, thousandths of the currency's minor unit: a cent is 1_000
    CURRENCY = "currency"  # ISO 4217 code
    FLAG = "flag"  # boolean
    PROFILE = "profile"  # (stream, key) of a profile of the same source; stored as profile_no
    JSON = "json"  # canonical JSON text, keys sorted


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity.

    `required` means that a record without it is a dead letter. `literal` means that a bare word in a mapping file
    is the value itself and not a path (a choice's own options always are). `most` is how many letters it may have.
    """

    type: Type
    about: str
    required: bool = False
    options: tuple[str, ...] = ()
    literal: bool = False
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """A canonical entity. `party` entities say who somebody is, the others what happened and carry the customer."""

    name: str
    about: str
    fields: dict[str, Field]
    party: bool = False


def _text(about: str, required: bool = False) -> Field:
    return Field(Type.TEXT, about, required)


def _name(about: str) -> Field:
    return Field(Type.TEXT, about, most=NAME_LIMIT)


def _word(about: str, required: bool = False) -> Field:
    return Field(Type.TEXT, about, required, literal=True)


def _instant(about: str, required: bool = False) -> Field:
    return Field(Type.INSTANT, about, required)


def _choice(about: str, *options: str, required: bool = False) -> Field:
    return Field(Type.CHOICE, about, required, options)


def _profile(about: str) -> Field:
    return Field(Type.PROFILE, about, required=True)


KINDS = ("PERSON", "ORGANIZATION")
CONTACT_TYPES = ("EMAIL", "PHONE", "ADDRESS", "DEVICE", "SOCIAL")
CHANNELS = ("WEB", "EMAIL", "PHONE", "CHAT", "BILLING", "SALES", "SUPPORT", "STORE", "SOCIAL", "SURVEY", "OTHER")
LANES = ("CUSTOMER", "BRAND")
DIRECTIONS = ("INBOUND", "OUTBOUND")
FUNCTIONS = ("SALES", "MARKETING", "CHANNEL", "SERVICE", "OFFERING")
INTENTS = ("CANCEL", "SWITCH", "REFUND", "LEGAL", "COMPLAINT", "PRAISE")
STAGES = (
    "BRAND",
    "INITIATION",
    "CHOOSING",
    "BUYING",
    "ORDER_TO_DELIVERY",
    "FIRST_EXPERIENCE",
    "LIVING",
    "EXPANSION",
    "RENEWAL",
    "ADVOCACY",
    "ENDED",
    "WIN_BACK",
)
MONEY_KINDS = ("REVENUE", "TAX", "REFUND", "COGS", "FEE", "COST_TO_SERVE", "ACQUISITION")
BASES = ("ACTUAL", "ALLOCATED", "ESTIMATED")

_ENTITIES = (
    Entity(
        "profile",
        "A source's own view of one person or organization.",
        {
            "profile": _profile("The profile itself: this stream and the record's key."),
            "kind": _choice("Whether it is a person or an organization.", *KINDS, required=True),
            "given_name": _name("First name as the source has it."),
            "family_name": _name("Last name as the source has it."),
            "display_name": _name("The name to show; made of the parts where the source has none."),
            "birth_date": Field(Type.DATE, "Date of birth."),
            "language": _text("ISO 639-1 code, lower case."),
            "country": _text("ISO 3166-1 alpha-2 code, upper case."),
            "created_at": _instant("When the source first knew of it."),
            "updated_at": _instant("When the source last changed it: the time at which its values were observed."),
            "attributes": Field(Type.JSON, "Further attributes, name to value."),
        },
        party=True,
    ),
    Entity(
        "contact_point",
        "A way to reach a profile, normalised for comparison.",
        {
            "profile": _profile("Whose it is."),
            "type": _choice("What kind of contact point.", *CONTACT_TYPES, required=True),
            "value": _text("Normalised: folded e-mail, E.164 phone, folded address.", required=True),
            "raw": _text("As the source wrote it."),
        },
        party=True,
    ),
    Entity(
        "identifier",
        "The id by which another system knows the same profile.",
        {
            "profile": _profile("Whose it is."),
            "system": _word("The source (or outside register) that issued it.", required=True),
            "value": _text("The id there.", required=True),
        },
        party=True,
    ),
    Entity(
        "membership",
        "A person belongs to an organization.",
        {
            "profile": _profile("The person."),
            "organization": _profile("The organization."),
            "role": _text("What the person is there."),
            "since": _instant("From when."),
            "until": _instant("Until when."),
        },
        party=True,
    ),
    Entity(
        "interaction",
        "One touch on one channel, in the CloudEvents envelope (source, id, type, time).",
        {
            "profile": _profile("Who was touched."),
            "at": _instant("When it happened.", required=True),
            "type": _word("What happened, as object.event: invoice.issued, payment.failed.", required=True),
            "channel": _choice("On which channel.", *CHANNELS, required=True),
            "lane": _choice("Who acted.", *LANES, required=True),
            "direction": _choice("Towards the brand (INBOUND) or from it (OUTBOUND).", *DIRECTIONS),
            "function": _choice("Which function of the company.", *FUNCTIONS),
            "stage": _choice("The stage, where the source knows better than rules/journey.yml.", *STAGES),
            "duration_s": Field(Type.NUMBER, "How long it took, in seconds."),
            "summary": _text("One line for a reader."),
            "text": _text("What was said or written."),
            "language": _text("Language of the text, ISO 639-1."),
            "intent": _choice("What the customer wants, by the lexicon in rules/risk.yml.", *INTENTS),
            "sentiment": Field(Type.RATIO, "From -1 to 1 where the customer said so; null where nobody knows."),
            "solicited": Field(Type.FLAG, "Whether the brand asked for it."),
            "object_type": _word("What it is about: case, order, invoice, agreement, deal, campaign, page."),
            "object_key": _text("The key of that object at the source."),
        },
    ),
    Entity(
        "case",
        "A request or complaint that the brand has to answer.",
        {
            "profile": _profile("Who asked."),
            "status": _choice("Where it stands.", "OPEN", "PENDING", "CLOSED", required=True),
            "opened_at": _instant("When it was opened.", required=True),
            "closed_at": _instant("When it was closed."),
            "priority": _text("As the source ranks it."),
            "channel": _choice("How it came in.", *CHANNELS),
            "subject": _text("Its title."),
        },
    ),
    Entity(
        "order",
        "A purchase, or one that is being negotiated.",
        {
            "profile": _profile("Who buys."),
            "number": _text("The number that people use."),
            "status": _choice("Where it stands.", "OPEN", "WON", "LOST", "DELIVERED", "CANCELLED", required=True),
            "placed_at": _instant("When it was placed.", required=True),
            "decided_at": _instant("When it was won or lost."),
            "amount": Field(Type.AMOUNT, "Its value; not revenue, the books say that."),
            "currency": Field(Type.CURRENCY, "Of the amount."),
        },
    ),
    Entity(
        "agreement",
        "A subscription or contract.",
        {
            "profile": _profile("With whom."),
            "status": _choice("Where it stands.", "TRIAL", "ACTIVE", "PAST_DUE", "PAUSED", "ENDED", required=True),
            "starts_at": _instant("First day.", required=True),
            "ends_at": _instant("Last day, where it is known to end or has ended."),
            "renews_at": _instant("Next renewal."),
            "recurring_amount": Field(Type.AMOUNT, "What one period costs."),
            "currency": Field(Type.CURRENCY, "Of the recurring amount."),
            "period_months": Field(Type.NUMBER, "Length of a period in months."),
        },
    ),
    Entity(
        "invoice",
        "A bill: when it was due and whether it is paid. Its revenue stands in money entries.",
        {
            "profile": _profile("Who owes it."),
            "number": _text("The number that people use."),
            "status": _choice("Where it stands.", "OPEN", "PAID", "WRITTEN_OFF", "VOID", required=True),
            "issued_at": _instant("When it was issued.", required=True),
            "due_at": _instant("When it is due."),
            "paid_at": _instant("When it was paid."),
            "amount": Field(Type.AMOUNT, "What it asks for, tax included."),
            "amount_open": Field(Type.AMOUNT, "What is still owed."),
            "currency": Field(Type.CURRENCY, "Of both amounts."),
        },
    ),
    Entity(
        "promise",
        "Something that the brand said it would do by a day.",
        {
            "profile": _profile("To whom."),
            "made_at": _instant("When it was made.", required=True),
            "due_at": _instant("By when.", required=True),
            "kept_at": _instant("When it was kept."),
            "text": _text("What was promised."),
        },
    ),
    Entity(
        "survey_answer",
        "An answer to a question about satisfaction, raw and with its scale.",
        {
            "profile": _profile("Who answered."),
            "at": _instant("When.", required=True),
            "measure": _choice("Which question.", "NPS", "CSAT", "CES", required=True),
            "raw": Field(Type.NUMBER, "The answer on its own scale.", required=True),
            "scale_min": Field(Type.NUMBER, "The scale's lowest answer.", required=True),
            "scale_max": Field(Type.NUMBER, "The scale's highest answer.", required=True),
            "text": _text("What was added in words."),
        },
    ),
    Entity(
        "consent",
        "Whether a profile may be contacted on a channel for a purpose.",
        {
            "profile": _profile("Who decided."),
            "channel": _choice("On which channel.", *CHANNELS, required=True),
            "purpose": _word("What for.", required=True),
            "granted": Field(Type.FLAG, "Yes or no.", required=True),
            "at": _instant("When it was decided.", required=True),
        },
    ),
    Entity(
        "money_entry",
        "An exact amount that the books hold. Positive as its kind says: a refund of 5 is 5 REFUND.",
        {
            "profile": _profile("Whose account."),
            "at": _instant("The date that the books give it.", required=True),
            "kind": _choice("What it is.", *MONEY_KINDS, required=True),
            "basis": _choice("How it is known; ACTUAL where the mapping does not say.", *BASES, required=True),
            "amount": Field(Type.AMOUNT, "The amount.", required=True),
            "currency": Field(Type.CURRENCY, "Of the amount.", required=True),
            "interaction_item": Field(Type.NUMBER, "Which interaction of the same record it belongs to, by its item."),
            "object_type": _word("What it belongs to: invoice, order, agreement."),
            "object_key": _text("The key of that object at the source."),
        },
    ),
)

ENTITIES: dict[str, Entity] = {entity.name: entity for entity in _ENTITIES}
