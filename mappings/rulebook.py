"""What the files in mappings/rules/ may say: what the company decides, one pydantic model a file.

In: the parsed YAML of each file. Out: a frozen Rulebook. Conditions (`where`, `when`) are text in the rule language
of hub/expression and are checked there.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from mappings.duration import Duration
from mappings.identity import Identity as Identity
from mappings.model import CHANNELS, INTENTS, STAGES
from mappings.spec import Block

Channel = Literal[CHANNELS]  # type: ignore[valid-type]
Stage = Literal[STAGES]  # type: ignore[valid-type]
Severity = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]


# company.yml ---------------------------------------------------------------------------------------------------------
class Instance(Block):
    """One source: an instance of a system. Settings not named here come from SOURCE_SETTING in the environment."""

    system: str
    settings: dict[str, str] = Field(default_factory=dict, description="Setting to text; ${NAME} is the environment.")
    every: Duration | None = Field(None, description="How often it is pulled, where the mapping's word does not fit.")
    retention: Duration | None = Field(None, description="As the company's, for this source alone.")


class Company(Block):
    """The company: what it reports in, where its days begin, which sources it has."""

    name: str
    reporting_currency: str
    currencies: list[str] = Field(description="Currencies that figures can be asked for in.")
    time_zone: str
    fiscal_year_starts: int = Field(1, ge=1, le=12)
    region: str = Field(description="Country of phone numbers and addresses that name none, ISO 3166-1 alpha-2.")
    language: str = Field(description="Language of texts that name none, ISO 639-1.")
    sources: dict[str, Instance] = Field(description="The sources, the most trusted first.")
    retention: Duration | None = Field(
        None, description="How long a mapped record is kept as it was sent; what it means stays. For ever where absent."
    )
    rates: dict[str, dict[date, Decimal]] = Field(
        description="Currency to first day to rate: units of the reporting currency for one unit, until the next day."
    )


# journey.yml ---------------------------------------------------------------------------------------------------------
class StageEvidence(Block):
    """Interactions that put a customer into a stage, where what came before fits."""

    types: list[str] = Field(description="Interaction types; `visit.*`: any that begins so.")
    after: list[str] = Field(default_factory=list, description="Only where one of these types came before.")
    until: list[str] = Field(default_factory=list, description="Not where one of these came since the last of `after`.")
    unless: list[str] = Field(default_factory=list, description="Not where one of these ever came before.")
    later_than: str | None = Field(None, description="Only this long or longer after the first of `after`, as 30d.")
    kind: Literal["PERSON", "ORGANIZATION"] | None = Field(None, description="Only of persons, or of organizations.")


class StageRule(Block):
    """One stage: who owns it, what for, how long it should take, and the evidence that puts a customer there."""

    name: str
    owner: str
    goal: str
    order: int = Field(description="Its place in the plan; stages side by side have the same.")
    optional: bool = Field(False, description="Whether a journey may pass it over.")
    expected_days: int | None = Field(None, ge=1)
    evidence: list[StageEvidence] = Field(default_factory=list, description="Any one of these is enough.")


class OrganizationActive(Block):
    """An organization is ACTIVE when this many members show interest within the window."""

    members: int = Field(ge=1)
    within: str
    evidence: list[str]


class Journey(Block):
    """The planned journey and how an actual one is read from what happened."""

    definition: str
    version: int = 1
    stages: dict[Stage, StageRule] = Field(
        description="Where the evidence of several holds, the one further down in the file counts."
    )
    obtainable: list[str] = Field(description="Interaction types that make an ADDRESSABLE customer OBTAINABLE.")
    active: list[str] = Field(description="Interaction types that make a customer ACTIVE.")
    organization_active: OrganizationActive
    ends_after: str = Field(description="Silence after which an open journey counts as ended, as 540d.")


# cost.yml ------------------------------------------------------------------------------------------------------------
class Capacity(Block):
    """What a group of people costs in a period, all in, and the minutes they can work in it."""

    costs: Decimal = Field(ge=0)
    minutes: Decimal = Field(gt=0)


class CostRate(Block):
    """What a minute of a group of people costs (time-driven activity-based costing): said, or by their capacity."""

    about: str
    per_minute: Decimal | None = Field(None, ge=0)
    capacity: Capacity | None = None
    currency: str

    @model_validator(mode="after")
    def _one_of_both(self) -> CostRate:
        if (self.per_minute is None) == (self.capacity is None):
            raise ValueError("say exactly one of per_minute, capacity")
        return self


class CostRule(Block):
    """Minutes that one interaction takes; the first rule whose `when` holds applies."""

    about: str
    when: str = Field(description="Condition on an interaction, in the rule language.")
    minutes: Decimal | None = Field(None, ge=0, description="Fixed minutes; absent where the measured duration counts.")
    rate: str = Field(description="Which of `rates`.")


class Cost(Block):
    """Cost to serve: minutes by interaction, times the rate."""

    rates: dict[str, CostRate]
    rules: dict[str, CostRule]


# metrics.yml ---------------------------------------------------------------------------------------------------------
class Metric(Block):
    """A figure a customer has: an aggregate over the rows of one entity that belong to the customer."""

    about: str
    of: str = Field(description="The entity that is counted or summed.")
    value: str = Field(description="An aggregate, as count(), max(at), sum(duration_s), in the rule language.")
    where: str | None = Field(None, description="Which rows; `as_of` is the run's instant, `as_of - 30d` a window.")
    members: bool = Field(False, description="Whether an organization's figure also takes the rows of its people.")


class Metrics(Block):
    """Every metric by name."""

    metrics: dict[str, Metric]


# risk.yml ------------------------------------------------------------------------------------------------------------
class Evidence(Block):
    """The interactions that a reader is shown as the grounds of a flag, the newest first."""

    where: str = Field(description="Which interactions, in the rule language, without as_of.")
    most: int = Field(5, ge=1, le=20)
    members: bool = Field(False, description="Whether an organization is shown the interactions of its people too.")


Stake = Literal["RECURRING", "RENEWAL", "INVOICES"]


class ActionRule(Block):
    """What to do about a flag."""

    kind: str
    channel: Channel
    within: str = Field(description="How long the window stays open from its first working hour, as 2d or 4h.")
    skill: str
    why: str


class RiskRule(Block):
    """A rule over metrics: points for the score, a flag with a message, what clears it, and an action."""

    about: str
    when: str = Field(description="Condition over metrics and the customer's stage, in the rule language.")
    points: int = Field(ge=0, le=100)
    severity: Severity
    message: str = Field(description="Text for a reader; {metric} is replaced by the metric's value.")
    clears_when: str = Field(description="What clears the flag, in words.")
    since: str | None = Field(None, description="The metric that holds the instant at which it began.")
    at_stake: list[Stake] = Field(
        ["RECURRING"],
        description="RECURRING: the revenue of running agreements within the horizon, until they end; RENEWAL: the "
        "same, as if they did not end; INVOICES: what open invoices ask for.",
    )
    evidence: Evidence
    action: ActionRule


class Risk(Block):
    """Bands of the score, the lexicon of intents, and the rules."""

    bands: dict[Severity, int] = Field(description="The points from which a score is in the band; below all is LOW.")
    intents: dict[Literal[INTENTS], dict[str, list[str]]] = Field(  # type: ignore[valid-type]
        description="Intent to language to phrases, folded; the first intent that matches outranks the rest."
    )
    at_risk_horizon: str = Field(description="Recurring revenue of this long ahead counts as at stake, as 365d.")
    rules: dict[str, RiskRule]


# consent.yml, access.yml ---------------------------------------------------------------------------------------------
class Consent(Block):
    """On which channels a customer may be contacted where no consent is on record."""

    purpose: str
    default: dict[Channel, bool]


FieldClass = Literal["CONTACT", "NAME", "BIRTH_DATE", "TEXT", "MONEY", "IDENTITY", "DECISION", "ERASURE"]


class Role(Block):
    """What those who ask in this role do not see, and how much they may ask."""

    about: str
    mask: list[FieldClass] = Field(default_factory=list, description="Answered as unknown: null, or an empty list.")
    refuse: list[FieldClass] = Field(default_factory=list, description="Asking for it is an error.")
    customers: str | None = Field(
        None, description="Which customers there are for the role, in the rule language; all where absent."
    )
    rate: str | None = Field(None, description="Requests of one key or token, as 100/s, 600/m, 1000/h.")
    concurrent: int | None = Field(None, ge=1, description="Operations of one key or token that run at once.")


class Tokens(Block):
    """How a token of the issuer says its role."""

    claim: str = Field("role", description="The claim that holds it, a text or a list; dots lead into an object.")
    roles: dict[str, str] = Field(
        default_factory=dict, description="Their word to our role. Of several, the first in this order counts."
    )


class Access(Block):
    """Limits of the API, and the roles that ask it."""

    max_depth: int = Field(ge=1)
    max_aliases: int = Field(ge=1)
    max_tokens: int = Field(ge=1)
    max_body_bytes: int = Field(ge=1)
    max_directives: int = Field(20, ge=1, description="Directives of an operation.")
    max_cost: int = Field(20_000, ge=1, description="Objects that an operation may ask for, by its `first`.")
    max_concurrent: int = Field(32, ge=1, description="Operations of one key that run at once, where its role is mum.")
    timeout_s: float = Field(10, gt=0, description="How long one statement may take.")
    purposes: list[str] = Field(
        default_factory=list, description="Purposes of consent that roles name, besides that of consent.yml."
    )
    roles: dict[str, Role] = Field(default_factory=dict, description="Besides `admin`, who sees everything.")
    jwt: Tokens = Tokens()


class Rulebook(Block):
    """All rule files together."""

    company: Company
    identity: Identity
    journey: Journey
    cost: Cost
    metrics: Metrics
    risk: Risk
    consent: Consent
    access: Access
