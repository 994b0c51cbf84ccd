"""The region. In: profiles to be resolved. Out: every profile whose customer may change by them, with a verdict on
each pair that shares a key.

It grows from the given profiles along keys once, then along what joins: matches, judgements of stewards, the last
assignment. So its size is that of the components touched, not of the store.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from hub.identity.keys import Means, Profile, Standing, means_of, standing
from hub.identity.likeness import Likenesses
from hub.identity.normalise import Forms
from hub.identity.register import active_holders, name_of
from hub.identity.verify import MATCH, Shared, Verdict, judge
from hub.store.bulk import among
from hub.store.derived import match_key
from hub.store.kept import judgement, profile_ledger
from hub.store.mapped import MAPPED

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Steward:
    """What a steward decided about a pair: the newest that is not withdrawn."""

    verdict: str
    reason: str


@dataclass(slots=True)
class Region:
    """Profiles looked at. `inside` are those to be resolved, the others only say what a key is worth."""

    profiles: dict[int, Profile] = field(default_factory=dict)
    inside: set[int] = field(default_factory=set)
    keys: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    holders: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    verdicts: dict[Pair, Verdict] = field(default_factory=dict)
    stewards: dict[Pair, Steward] = field(default_factory=dict)
    customers: set[int] = field(default_factory=set)


def pair(left: int, right: int) -> Pair:
    """The pair with the smaller number first."""
    return (left, right) if left < right else (right, left)


def gather(
    connection: Connection, seeds: Iterable[int], forms: Forms, likenesses: Likenesses, shared_limit: int
) -> Region:
    """The region around the seeds, complete: no profile outside is joined to one inside."""
    region = Region()
    frontier = set(seeds)
    neighbours = True
    while frontier:
        partners = _grow(connection, region, frontier, forms, shared_limit)
        partners |= _judge_pairs(region, frontier, forms, likenesses)
        if neighbours:
            partners |= {n for f in frontier for key in region.keys[f] for n, _ in region.holders.get(key, ())}
            neighbours = False
        frontier = partners - region.inside
    return region


def _grow(connection: Connection, region: Region, frontier: set[int], forms: Forms, shared_limit: int) -> set[int]:
    """Takes the frontier in, with its keys and whoever holds them; returns those whom a person or a past joins."""
    region.inside |= frontier
    found = set()
    for key, number in connection.execute(
        select(match_key.c.key, match_key.c.profile_no).where(among(connection, match_key.c.profile_no, frontier))
    ):
        region.keys[number].add(key)
        found.add(key)
    new = found - region.holders.keys()
    region.holders.update((key, []) for key in new)
    for key, number, own in active_holders(connection, new, shared_limit):
        region.holders[key].append((number, own))
    wanted = frontier | {number for key in new for number, _ in region.holders[key]}
    region.profiles.update(_load(connection, wanted - region.profiles.keys(), forms))
    return _last_together(connection, region, frontier) | _stewards(connection, region, frontier)


def _last_together(connection: Connection, region: Region, frontier: Iterable[int]) -> set[int]:
    """All who were last assigned to a customer of the frontier."""
    last = {region.profiles[n].customer_no for n in frontier} - region.customers - {None}
    customers = {number for number in last if number is not None}
    region.customers |= customers
    if not customers:
        return set()
    own = profile_ledger.c
    return set(connection.scalars(select(own.profile_no).where(among(connection, own.customer_no, customers))))


def _stewards(connection: Connection, region: Region, frontier: Collection[int]) -> set[int]:
    """Reads what stewards decided about the frontier; returns those whom they joined to it."""
    j = judgement.c
    about = or_(among(connection, j.left_profile_no, frontier), among(connection, j.right_profile_no, frontier))
    columns = (j.left_profile_no, j.right_profile_no, j.verdict, j.reason)
    joined = set()
    rows = connection.execute(select(*columns).where(about, j.withdrawn_at.is_(None)).order_by(j.judgement_no))
    for left, right, verdict, reason in rows:
        region.stewards[pair(left, right)] = Steward(verdict, reason)
        joined |= {left, right}
    return joined


def _judge_pairs(region: Region, frontier: Iterable[int], forms: Forms, likenesses: Likenesses) -> set[int]:
    """Judges every pair of which one is in the frontier; returns whom it matches."""
    partners = set()
    for left in frontier:
        for right, shared in _candidates(region, left, forms, likenesses).items():
            a, b = pair(left, right)
            if (a, b) not in region.verdicts:
                region.verdicts[a, b] = judge(region.profiles[a], region.profiles[b], shared, likenesses)
            if region.verdicts[a, b].verdict == MATCH:
                partners.add(right)
    return partners


def _candidates(region: Region, left: int, forms: Forms, likenesses: Likenesses) -> dict[int, list[Shared]]:
    """Who shares a key with the profile, and which. Two records' own ids being the same text means nothing."""
    found: dict[int, list[Shared]] = defaultdict(list)
    for key in region.keys[left]:
        holders = region.holders[key]
        if len(holders) < 2:
            continue
        means, worth = means_of(key), _standing(region, key, forms, likenesses)
        owners = {number for number, own in holders if own}
        for right, own in holders:
            if right == left or (own and left in owners):
                continue
            owned = means is Means.ID and (own or left in owners)
            found[right].append(Shared(means, Standing.PERSONAL if owned else worth))
    return found


def _standing(region: Region, key: str, forms: Forms, likenesses: Likenesses) -> Standing:
    if key not in region.standings:
        held = [region.profiles[number] for number, _ in region.holders[key]]
        region.standings[key] = standing(key, held, forms, likenesses)
    return region.standings[key]


def _load(connection: Connection, numbers: Collection[int], forms: Forms) -> dict[int, Profile]:
    """The profiles with these numbers; one without a record has no kind."""
    found: dict[int, list[Any]] = defaultdict(list)
    if numbers:
        for row in connection.execute(_records(connection, numbers)):
            found[row.profile_no].append(row)
    return {number: _profile(rows, forms) for number, rows in found.items()}


def _records(connection: Connection, numbers: Collection[int]) -> Select[Any]:
    own, p = profile_ledger.c, MAPPED["profile"].c
    joined = profile_ledger.outerjoin(MAPPED["profile"], p.profile_no == own.profile_no)
    columns = (
        own.profile_no, own.source, own.stream, own.key, own.customer_no, own.previous_no,
        p.kind, p.given_name, p.family_name, p.display_name, p.birth_date, p.country,
    )  # fmt: skip
    return select(*columns).distinct().select_from(joined).where(among(connection, own.profile_no, numbers))


def _profile(rows: Sequence[Any], forms: Forms) -> Profile:
    """One profile of its records: a visitor has one a visit."""
    first = rows[0]
    kind = min((row.kind for row in rows if row.kind), default="")
    plain = Profile(
        first.profile_no, (first.source, first.stream, first.key), kind, frozenset(), frozenset(), frozenset(),
        first.customer_no, first.previous_no,
    )  # fmt: skip
    if not kind:
        return plain
    return replace(
        plain,
        names=frozenset(name for row in rows if (name := name_of(row, kind, forms))),
        births=frozenset(row.birth_date for row in rows if row.birth_date) - forms.junk_births,
        countries=frozenset(row.country for row in rows if row.country),
    )
