"""The words that fields and filters may hold. In: the vocabulary. Out: GraphQL enums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

import strawberry

from mappings.model import BASES, CHANNELS, KINDS, LANES, MONEY_KINDS, STAGES


def _words(name: str, about: str, told: Mapping[str, str], known: Iterable[str] | None = None) -> Any:
    """A GraphQL enum whose values are their own names, in the order of `known`, each with what is told of it.

    Raises KeyError where a known word is not told.
    """
    words = told if known is None else known
    enum: Any = Enum  # made of data, which a type checker cannot follow
    members = {word: strawberry.enum_value(word, description=told[word]) for word in words}
    return strawberry.enum(enum(name, members), description=about)


Kind = _words(
    "Kind",
    "Whether a customer is a person or an organization.",
    {"PERSON": "A person.", "ORGANIZATION": "A company or another organization."},
    KINDS,
)
Lane = _words("Lane", "Who acted.", {"CUSTOMER": "The customer did it.", "BRAND": "The brand did it."}, LANES)
Channel = _words(
    "Channel",
    "On which channel.",
    {
        "WEB": "The web site or the app.",
        "EMAIL": "E-mail.",
        "PHONE": "Telephone.",
        "CHAT": "Chat.",
        "BILLING": "An invoice, a payment or a reminder.",
        "SALES": "Somebody who sells.",
        "SUPPORT": "The support desk.",
        "STORE": "A shop.",
        "SOCIAL": "A social network.",
        "SURVEY": "A survey.",
        "OTHER": "Anything else.",
    },
    CHANNELS,
)
StageKey = _words(
    "StageKey",
    "A stage of the journey.",
    {
        "BRAND": "Meets the brand.",
        "INITIATION": "Sees a need and gets in touch.",
        "CHOOSING": "Compares.",
        "BUYING": "Decides and orders.",
        "ORDER_TO_DELIVERY": "Waits for what was ordered.",
        "FIRST_EXPERIENCE": "Uses it for the first time.",
        "LIVING": "Lives with it.",
        "EXPANSION": "Buys more.",
        "RENEWAL": "Decides whether to stay.",
        "ADVOCACY": "Recommends it.",
        "ENDED": "Has left.",
        "WIN_BACK": "Was lost or has left, and looks again.",
    },
    STAGES,
)
MoneyKind = _words(
    "MoneyKind",
    "What an amount is.",
    {
        "REVENUE": "What was earned, without tax.",
        "TAX": "Tax on top; no part of a contribution.",
        "REFUND": "What was paid back.",
        "COGS": "What the goods or services cost.",
        "FEE": "What taking the payment cost.",
        "COST_TO_SERVE": "What serving the customer cost.",
        "ACQUISITION": "What winning the customer cost.",
    },
    MONEY_KINDS,
)
Basis = _words(
    "Basis",
    "How an amount is known.",
    {
        "ACTUAL": "The books say so.",
        "ALLOCATED": "A share of a known sum.",
        "ESTIMATED": "Computed from a rate.",
    },
    BASES,
)
MarketState = _words(
    "MarketState",
    "How near a customer is to buying.",
    {
        "ADDRESSABLE": "Known, and no more.",
        "OBTAINABLE": "Has shown interest.",
        "ACTIVE": "Buys; an organization: enough of its members show interest.",
    },
)
SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
Severity = _words(
    "Severity",
    "How bad it is.",
    {
        "LOW": "To be known.",
        "MEDIUM": "To be looked at.",
        "HIGH": "To be acted on.",
        "CRITICAL": "To be acted on first.",
    },
    SEVERITIES,
)
RiskBand = _words(
    "RiskBand",
    "The band of a risk score; the rules say from how many points.",
    {
        "LOW": "The lowest band, from 0 points.",
        "MEDIUM": "The second band.",
        "HIGH": "The third band.",
        "CRITICAL": "The highest band.",
    },
    SEVERITIES,
)
FlagState = _words("FlagState", "Whether a flag still holds.", {"OPEN": "It holds.", "CLEARED": "It held once."})
Trend = _words(
    "Trend",
    "Where a figure is going.",
    {
        "RISING": "Above what it was before.",
        "FALLING": "Below what it was before.",
        "STEADY": "As it was before.",
    },
)
Verdict = _words(
    "Verdict",
    "Whether two profiles are one customer.",
    {
        "MATCH": "They are one customer.",
        "NO_MATCH": "They are two customers.",
        "UNSURE": "The evidence decides neither way; they stay apart.",
    },
)
IdentityEventKind = _words(
    "IdentityEventKind",
    "What happened to a customer id.",
    {
        "MINTED": "It was given for the first time.",
        "MERGED": "It took the place of others, or another took its place.",
        "SPLIT": "Its profiles are several customers now.",
        "RETIRED": "No profile is left.",
        "REVIVED": "It stands for a customer again.",
        "OVERRIDDEN": "A steward decided about one of its profiles and another.",
        "WITHDRAWN": "A steward's decision about one of its profiles was taken back.",
        "ERASED": "The customer was forgotten for good.",
    },
)
AgreementStatus = _words(
    "AgreementStatus",
    "Where an agreement stands.",
    {
        "TRIAL": "It is being tried out.",
        "ACTIVE": "It runs.",
        "PAST_DUE": "It runs; a payment is late.",
        "PAUSED": "It rests.",
        "ENDED": "It is over.",
    },
)
JourneyOutcome = _words(
    "JourneyOutcome",
    "How a journey ended.",
    {
        "WON": "Bought, and has been silent for long since.",
        "LOST": "Never bought.",
        "ENDED": "Bought, and left.",
    },
)
DeviationKind = _words(
    "DeviationKind",
    "How a step differs from the plan.",
    {"SKIPPED": "A stage was left out.", "BACKWARD": "An earlier stage came again.", "LATE": "It took too long."},
)
PromiseStatus = _words(
    "PromiseStatus",
    "Whether the brand did what it said.",
    {
        "OPEN": "Not yet due.",
        "KEPT": "Done in time.",
        "LATE": "Done, after it was due.",
        "BROKEN": "Due and not done.",
    },
)
ProvenanceField = _words(
    "ProvenanceField",
    "A golden field of a customer.",
    {
        "DISPLAY_NAME": "The name to show.",
        "GIVEN_NAME": "The first name.",
        "FAMILY_NAME": "The last name.",
        "BIRTH_DATE": "The date of birth.",
        "COUNTRY": "The country.",
        "LANGUAGE": "The language.",
        "EMAILS": "The e-mail addresses.",
        "PHONES": "The phone numbers.",
    },
)
RunStatus = _words(
    "RunStatus",
    "How a sync went.",
    {
        "RUNNING": "It is under way, or was cut off.",
        "OK": "All of it is in.",
        "PARTIAL": "Some stream failed; the others are in.",
        "FAILED": "It failed; what was in before stays.",
    },
)
Direction = _words(
    "Direction", "Which way to sort.", {"ASC": "The smallest, earliest or first first.", "DESC": "The other way."}
)
Nulls = _words(
    "Nulls",
    "Where unknown values stand.",
    {"FIRST": "Before the known ones.", "LAST": "Behind the known ones."},
)
CustomerOrderField = _words(
    "CustomerOrderField",
    "What customers are sorted by.",
    {
        "VALUE_AT_RISK": "What is at stake, in the reporting currency.",
        "CONTRIBUTION": "What the customer is worth so far, in the reporting currency.",
        "RISK_POINTS": "The risk score.",
        "DISPLAY_NAME": "The folded name.",
        "FIRST_SEEN": "The first trace.",
        "LAST_SEEN": "The last trace.",
        "UPDATED_AT": "When the card last changed.",
        "OPEN_CASE_COUNT": "How many cases are not closed.",
    },
)
RiskFlagOrderField = _words(
    "RiskFlagOrderField",
    "What risk flags are sorted by.",
    {
        "VALUE_AT_RISK": "What is at stake, in the reporting currency.",
        "SEVERITY": "How bad it is.",
        "SINCE": "When what it warns of began.",
    },
)
GroupDimension = _words(
    "GroupDimension",
    "What profitability is grouped by.",
    {
        "STAGE": "The stage that the entry belongs to.",
        "CHANNEL": "The channel that the entry belongs to.",
        "SOURCE": "The source that says it.",
        "KIND": "Person or organization.",
        "COUNTRY": "The customer's country.",
        "LANGUAGE": "The customer's language.",
        "MARKET_STATE": "The customer's market state today.",
        "RISK_BAND": "The customer's risk band today.",
        "MONTH": "The entry's month in the reporting time zone, as 2026-06.",
        "QUARTER": "The entry's quarter in the reporting time zone, as 2026-Q2.",
        "YEAR": "The entry's year in the reporting time zone, as 2026.",
    },
)
JourneyLevel = _words("JourneyLevel", "What a stop of the journey map is.", {"STAGE": "A stage."})
