"""Identity in memory. In: portraits and a judge. Out: who is whom, by the hub's keys, judge and clusters, without a
store: a second opinion on what the store's incremental way comes to, and the harness in which rules are measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from hub.identity.cluster import Clusters, cluster
from hub.identity.evidence.judge import Judge
from hub.identity.evidence.keys import keys_of
from hub.identity.evidence.means import Means, means_of, most
from hub.identity.evidence.standing import standing
from hub.identity.evidence.verdict import Profile, Shared, Standing, Verdict
from hub.identity.normalise.portrait import Portrait

EVERY_TWO = 20  # holders up to which every two of them are compared

Pair = tuple[int, int]
Holders = Sequence[tuple[int, bool]]


@dataclass(frozen=True, slots=True)
class Partition:
    """What became of the portraits, by their positions."""

    candidates: int
    verdicts: Mapping[Pair, Verdict]
    clusters: Clusters


def partition(portraits: Sequence[Portrait], judge: Judge) -> Partition:
    """Who is whom among the portraits, by position; a function of the portraits as a set, and of the rules."""
    shared = candidates(portraits, judge)
    profiles = {n: Profile(n, (*p.own, ""), p, None, None) for n, p in enumerate(portraits)}
    verdicts = {
        (left, right): verdict
        for (left, right), both in shared.items()
        if (verdict := judge.judge(profiles[left], profiles[right], both))
    }
    return Partition(len(shared), verdicts, cluster(profiles, verdicts, {}, judge))


def holders_of(portraits: Sequence[Portrait], judge: Judge) -> dict[int, list[tuple[int, bool]]]:
    """Each key to who holds it, and whether it is the id of the holder's own record."""
    found: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    for number, portrait in enumerate(portraits):
        for key, own in keys_of(portrait, judge.forms).items():
            found[key].append((number, own))
    return found


def candidates(portraits: Sequence[Portrait], judge: Judge) -> dict[Pair, list[Shared]]:
    """The pairs that are worth comparing, each with what the two share."""
    found: dict[Pair, list[Shared]] = defaultdict(list)
    for key, held in holders_of(portraits, judge).items():
        means = means_of(key)
        if not 2 <= len(held) <= most(means):
            continue
        worth = standing(means, [portraits[number] for number, _ in held], judge)
        owners = {number for number, own in held if own and means is Means.ID}
        for left, right in _pairs(held, owners, portraits):
            owning = (left in owners) + (right in owners)
            if owning == 1:
                found[left, right].append(Shared(means, Standing.PERSONAL, len(held)))
            elif not owning and worth is not Standing.JUNK:
                found[left, right].append(Shared(means, worth, len(held)))
    return found


def _pairs(held: Holders, owners: set[int], portraits: Sequence[Portrait]) -> Iterator[Pair]:
    """Every two of few holders; of many each with the first of its own side, and these with each other."""
    numbers = [number for number, _ in held]
    if len(numbers) <= EVERY_TWO:
        yield from combinations(numbers, 2)
        return
    first: dict[object, int] = {}
    for number in sorted(numbers, key=lambda n: portraits[n].own):
        first.setdefault(_side(portraits[number]), number)
    pairs = {(a, b) for a, b in combinations(sorted(first.values()), 2)}
    for number in numbers:
        pairs |= {(min(number, n), max(number, n)) for n in {first[_side(portraits[number])], *owners} - {number}}
    yield from pairs


def _side(portrait: Portrait) -> object:
    return portrait.names, portrait.titles, portrait.births
