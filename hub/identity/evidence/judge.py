"""Judging a pair. In: two profiles and what they share. Out: a verdict, or None where nothing is worth keeping.

Contacts count only where the pair shares a key that still says something; names, birth dates and addresses count as
the portraits state them.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.identity.evidence.agreement import Agreement
from hub.identity.evidence.births import Births, Nationals, births, nationals
from hub.identity.evidence.calibration import Calibration
from hub.identity.evidence.likeness import EQUAL_NAMES, Family, Given, Likenesses, Names
from hub.identity.evidence.means import Means
from hub.identity.evidence.organizations import judge_organizations, organizations_contradict
from hub.identity.evidence.persons import WRONG_BIRTH, WRONG_NAME, weigh
from hub.identity.evidence.places import Mail, Place, mail, phones_alike, place
from hub.identity.evidence.verdict import MATCH, NO_MATCH, WHOLE, Profile, Shared, Standing, Verdict, masked
from hub.identity.evidence.weights import COMMON_HOLDERS, RARE_HOLDERS
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Portrait, bare
from hub.identity.normalise.words import REMEMBERED, spellings
from mappings.identity import Identity

_OWN_ID = masked(Means.ID, Standing.PERSONAL)
# Contacts of one's own: with the whole name and nothing against it, nothing else need be read.
_SETTLING = _OWN_ID | masked(Means.EMAIL, Standing.PERSONAL) | masked(Means.HANDLE, Standing.PERSONAL)
_ANY_ID, _ANY_MAIL, _ANY_PHONE, _ANY_DEVICE = (
    sum(masked(means, standing) for means in kinds for standing in Standing)
    for kinds in ((Means.ID,), (Means.EMAIL, Means.INBOX), (Means.PHONE,), (Means.DEVICE,))
)


class Judge:
    """Judges pairs by one version of the company's rules and by what was learnt from its records; remembers what it
    compared.

    `join`, `review` and `strong` are the thresholds in millionths: from where a pair is one, from where a person should
    look, and from where it is followed even between groups that hold together by themselves.
    """

    as_one = frozenset(("external_id", "registration", "national_id"))  # rules that join in spite of what is said
    despite = frozenset((WRONG_NAME, WRONG_BIRTH))  # rules that join two who contradict each other in one value

    def __init__(self, rules: Identity, forms: Forms, learnt: Calibration | None = None) -> None:
        self.rules = rules
        self.forms = forms
        self.join = round(rules.thresholds.join * WHOLE)
        self.review = round(rules.thresholds.review * WHOLE)
        self.strong = round(rules.thresholds.strong * WHOLE)
        self.shared_limit = rules.shared_limit
        self.similarity = rules.name_similarity
        self._likenesses = Likenesses(forms)
        self._nationals = frozenset(rules.national_ids)
        self._public = frozenset(rules.freemail) | frozenset(rules.disposable)
        self._learnt = learnt
        self._kinds = spellings(rules.address_words.streets)
        self._verdicts: dict[Agreement, Verdict] = {}

    def judge(self, left: Profile, right: Profile, shared: Sequence[Shared]) -> Verdict | None:
        """The judgement about two profiles of one kind, None for a weak likeness that came to nothing.

        Symmetric; a function of its arguments and the rules alone.
        """
        one, other = left.portrait, right.portrait
        if one.kind != other.kind:
            return None
        if one.kind == "ORGANIZATION":
            return judge_organizations(left, right, shared, self.forms, self.join)
        found = self.agreement(one, other, shared)
        verdict = self._verdicts.get(found)
        if verdict is None:
            if len(self._verdicts) >= REMEMBERED:
                self._verdicts.clear()
            verdict = self._verdicts[found] = weigh(found, self.join, self._learnt)
        if found.mask or verdict.verdict == MATCH or (verdict.verdict != NO_MATCH and verdict.score >= self.review):
            return verdict
        return None

    def contradict(self, left: Portrait, right: Portrait) -> bool:
        """Whether two portraits say of themselves that they are different people, or different organizations.

        Of people only names and birth dates count.
        """
        if left.kind == "ORGANIZATION":
            return organizations_contradict(left, right, self.forms)
        if left.births and right.births and births(left.births, right.births) <= Births.DIFFERENT:
            return True
        return left.names != right.names and self._likenesses.names(left.names, right.names).clash

    def agreement(self, one: Portrait, other: Portrait, shared: Sequence[Shared]) -> Agreement:
        """How two portraits of people agree, given what they share; symmetric."""
        mask = 0
        for each in shared:
            mask |= each.mask
        names = self._likenesses.names(one.names, other.names)
        born = births(one.births, other.births) if one.births and other.births else Births.UNKNOWN
        national = self._national(one, other, shared) if one.ids and other.ids else Nationals.UNKNOWN
        owned = bool(mask & _OWN_ID) and (one.own in other.ids or other.own in one.ids)
        apart = names.clash or born <= Births.DIFFERENT
        if not owned and mask & _SETTLING and not apart and names == EQUAL_NAMES:
            return _short(names, born, _same_place(one, other), national, mask, False)
        contactless = not (mask & ~_ANY_ID or reachable(one) or reachable(other))
        if owned or (apart and not contactless and national is not Nationals.SAME):
            return _short(names, born, Place.UNKNOWN, national, mask, owned)
        mails = Mail.UNLIKE if mask & _ANY_MAIL else mail(one.emails, other.emails, self._public)
        near = not mask & _ANY_PHONE and phones_alike(one.phones, other.phones)
        others = (not mails and _none_shared(one.emails, other.emails)) + (
            not near and _none_shared(one.phones, other.phones)
        )
        abroad = bool(one.countries and other.countries) and not any(c in other.countries for c in one.countries)
        visitor = bool(mask & _ANY_DEVICE) and _visitor_and_person(one, other, shared)
        where = place(one.addresses, other.addresses, self._kinds)
        rarity = _rarity(names, shared)
        return Agreement(
            names, born, where, mails, near, others, national, mask, rarity, owned, visitor, abroad, contactless
        )

    def _national(self, one: Portrait, other: Portrait, shared: Sequence[Shared]) -> Nationals:
        """How their national ids agree; the same one counts only where its key still says something."""
        level = nationals(one.ids, other.ids, self._nationals)
        if level is not Nationals.SAME:
            return level
        holders = min((s.holders for s in shared if s.means is Means.ID), default=0)
        return Nationals.UNKNOWN if not holders else Nationals.SAME if holders <= COMMON_HOLDERS else Nationals.COMMON


def _rarity(names: Names, shared: Sequence[Shared]) -> int:
    """1 where few hold the full name, 0 where it is unknown or some do, -1 where so many do that it proposes nobody."""
    if names.given < Given.FORMAL or names.family < Family.PART:
        return 0
    holders = min((s.holders for s in shared if s.means is Means.NAME), default=0)
    if holders:
        return int(holders <= RARE_HOLDERS)
    return -1 if names.given is Given.EQUAL and names.family is Family.EQUAL else 0


def _short(names: Names, born: Births, where: Place, national: Nationals, mask: int, owned: bool) -> Agreement:
    """An agreement of which the rest changes nothing."""
    return Agreement(names, born, where, Mail.UNLIKE, False, 0, national, mask, 0, owned, False, False, False)


def _same_place(one: Portrait, other: Portrait) -> Place:
    """Without looking closer: the very same addresses, or unknown."""
    same = bool(one.addresses) and one.addresses == other.addresses
    return Place.HOME if same else Place.UNKNOWN


def reachable(portrait: Portrait) -> bool:
    """Whether it states any contact."""
    return bool(portrait.emails or portrait.phones or portrait.handles or portrait.devices)


def _none_shared(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    return bool(left and right) and not any(value in right for value in left)


def _visitor_and_person(one: Portrait, other: Portrait, shared: Sequence[Shared]) -> bool:
    """Whether one is a device and nothing else, and the other a named person or the only one who said anything there:
    nobody until he says who he is.
    """
    if bare(one) == bare(other):
        return False
    alone = any(each.means is Means.DEVICE and each.holders == 2 for each in shared)
    return alone or bool(one.names or other.names)
