"""What `survivorship:` in mappings/rules/identity.yml may say: which of several values a customer is shown with.

In: the parsed YAML. Out: a frozen Survivorship: field by field the strategies, in the order in which they decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mappings.block import Block

Strategy = Literal["verified", "most_recent", "most_trusted", "most_frequent", "longest", "never"]
GoldenField = Literal[
    "display_name", "given_name", "family_name", "birth_date", "country", "language", "emails", "phones"
]


def _listed(said: object) -> object:
    return [said] if isinstance(said, str) else said


def _decides(strategies: list[Strategy]) -> list[Strategy]:
    if len(set(strategies)) < len(strategies):
        raise ValueError("a strategy stands twice; the first time decides")
    if "never" in strategies and len(strategies) > 1:
        raise ValueError("`never` shows no value, so nothing can stand beside it")
    return strategies


Strategies = Annotated[list[Strategy], Field(min_length=1), BeforeValidator(_listed), AfterValidator(_decides)]
NEWEST: list[Strategy] = ["most_recent"]


class Verified(Block):
    """Whose values are verified: those of a source, of one of its streams, or of records that say so themselves."""

    source: str | None = Field(None, description="A source of company.yml; any where absent.")
    stream: str | None = Field(None, description="One of its streams; all where absent.")
    attribute: str | None = Field(None, description="Only of records in which this attribute of the profile is true.")

    @model_validator(mode="after")
    def _names_one(self) -> Verified:
        if self.source is None and self.attribute is None:
            raise ValueError("say a source, an attribute, or both")
        return self


class OfOrganizations(Block):
    """The fields in which organizations differ."""

    display_name: Strategies | None = None
    country: Strategies | None = None
    language: Strategies | None = None
    emails: Strategies | None = None
    phones: Strategies | None = None


class Survivorship(Block):
    """Field of the customer to the strategy that picks its value; of several, each decides what the ones before leave.

    What none of them decides goes to the more trusted source, then to the newer record.
    """

    display_name: Strategies = NEWEST
    given_name: Strategies = NEWEST
    family_name: Strategies = NEWEST
    birth_date: Strategies = NEWEST
    country: Strategies = NEWEST
    language: Strategies = NEWEST
    emails: Strategies = NEWEST
    phones: Strategies = NEWEST
    organizations: OfOrganizations = OfOrganizations()
    trusted: dict[GoldenField, list[str]] = Field(
        default_factory=dict, description="Sources trusted first for a field, where company.yml's order does not fit."
    )
    verified: dict[GoldenField, list[Verified]] = Field(default_factory=dict)
    verified_by: int | None = Field(
        None, ge=2, description="A value that so many sources say counts as verified; never by itself where absent."
    )

    def chain(self, field: GoldenField, kind: str) -> Sequence[Strategy]:
        """The strategies of a field of a PERSON or an ORGANIZATION, in the order in which they decide; never empty.

        Behind `verified`, where it stands last, the newest counts.
        """
        own = getattr(self.organizations, field, None) if kind == "ORGANIZATION" else None
        said: list[Strategy] = own or getattr(self, field)
        return [*said, *NEWEST] if said[-1] == "verified" and "most_recent" not in said else said
