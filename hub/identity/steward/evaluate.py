"""How good the hub's judgement is. In: labels and a store. Out: precision and recall, what a score means, a threshold.

Every labelled pair counts, also one that shares nothing and was never looked at. What another threshold would make is
found by following the stored judgements anew (maximal sets of profiles that judgements of that score or more join);
a match that was refused stays refused, and a way through a customer without any label is not followed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from hub.identity.divide import Sets
from hub.identity.evidence.verdict import MATCH, UNSURE, WHOLE
from hub.identity.steward.labels import Counts, Groups, Labels
from hub.store.bulk import among
from hub.store.derived import link, unresolved
from hub.store.kept import judgement, profile_ledger

_BINS = tuple(int(at * WHOLE) for at in (0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999))
_TRIED = tuple(int(at * WHOLE) for at in (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999))
_AS_GOOD = 0.002  # of F1: no reason to change anything


class Link(NamedTuple):
    """The hub's own judgement about a pair, the smaller number first; the score in millionths."""

    left: int
    right: int
    verdict: str
    score: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Labelled pairs of which the hub said a score from `least` on: the mean of what it said, and what was so."""

    least: int
    pairs: int
    said: float
    found: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What a threshold would make of the labelled pairs; it is in millionths."""

    threshold: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`groups` is the partition as it is; `unseen` counts the missed pairs about which the hub has no judgement.

    `pending` profiles wait to be resolved: what is said may change with them.
    """

    labels: Labels
    groups: Groups
    counts: Counts
    unseen: int
    bins: Sequence[Bin]
    trials: Sequence[Trial]
    now: int
    pending: int

    @property
    def suggested(self) -> int:
        """The threshold with the best F1, of equals the highest; today's where it is as good."""
        rated = {trial.threshold: trial.counts.f1 or 0.0 for trial in self.trials}
        best = max(rated.values())
        return self.now if rated[self.now] >= best - _AS_GOOD else max(t for t, f1 in rated.items() if f1 == best)


def evaluate(connection: Connection, labels: Labels, threshold: int) -> Evaluation:
    """Holds the labels beside the partition; `threshold` is today's for a match, in millionths. Only reads."""
    profiles = labels.profiles
    groups = _partition(connection, profiles)
    counts = labels.counts(groups)
    bins, edges, met = _Scores(), [], 0
    members = _members(connection, groups)
    for each in _links(connection, members):
        same = labels.same(each.left, each.right)
        if same is not None:
            bins.add(each.score, same)
            met += same and groups[each.left] != groups[each.right]
        if each.verdict == MATCH or (each.verdict == UNSURE and each.score < threshold):
            edges.append((each.score, each.left, each.right))
    joined = _joined(connection, members)
    trials = list(_trials(labels, members, joined, edges, sorted({*_TRIED, threshold}, reverse=True)))
    pending = _pending(connection)
    return Evaluation(labels, groups, counts, counts.missed - met, bins.bins(), trials[::-1], threshold, pending)


def _partition(connection: Connection, profiles: Collection[int]) -> dict[int, int]:
    """Each profile's customer; one that is nobody's is alone."""
    own = profile_ledger.c
    found = select(own.profile_no, own.customer_no).where(among(connection, own.profile_no, profiles))
    return {number: -number if customer is None else customer for number, customer in connection.execute(found)}


def _members(connection: Connection, groups: Groups) -> set[int]:
    """The labelled profiles and all others of their customers."""
    own = profile_ledger.c
    customers = {customer for customer in groups.values() if customer > 0}
    return {*groups, *connection.scalars(select(own.profile_no).where(among(connection, own.customer_no, customers)))}


def _links(connection: Connection, members: Collection[int]) -> Iterator[Link]:
    c = link.c
    columns = (c.left_profile_no, c.right_profile_no, c.verdict, c.score)
    rows = connection.execute(select(*columns).where(among(connection, c.left_profile_no, members)))
    return (Link(*row) for row in rows if row.right_profile_no in members)


def _joined(connection: Connection, members: Collection[int]) -> list[tuple[int, int]]:
    """The pairs that stewards have joined."""
    j = judgement.c
    standing = select(j.left_profile_no, j.right_profile_no).where(j.verdict == MATCH, j.withdrawn_at.is_(None))
    return [(left, right) for left, right in connection.execute(standing) if left in members and right in members]


def _trials(
    labels: Labels,
    members: Iterable[int],
    joined: Iterable[tuple[int, int]],
    edges: list[tuple[int, int, int]],
    thresholds: Iterable[int],
) -> Iterator[Trial]:
    """Joins from the best score down and looks at each threshold what has come together."""
    sets = Sets(members)
    for left, right in joined:
        sets.union(left, right)
    edges.sort()
    for threshold in thresholds:
        while edges and edges[-1][0] >= threshold:
            _, left, right = edges.pop()
            sets.union(left, right)
        yield Trial(threshold, labels.counts({number: sets.root(number) for number in labels.profiles}))


def _pending(connection: Connection) -> int:
    waiting = select(func.count()).select_from(profile_ledger).where(profile_ledger.c.pending)
    later = select(func.count()).select_from(unresolved)
    return int(connection.execute(waiting).scalar_one()) + int(connection.execute(later).scalar_one())


class _Scores:
    """Labelled pairs by score, counted as they come."""

    def __init__(self) -> None:
        self._sums = [[0, 0, 0] for _ in _BINS]  # pairs, scores, pairs that are the same

    def add(self, score: int, same: bool) -> None:
        """One more pair."""
        sums = self._sums[bisect_right(_BINS, score) - 1]
        for place, more in enumerate((1, score, same)):
            sums[place] += more

    def bins(self) -> list[Bin]:
        """The bins that hold any."""
        return [
            Bin(least, pairs, said / pairs / WHOLE, found / pairs)
            for least, (pairs, said, found) in zip(_BINS, self._sums, strict=True)
            if pairs
        ]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A pair that the labels and the hub see otherwise, and the hub's own judgement about it where there is one."""

    left: int
    right: int
    same: bool
    verdict: str | None
    rule: str | None
    score: int | None
    reasons: str | None


def with_judgements(connection: Connection, pairs: Sequence[tuple[int, int]], same: bool) -> list[Wrong]:
    """Pairs that are the same (or not), each with the hub's judgement about it. `reasons` is a JSON list."""
    c = link.c
    columns = (c.left_profile_no, c.right_profile_no, c.verdict, c.rule, c.score, c.reasons)
    lefts, rights = {left for left, _ in pairs}, {right for _, right in pairs}
    these = (among(connection, c.left_profile_no, lefts), among(connection, c.right_profile_no, rights))
    known = {(row[0], row[1]): row[2:] for row in connection.execute(select(*columns).where(*these))}
    return [Wrong(left, right, same, *known.get((left, right), (None,) * 4)) for left, right in pairs]
