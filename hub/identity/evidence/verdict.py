"""What a judgement is made of and what it says. In: nothing. Out: the words that all of identity shares."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from hub.identity.evidence.means import Means
from hub.identity.normalise.portrait import Portrait

MATCH, NO_MATCH, UNSURE = "MATCH", "NO_MATCH", "UNSURE"
WHOLE = 1_000_000  # scores are millionths


class Standing(StrEnum):
    """What a key is, learnt from who holds it."""

    __hash__ = str.__hash__  # an Enum's own is slow

    PERSONAL = "personal"  # nobody who holds it contradicts anybody else
    HOUSEHOLD = "household"  # its holders have other given names or birth dates, but one family name
    COMPANY = "company"  # people of several families hold it, or it is an inbox that several are meant to read
    JUNK = "junk"  # so many hold it that it says nothing


@dataclass(frozen=True, slots=True)
class Profile:
    """One source's view. `place` (source, stream, key) orders profiles whatever their numbers are."""

    number: int
    place: tuple[str, str, str]
    portrait: Portrait
    customer_no: int | None
    previous_no: int | None

    @property
    def kind(self) -> str:
        return self.portrait.kind


def masked(means: Means, standing: Standing) -> int:
    """One bit for a kind of contact and what it is worth; 0 where that says nothing of two people."""
    if means > Means.HANDLE or standing is Standing.JUNK:
        return 0
    return 1 << 3 * means + (0 if standing is Standing.PERSONAL else 1 if standing is Standing.HOUSEHOLD else 2)


@dataclass(frozen=True, slots=True)
class Shared:
    """Something that both profiles hold: what it is, what it is worth, and how many profiles hold it.

    An id that the one carries and the other owns is always PERSONAL. `mask` is that of masked().
    """

    means: Means
    standing: Standing
    holders: int
    mask: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", masked(self.means, self.standing))


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement about a pair. `score` is the calibrated chance, in millionths, that both are one.

    `refused` is a MATCH that was not followed, for reasons outside the pair.
    """

    verdict: str
    rule: str
    score: int
    reasons: tuple[str, ...]
    refused: bool = False


def refuse(verdict: Verdict, why: str) -> Verdict:
    """The same evidence, not followed."""
    return replace(verdict, verdict=UNSURE, refused=True, reasons=(*verdict.reasons, f"not joined: {why}"))
