"""The words that fields and filters may hold. In: the vocabulary. Out: GraphQL enums."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry
from strawberry.types.enum import EnumValueDefinition

from mappings.model import BASES, CHANNELS, KINDS, MONEY_KINDS, STAGES


def _words(name: str, about: str, options: tuple[str, ...] | dict[str, str | None]) -> Any:
    """A GraphQL enum whose values are their own names."""
    told = options if isinstance(options, dict) else dict.fromkeys(options)
    members = {word: _told(word, text) for word, text in told.items()}
    enum: Any = Enum  # made of data, which a type checker cannot follow
    return strawberry.enum(enum(name, members), description=about)


def _told(word: str, text: str | None) -> EnumValueDefinition:
    return strawberry.enum_value(word, description=text)


Kind = _words("Kind", "Whether a customer is a person or an organization.", KINDS)
Lane = _words("Lane", "Who acted.", {"CUSTOMER": "The customer did it.", "BRAND": "The brand did it."})
Channel = _words("Channel", "On which channel.", CHANNELS)
StageKey = _words("StageKey", "A stage of the journey.", STAGES)
MoneyKind = _words("MoneyKind", "What an amount is.", MONEY_KINDS)
Basis = _words("Basis", "How an amount is known.", BASES)
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
Severity = _words("Severity", "How bad it is.", SEVERITIES)
RiskBand = _words("RiskBand", "The band of a risk score.", SEVERITIES)
FlagState = _words("FlagState", "Whether a flag still holds.", ("OPEN", "CLEARED"))
Trend = _words("Trend", "Where a figure is going.", ("RISING", "FALLING", "STEADY"))
Verdict = _words("Verdict", "Whether two profiles are one customer.", ("MATCH", "NO_MATCH", "UNSURE"))
IdentityEventKind = _words(
    "IdentityEventKind",
    "What happened to a customer id.",
    ("MINTED", "MERGED", "SPLIT", "RETIRED", "REVIVED", "ERASED"),
)
AgreementStatus = _words(
    "AgreementStatus", "Where an agreement stands.", ("TRIAL", "ACTIVE", "PAST_DUE", "PAUSED", "ENDED")
)
JourneyOutcome = _words("JourneyOutcome", "How a journey ended.", ("WON", "LOST", "ENDED"))
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
    ("DISPLAY_NAME", "GIVEN_NAME", "FAMILY_NAME", "BIRTH_DATE", "COUNTRY", "LANGUAGE", "EMAILS", "PHONES"),
)
RunStatus = _words("RunStatus", "How a sync went.", ("RUNNING", "OK", "PARTIAL", "FAILED"))
Direction = _words("Direction", "Which way to sort; null stands last both ways.", ("ASC", "DESC"))
CustomerOrderField = _words(
    "CustomerOrderField",
    "What customers are sorted by.",
    {
        "VALUE_AT_RISK": "What is at stake, in the reporting currency.",
        "CONTRIBUTION": "What the customer is worth so far, in the reporting currency.",
        "RISK_POINTS": "The risk score.",
        "DISPLAY_NAME": "The folded name.",
        "FIRST_SEEN": None,
        "LAST_SEEN": None,
        "UPDATED_AT": None,
        "OPEN_CASE_COUNT": None,
    },
)
RiskFlagOrderField = _words(
    "RiskFlagOrderField",
    "What risk flags are sorted by.",
    {"VALUE_AT_RISK": "What is at stake, in the reporting currency.", "SEVERITY": None, "SINCE": None},
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
