"""A pair of profiles that share something. In: both, and what they share. Out: MATCH, NO_MATCH or UNSURE, with the
rule, a score and the reasons.

A shared contact only proposes; names confirm; a different birth date or incompatible given names veto. The method is
that of rules over levels of agreement, with not knowing as a level of its own; the scores rank the rules and are not
probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.identity.keys import Means, Profile, Standing
from hub.identity.likeness import BirthDates, Likeness, Likenesses, birth_dates

MATCH, NO_MATCH, UNSURE = "MATCH", "NO_MATCH", "UNSURE"
WHOLE = 1_000_000  # scores are millionths


@dataclass(frozen=True, slots=True)
class Shared:
    """Something that both profiles hold. An id that the one carries and the other owns is always PERSONAL."""

    means: Means
    standing: Standing


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement about a pair. `refused` is a MATCH that was not followed, for reasons outside the pair."""

    verdict: str
    rule: str
    score: int
    reasons: tuple[str, ...]
    refused: bool = False


_NAMES = {
    Likeness.EQUAL: "names agree",
    Likeness.CLOSE: "names are compatible (short form, spelling or a part missing)",
    Likeness.INITIAL: "family names agree, given name by its initial",
    Likeness.GIVEN_ONLY: "given names agree, family names differ",
    Likeness.UNKNOWN: "names cannot be compared",
    Likeness.CLASH: "names differ",
}
_BIRTHS = {
    BirthDates.SAME: "same birth date",
    BirthDates.NEAR: "birth dates nearly the same",
    BirthDates.DIFFERENT: "different birth dates",
}
_SHARED = {
    Means.ID: "one carries the other's id",
    Means.EMAIL: "same e-mail",
    Means.PHONE: "same phone",
    Means.DEVICE: "same device",
    Means.DOMAIN: "same domain",
    Means.NAME: "same organization name",
}
_STANDING = {Standing.SHARED: " (which others use, too)", Standing.ROLE: " (an inbox for several people)"}
_ANY_FAMILY = (Likeness.EQUAL, Likeness.CLOSE, Likeness.INITIAL)

# What a shared thing, by what it is, needs of the names for a MATCH, with the score.
_PERSON: dict[tuple[Means, Standing], dict[Likeness, int]] = {
    (Means.EMAIL, Standing.PERSONAL): {
        Likeness.EQUAL: 980_000, Likeness.CLOSE: 970_000, Likeness.INITIAL: 940_000, Likeness.GIVEN_ONLY: 920_000,
        Likeness.UNKNOWN: 900_000,
    },
    (Means.EMAIL, Standing.SHARED): {Likeness.EQUAL: 960_000, Likeness.CLOSE: 900_000},
    (Means.EMAIL, Standing.ROLE): {Likeness.EQUAL: 960_000, Likeness.CLOSE: 880_000},
    (Means.PHONE, Standing.PERSONAL): {Likeness.EQUAL: 950_000, Likeness.CLOSE: 930_000, Likeness.INITIAL: 880_000},
    (Means.PHONE, Standing.SHARED): {Likeness.EQUAL: 940_000, Likeness.CLOSE: 870_000},
}  # fmt: skip
_ORGANIZATION: dict[Means, dict[Likeness, int]] = {
    Means.DOMAIN: {Likeness.EQUAL: 970_000, Likeness.CLOSE: 930_000, Likeness.UNKNOWN: 880_000},
    Means.EMAIL: {Likeness.EQUAL: 980_000, Likeness.CLOSE: 960_000, Likeness.UNKNOWN: 920_000},
    Means.PHONE: {Likeness.EQUAL: 950_000, Likeness.CLOSE: 900_000},
    Means.NAME: {Likeness.EQUAL: 850_000},
}
_BY_ID = {Likeness.CLASH: 860_000, Likeness.UNKNOWN: 985_000}


def judge(left: Profile, right: Profile, shared: Sequence[Shared], likenesses: Likenesses) -> Verdict:
    """The judgement about two profiles of one kind; symmetric, and a function of its arguments alone."""
    names = likenesses.names(left.names, right.names)
    births = birth_dates(left.births, right.births)
    kinds = sorted(set(shared), key=lambda s: (s.means, s.standing))
    reasons = tuple(_SHARED[s.means] + _STANDING.get(s.standing, "") for s in kinds)
    reasons += (_NAMES[names],) + ((_BIRTHS[births],) if births in _BIRTHS else ())
    if left.kind == "ORGANIZATION":
        return _organizations(left, right, kinds, names, reasons)
    return _persons(left, right, kinds, names, births, reasons)


def _persons(
    left: Profile, right: Profile, shared: list[Shared], names: Likeness, births: BirthDates, reasons: tuple[str, ...]
) -> Verdict:
    veto = "birth_date_differs" if births is BirthDates.DIFFERENT else "name_differs"
    by_id = any(s.means is Means.ID and s.standing is Standing.PERSONAL for s in shared)
    if by_id and not (births is BirthDates.DIFFERENT and names is Likeness.CLASH):
        score = WHOLE // 4 * 3 if births is BirthDates.DIFFERENT else _BY_ID.get(names, 990_000)
        return Verdict(MATCH, "external_id", score, reasons)
    if births is BirthDates.DIFFERENT or names is Likeness.CLASH:
        return Verdict(NO_MATCH, veto, WHOLE // 100, reasons)
    if births >= BirthDates.NEAR and names is Likeness.GIVEN_ONLY:
        names = Likeness.CLOSE  # somebody who married
    found = [(_PERSON.get((s.means, s.standing), {}).get(names), s.means) for s in shared]
    found += [(850_000 if _visitor_fits(s, left, right) else None, s.means) for s in shared if s.means is Means.DEVICE]
    return _best(found, names, births is BirthDates.SAME, reasons)


def _visitor_fits(shared: Shared, left: Profile, right: Profile) -> bool:
    """A nameless visitor belongs to the one person who used the same device."""
    return shared.standing is Standing.PERSONAL and bool(left.names) != bool(right.names)


def _organizations(
    left: Profile, right: Profile, shared: list[Shared], names: Likeness, reasons: tuple[str, ...]
) -> Verdict:
    abroad = bool(left.countries and right.countries and left.countries.isdisjoint(right.countries))
    if any(s.means is Means.ID for s in shared):
        return Verdict(MATCH, "external_id", _BY_ID.get(names, 990_000), reasons)
    if abroad and names is Likeness.CLOSE:
        return Verdict(UNSURE, "may_be_subsidiary", WHOLE // 2, (*reasons, "different countries"))
    found = [(_ORGANIZATION.get(s.means, {}).get(names), s.means) for s in shared]
    if abroad and {s.means for s in shared} == {Means.NAME}:
        return Verdict(UNSURE, "may_be_namesake", WHOLE // 2, (*reasons, "different countries"))
    return _best(found, names, False, reasons)


def _best(
    found: Sequence[tuple[int | None, Means]], names: Likeness, same_birth: bool, reasons: tuple[str, ...]
) -> Verdict:
    """The strongest thing they share decides; each further one, and the birth date, halve what is left to doubt."""
    scores = sorted(((score, means) for score, means in found if score is not None), reverse=True)
    if not scores:
        rule = "shared_contact" if names in (Likeness.UNKNOWN, Likeness.GIVEN_ONLY, *_ANY_FAMILY) else "name_differs"
        return Verdict(UNSURE, rule, WHOLE // 2, reasons)
    score, means = scores[0]
    doubt = (WHOLE - score) >> (len(scores) - 1 + same_birth)
    rule = means.value if means is Means.NAME or names is Likeness.UNKNOWN else f"{means}_and_name"
    return Verdict(MATCH, rule, WHOLE - doubt, reasons)


def refuse(verdict: Verdict, why: str) -> Verdict:
    """The same evidence, not followed."""
    return replace(verdict, verdict=UNSURE, refused=True, reasons=(*verdict.reasons, f"not joined: {why}"))
