"""Organizations: who is the same. In: two of them, and what they share. Out: a judgement with its reasons.

A legal entity is what has a registration number; a group has many, under one name and one domain. So a number decides,
a domain or a contact proposes and the name confirms, and what differs by legal form, country or number stays apart. A
name alone joins two sources, where it is one that namesakes hardly have; within one source it joins nobody, for there
it is a branch. The scores rank the rules and are judged by hand, not fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from hub.identity.evidence.kinship import (
    abroad,
    alike_names,
    numbers_differ,
    organization_keys,
    organization_standing,
    organizations_apart,
    organizations_contradict,
    other_domains,
    same_numbers,
    towns,
    two_sites,
)
from hub.identity.evidence.means import Means
from hub.identity.evidence.titles import Alike, Named, whole
from hub.identity.evidence.verdict import MATCH, NO_MATCH, UNSURE, WHOLE, Profile, Shared, Standing, Verdict
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Portrait
from hub.identity.normalise.words import REMEMBERED, spelling

__all__ = [
    "judge_organizations", "organization_keys", "organization_standing", "organizations_apart",
    "organizations_contradict",
]  # fmt: skip


class _Pair(NamedTuple):
    """Two organizations: what they share by what it is worth, and how they compare."""

    left: Portrait
    right: Portrait
    by: dict[Means, Standing]
    alike: Alike
    numbered: bool  # one registration number
    renumbered: bool  # different ones of one kind and country
    abroad: bool
    apart: bool  # the source says that the one is a part of the other
    sites: bool  # two addresses in one source
    forms: Forms

    def reaches(self, *means: Means) -> list[Means]:
        """Which of these they share."""
        return [one for one in means if one in self.by]


_CONTACTS = (Means.EMAIL, Means.INBOX, Means.HANDLE, Means.PHONE, Means.ADDRESS)
_ASKED = (Means.EMAIL, Means.INBOX, Means.HANDLE, Means.PHONE, Means.DOMAIN)  # worth telling where nothing joins
_BY_ID = {Named.EQUAL: 995_000, Named.CLOSE: 993_000, Named.UNKNOWN: 990_000, Named.CLASH: 960_000}
_BY_NUMBER = {Named.EQUAL: 999_000, Named.CLOSE: 998_000, Named.UNKNOWN: 995_000, Named.CLASH: 970_000}
_SAME_NAME = {
    Means.EMAIL: 980_000, Means.INBOX: 980_000, Means.HANDLE: 980_000, Means.PHONE: 970_000, Means.ADDRESS: 970_000,
    Means.DOMAIN: 960_000,
}  # fmt: skip
_CLOSE_NAME = {
    Means.EMAIL: 960_000, Means.INBOX: 960_000, Means.HANDLE: 950_000, Means.PHONE: 940_000, Means.ADDRESS: 940_000,
    Means.DOMAIN: 930_000,
}  # fmt: skip
_BY_NAME: dict[
    tuple[Named, bool], dict[Means, int]
] = {  # with the domain, and where it does not tell which of the name it is
    (level, told): scores if told else {means: score for means, score in scores.items() if means is not Means.DOMAIN}
    for level, scores in ((Named.EQUAL, _SAME_NAME), (Named.CLOSE, _CLOSE_NAME))
    for told in (True, False)
}
_ANY = tuple(Standing)
_PART_OF_NAME = {Means.EMAIL: 930_000, Means.INBOX: 920_000, Means.HANDLE: 930_000, Means.PHONE: 910_000}
_NO_NAME = {Means.EMAIL: 930_000, Means.HANDLE: 930_000, Means.INBOX: 920_000, Means.DOMAIN: 910_000}


def judge_organizations(
    left: Profile, right: Profile, shared: Sequence[Shared], forms: Forms, join: int
) -> Verdict | None:
    """The judgement about two organizations; None where nothing of it is worth keeping. Symmetric, and a function of
    its arguments alone. `join` is the score in millionths below which nothing is joined.
    """
    by: dict[Means, Standing] = {}
    for key in shared:
        if key.means not in by or _ORDER[key.standing] < _ORDER[by[key.means]]:
            by[key.means] = key.standing
    pair = _compared(left.portrait, right.portrait, by, forms)
    for rule in _RULES:
        found = rule(pair)
        if found:
            verdict, name, score = found
            said = UNSURE if verdict == MATCH and score < join else verdict
            how = (pair.alike, pair.renumbered, pair.abroad, pair.sites, pair.apart)
            return _verdict(said, name, score, tuple(sorted(by.items())), *how) if verdict else None
    return None


def _compared(left: Portrait, right: Portrait, by: dict[Means, Standing], forms: Forms) -> _Pair:
    numbers = bool(left.registrations and right.registrations)
    return _Pair(
        left,
        right,
        by,
        alike_names(left, right, forms),
        numbers and same_numbers(left, right),
        numbers and numbers_differ(left, right),
        abroad(left, right),
        bool(left.parents or right.parents) and organizations_apart(left, right),
        left.own[0] == right.own[0] and two_sites(left, right),
        forms,
    )


_ORDER = {standing: at for at, standing in enumerate(Standing)}
_Found = tuple[str, str, int] | None  # verdict (empty: not worth keeping), rule, score; None: the next rule is asked
_NOTHING = ("", "", 0)


def _by_source(pair: _Pair) -> _Found:
    return (NO_MATCH, "subsidiary", WHOLE // 100) if pair.apart else None


def _by_id(pair: _Pair) -> _Found:
    if Means.ID not in pair.by:
        return None
    level = pair.alike.level
    if level < Named.CLOSE and pair.renumbered:
        return UNSURE, "may_be_subsidiary", 500_000
    if pair.left.own in pair.right.ids or pair.right.own in pair.left.ids:
        doubt = WHOLE - _BY_ID.get(level, 980_000)
        return MATCH, "external_id", WHOLE - (doubt >> 3 if pair.numbered else doubt)
    if level >= Named.CLOSE or (level is not Named.CLASH and pair.by[Means.ID] is not Standing.COMPANY):
        return MATCH, "same_id", 970_000
    return UNSURE, "same_id", 500_000


def _by_number(pair: _Pair) -> _Found:
    if Means.REGISTRATION not in pair.by:
        return None
    level = pair.alike.level
    if not pair.numbered:  # a court's number, which other courts give, too, or that of a site
        sure = level >= Named.PART and not pair.renumbered
        return (MATCH, "court_or_site_number", 970_000) if sure else None
    if pair.renumbered:
        return UNSURE, "may_be_subsidiary", 400_000
    if level is Named.CLASH and pair.by[Means.REGISTRATION] is not Standing.PERSONAL:
        return UNSURE, "registration", 600_000
    return MATCH, "registration", _BY_NUMBER.get(level, 990_000)


def _by_other_number(pair: _Pair) -> _Found:
    if not pair.renumbered:
        return None
    if pair.alike.level >= Named.SISTER:
        return UNSURE, "may_be_subsidiary", 100_000
    return (NO_MATCH, "registration_differs", WHOLE // 100) if pair.reaches(*_ASKED) else _NOTHING


def _by_other_name(pair: _Pair) -> _Found:
    """Where the names differ."""
    level = pair.alike.level
    if level is Named.CLASH:
        if len(pair.reaches(Means.EMAIL, Means.INBOX, Means.PHONE, Means.ADDRESS)) > 1:
            return UNSURE, "may_be_renamed", 500_000
        return (NO_MATCH, "name_differs", WHOLE // 100) if pair.reaches(*_ASKED) else _NOTHING
    if level is Named.SISTER or (level is Named.PART and pair.alike.formal):
        return (UNSURE, "may_be_subsidiary", 150_000) if pair.reaches(*_ASKED) else _NOTHING
    return None


def _by_place(pair: _Pair) -> _Found:
    """Where the legal form, the country or the address says that it is another one of a group."""
    contact, domain = pair.reaches(*_CONTACTS), Means.DOMAIN in pair.by
    if pair.alike.level >= Named.CLOSE and pair.alike.apart:
        score = 500_000 if contact else 300_000 if domain else 200_000
        return UNSURE, "other_legal_form", score
    if pair.abroad:
        if not contact and not domain:
            return UNSURE, "may_be_namesake", 100_000
        return UNSURE, "may_be_subsidiary", 500_000 if contact else 300_000
    if pair.sites:
        return (UNSURE, "may_be_branch", 500_000 if contact else 300_000) if contact or domain else _NOTHING
    return None


def _by_name(pair: _Pair) -> _Found:
    """Where nothing speaks against both being one: by the strongest thing that they share."""
    level = pair.alike.level
    if level is Named.UNKNOWN:
        return _proposed(pair, _NO_NAME, (Standing.PERSONAL,), 600_000 if Means.PHONE in pair.by else 300_000)
    if level is Named.PART:
        if _domain_is_longer_name(pair):
            return MATCH, "domain_and_name", 930_000
        alone = Means.DOMAIN in pair.by and pair.by[Means.DOMAIN] is Standing.PERSONAL
        if pair.left.own[0] == pair.right.own[0]:  # who lists both knows two
            return (UNSURE, "may_be_subsidiary", 500_000) if pair.reaches(*_ASKED) else _NOTHING
        return _proposed(pair, _PART_OF_NAME, (Standing.PERSONAL,), 600_000 if alone else 200_000)
    if not pair.reaches(*_CONTACTS, Means.DOMAIN):
        return _by_title(pair)
    told = Means.DOMAIN not in pair.by or _one_of_the_name(pair)
    return _proposed(pair, _BY_NAME[level, told], _ANY, 500_000)


def _proposed(pair: _Pair, scores: dict[Means, int], worth: Sequence[Standing], otherwise: int) -> _Found:
    """The best of what they share decides; each further thing halves what is left to doubt."""
    found = sorted(((scores[m], m) for m, s in pair.by.items() if m in scores and s in worth), reverse=True)
    if found:
        score, means = found[0]
        rule = means.name.lower() if pair.alike.level is Named.UNKNOWN else f"{means.name.lower()}_and_name"
        return MATCH, rule, WHOLE - ((WHOLE - score) >> (len(found) - 1))
    return (UNSURE, "shared_contact", otherwise) if pair.reaches(*_ASKED) else _NOTHING


def _one_of_the_name(pair: _Pair) -> bool:
    """Whether a name and a domain say which one: not where branches, or companies of one group, bear the name."""
    if pair.by[Means.DOMAIN] is Standing.PERSONAL:
        return True
    if Means.TITLE not in pair.by:
        return pair.alike.level is Named.CLOSE and pair.by[Means.DOMAIN] is Standing.HOUSEHOLD
    worth = pair.by[Means.TITLE]
    same_country = not set(pair.left.countries).isdisjoint(pair.right.countries)
    return worth is Standing.PERSONAL or (worth is Standing.HOUSEHOLD and (same_country or pair.alike.formal))


def _domain_is_longer_name(pair: _Pair) -> bool:
    """Whether the domain is the longer of the two names: acme-robotics.com of Acme and Acme Robotics."""
    titles = pair.left.titles + pair.right.titles
    longest = max(len(title.words) for title in titles)
    longer = {whole(title.words) for title in titles if len(title.words) == longest}
    domains = set(pair.left.domains).intersection(pair.right.domains) if Means.DOMAIN in pair.by else ()
    return any(spelling(domain.split(".")[0].replace("-", "")) in longer for domain in domains)


def _by_title(pair: _Pair) -> _Found:
    """By name alone: across sources, where the name is one that namesakes hardly have and nothing speaks against it."""
    if pair.left.own[0] == pair.right.own[0] or pair.by.get(Means.TITLE) is None:
        return _NOTHING
    telling = max(pair.forms.titling.telling(title) for title in pair.left.titles + pair.right.titles)
    left, right = towns(pair.left), towns(pair.right)
    near, far = not left.isdisjoint(right), bool(left and right) and left.isdisjoint(right)
    if far:
        return (UNSURE, "name", 600_000) if telling > 1 else (UNSURE, "may_be_namesake", 300_000)
    alone = pair.by[Means.TITLE] is Standing.PERSONAL and not other_domains(pair.left, pair.right)
    if not alone or not (telling or near):
        return UNSURE, "may_be_namesake", 300_000
    same_country = not set(pair.left.countries).isdisjoint(pair.right.countries)
    return MATCH, "name", 910_000 + 20_000 * min(telling, 2) + (25_000 if near else 5_000 if same_country else 0)


_SAID = {
    Means.ID: "an id of the one at the other", Means.EMAIL: "same e-mail", Means.INBOX: "same inbox",
    Means.PHONE: "same phone", Means.HANDLE: "same profile page", Means.ADDRESS: "same address",
    Means.DOMAIN: "same domain", Means.TITLE: "same organization name", Means.REGISTRATION: "same registration number",
}  # fmt: skip
_WORTH_SAID = {Standing.HOUSEHOLD: " (which others of a group use, too)", Standing.COMPANY: " (which others use, too)"}
_NAMED = {
    Named.CLASH: "names differ", Named.UNKNOWN: "names cannot be compared", Named.SISTER: "names begin alike",
    Named.PART: "the one name is a part of the other", Named.LOCAL: "names agree but for a country",
    Named.CLOSE: "names nearly agree", Named.EQUAL: "names agree",
}  # fmt: skip


@lru_cache(maxsize=REMEMBERED)
def _verdict(
    said: str,
    rule: str,
    score: int,
    by: tuple[tuple[Means, Standing], ...],
    alike: Alike,
    renumbered: bool,
    abroad: bool,
    sites: bool,
    apart: bool,
) -> Verdict:
    """The verdict, with what agreed and then what did not, in words."""
    reasons = [_SAID[means] + _WORTH_SAID.get(worth, "") for means, worth in by if means in _SAID]
    against = {
        "different legal forms": alike.apart,
        "different registration numbers": renumbered,
        "different countries": abroad,
        "two addresses or domains in one source": sites,
        "the one is a part of the other": apart,
    }
    reasons += [_NAMED[alike.level], *(words for words, holds in against.items() if holds)]
    return Verdict(said, rule, score, tuple(reasons))


_RULES = (_by_source, _by_id, _by_number, _by_other_number, _by_other_name, _by_place, _by_name)
