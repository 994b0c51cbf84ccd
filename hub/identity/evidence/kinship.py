"""Kinship of organizations. In: portraits. Out: what they are found by, what keeps two of them apart (name, number,
legal form, country, site), and what a key is worth by who holds it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import IntEnum

from rapidfuzz.distance import OSA

from hub.identity.evidence.means import Means
from hub.identity.evidence.titles import Alike, Named, names_alike, whole
from hub.identity.evidence.verdict import Standing
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Address, Portrait
from hub.identity.normalise.registrations import COURT, DUNS, VAT, country_of

ALL_PAIRS = 24  # of more holders than these, all are compared with these many that say the most
MANY_SITES = 50  # of one key; that many show what it is
MANY_OF_A_NAME = 4  # profiles of one source under one name: more are branches
NAMES_OF_ONE = 2  # different names that one registration number has, where somebody was renamed


class Relation(IntEnum):
    """Why two organizations are not one. GROUP: one name, but another country, legal form or number, or a longer name.
    SITES: one source lists them at two addresses or domains. STRANGERS: other names.
    """

    NONE = 0
    GROUP = 1
    SITES = 2
    STRANGERS = 3


def relation(left: Portrait, right: Portrait, forms: Forms) -> Relation:
    """What speaks against both being one, the worst first; symmetric. One legal entity is one whatever its names."""
    if (left.parents or right.parents) and organizations_apart(left, right):
        return Relation.GROUP
    found = _by_what_they_say(left, right, forms)
    if found is Relation.NONE and left.own[0] == right.own[0] and two_sites(left, right):
        return Relation.NONE if same_numbers(left, right) else Relation.SITES
    return found


def _by_what_they_say(left: Portrait, right: Portrait, forms: Forms) -> Relation:
    if left.registrations and right.registrations:
        if numbers_differ(left, right):
            return Relation.GROUP
        if same_numbers(left, right):
            return Relation.NONE
    alike = alike_names(left, right, forms)
    if alike.level is Named.CLASH:
        return Relation.STRANGERS
    if alike.level is Named.SISTER or (alike.level is Named.PART and alike.formal):
        return Relation.GROUP
    return Relation.GROUP if (alike.level >= Named.CLOSE and alike.apart) or abroad(left, right) else Relation.NONE


def organizations_contradict(left: Portrait, right: Portrait, forms: Forms) -> bool:
    """Whether two profiles say of themselves that they are different organizations."""
    return relation(left, right, forms) is not Relation.NONE


def organizations_apart(left: Portrait, right: Portrait) -> bool:
    """Whether a source says that the one is a part of the other: no shared number or id makes them one."""
    return left.own in right.parents or right.own in left.parents


def alike_names(left: Portrait, right: Portrait, forms: Forms) -> Alike:
    """How alike their names are."""
    return names_alike(left.titles, right.titles, (left.countries, right.countries), forms)


def same_numbers(left: Portrait, right: Portrait) -> bool:
    """Whether both have a number that one legal entity of a country has."""
    return any(one in right.registrations and one[0] not in (COURT, DUNS) for one in left.registrations)


def numbers_differ(left: Portrait, right: Portrait) -> bool:
    """Whether both have a number of one kind and country, and not the same; one VAT number mistyped is the same."""
    for kind, number in left.registrations:
        if kind in (COURT, DUNS) or (kind, number) in right.registrations:
            continue
        others = [n for k, n in right.registrations if k == kind and country_of(n) == country_of(number)]
        mistyped = kind == VAT and any(OSA.distance(number, n, score_cutoff=1) <= 1 for n in others)
        if others and not mistyped and not any((kind, n) in left.registrations for n in others):
            return True
    return False


def abroad(left: Portrait, right: Portrait) -> bool:
    """Whether they are in different countries."""
    return bool(left.countries and right.countries) and not any(code in right.countries for code in left.countries)


def two_sites(left: Portrait, right: Portrait) -> bool:
    """Whether one source lists them under two domains, or at two addresses with nothing by which one reaches both."""
    if left.own[0] != right.own[0] or left.own == right.own:
        return False
    if other_domains(left, right):
        return True
    if not left.addresses or not right.addresses:
        return False
    contacts = set(left.emails + left.phones).isdisjoint(right.emails + right.phones)
    return contacts and not any(_one_site(a, b) for a in left.addresses for b in right.addresses)


def _one_site(left: Address, right: Address) -> bool:
    town = left.postcode == right.postcode if left.postcode and right.postcode else left.city == right.city
    return town and (left.number == right.number or not left.number or not right.number)


def organization_keys(portrait: Portrait, forms: Forms) -> Iterable[tuple[Means, str]]:
    """What an organization is found by besides contacts and ids: numbers, domains and the words of its names."""
    yield from ((Means.REGISTRATION, f"{kind}:{number}") for kind, number in portrait.registrations)
    yield from ((Means.DOMAIN, domain) for domain in portrait.domains)
    for title in portrait.titles:
        words = forms.titling.full(title.words)
        yield Means.TITLE, whole(words)
        if len(words) > 1:
            yield Means.TITLE, " ".join(sorted(words))


def organization_standing(means: Means, holders: Sequence[Portrait], limit: int, forms: Forms) -> Standing:
    """What a key of organizations is, from all who hold it; the same whatever their order.

    HOUSEHOLD: of one group; COMPANY: of several sites or strangers; JUNK: of more names than `limit`.
    """
    distinct = list({(p.titles, p.registrations, p.countries): p for p in holders}.values())
    if len(distinct) > limit and len({p.titles for p in distinct if p.titles}) > limit:
        return Standing.JUNK
    if means is Means.REGISTRATION:
        return Standing.COMPANY if _strangers(distinct, forms) > NAMES_OF_ONE else Standing.PERSONAL
    worst = max(_worst(distinct, forms), _worst_of_one_source(holders, forms))
    if means in (Means.TITLE, Means.DOMAIN) and len(holders) > MANY_OF_A_NAME and worst is not Relation.STRANGERS:
        sources = Counter(portrait.own[0] for portrait in holders)
        worst = Relation.SITES if max(sources.values()) > MANY_OF_A_NAME else worst
    if means is Means.TITLE and worst < Relation.SITES and _namesakes(holders):
        worst = Relation.SITES
    return _WORTH[worst]


_WORTH = {
    Relation.NONE: Standing.PERSONAL,
    Relation.GROUP: Standing.HOUSEHOLD,
    Relation.SITES: Standing.COMPANY,
    Relation.STRANGERS: Standing.COMPANY,
}


def _worst(distinct: list[Portrait], forms: Forms) -> Relation:
    """The worst that what any two say of themselves makes."""
    if len(distinct) > ALL_PAIRS:
        distinct.sort(key=lambda p: (-len(p.registrations) - len(p.countries), p.titles, p.registrations, p.countries))
    worst = Relation.NONE
    for at, left in enumerate(distinct[:ALL_PAIRS], 1):
        for right in distinct[at:]:
            worst = max(worst, _by_what_they_say(left, right, forms))
            if worst is Relation.STRANGERS:
                return worst
    return worst


def _worst_of_one_source(holders: Sequence[Portrait], forms: Forms) -> Relation:
    """The worst of those that one source lists as sites or parts of each other."""
    listed = [portrait for portrait in holders if portrait.addresses or portrait.domains or portrait.parents]
    if len(listed) < 2 and not (listed and listed[0].parents):
        return Relation.NONE
    worst = Relation.NONE
    listed.sort(key=lambda portrait: portrait.own)
    for left in listed[:MANY_SITES]:
        others = holders if left.parents else listed
        for right in others:
            if right is not left and right.own[0] == left.own[0]:
                worst = max(worst, relation(left, right, forms))
    return worst


def _namesakes(holders: Sequence[Portrait]) -> bool:
    """Whether of those who bear a name two look like different ones: nothing in common, and listed by one source, in
    two towns or with two domains.
    """
    few = sorted(holders, key=lambda portrait: portrait.own)[:ALL_PAIRS]
    for at, left in enumerate(few, 1):
        for right in few[at:]:
            unlike = left.own[0] == right.own[0] or _disjoint(towns(left), towns(right)) or other_domains(left, right)
            if unlike and not in_common(left, right):
                return True
    return False


def in_common(left: Portrait, right: Portrait) -> bool:
    """Whether they share anything besides the name."""
    if left.own in right.ids or right.own in left.ids:
        return True
    shared = ("domains", "emails", "phones", "handles", "addresses", "registrations", "ids")
    return any(not set(getattr(left, name)).isdisjoint(getattr(right, name)) for name in shared)


def towns(portrait: Portrait) -> set[object]:
    """Postcodes and towns of its addresses."""
    return {part for address in portrait.addresses for part in (address.postcode, address.city) if part}


def other_domains(left: Portrait, right: Portrait) -> bool:
    """Whether both have domains, and not one name among them under any ending."""
    if not left.domains or not right.domains or left.domains == right.domains:
        return False
    labels = [{domain.split(".")[0] for domain in side.domains} for side in (left, right)]
    return labels[0].isdisjoint(labels[1])


def _disjoint(left: set[object], right: set[object]) -> bool:
    return bool(left and right) and left.isdisjoint(right)


def _strangers(distinct: Iterable[Portrait], forms: Forms) -> int:
    """How many names there are that have nothing to do with each other."""
    found: list[Portrait] = []
    for portrait in distinct:
        if portrait.titles and all(alike_names(portrait, other, forms).level <= Named.CLASH for other in found):
            found.append(portrait)
    return len(found)
