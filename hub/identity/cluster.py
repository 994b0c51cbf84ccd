"""Clusters. In: profiles, verdicts on pairs, and what stewards decided. Out: the components, and the matches refused.

Most groups that matches make are calm: nothing in them contradicts anything, and they stay as they are. The others
are divided, see hub/identity/divide.py. Neither the order of arrival nor the batches change the outcome.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

from hub.identity.divide import Divided, Sets
from hub.identity.evidence.judge import Judge
from hub.identity.evidence.sides import Heard
from hub.identity.evidence.verdict import MATCH, Profile, Verdict
from hub.identity.normalise.portrait import Portrait, bare
from hub.identity.pairs import Pair
from hub.identity.region import Steward

_FEW = 50  # sides that are compared all with all; a group with more is followed join by join
_LEAST_BRIDGED = 4  # profiles: two groups of two


@dataclass(frozen=True, slots=True)
class Clusters:
    """`groups` are the components; `refused` the matches across them, with why."""

    groups: list[list[int]]
    refused: dict[Pair, str]


def cluster(
    profiles: Mapping[int, Profile],
    verdicts: Mapping[Pair, Verdict],
    stewards: Mapping[Pair, Steward],
    judge: Judge,
) -> Clusters:
    """The partition of the profiles; a function of their content, of the verdicts and of the stewards' alone."""
    matches = {p: v for p, v in verdicts.items() if v.verdict == MATCH and p[0] in profiles and p[1] in profiles}
    decided = {p: s.verdict for p, s in stewards.items() if _same_kind(p, profiles)}
    joins = [p for p, verdict in decided.items() if verdict == MATCH]
    sets = Sets(chain.from_iterable(chain(matches, joins)))
    sets.union_all(chain(matches, joins))
    edges: dict[int, list[Pair]] = defaultdict(list)
    for edge in matches:
        edges[sets.root(edge[0])].append(edge)
    said: dict[int, dict[Pair, str]] = defaultdict(dict)
    for edge, verdict in decided.items():
        if edge[0] in sets and edge[1] in sets and sets.root(edge[0]) == sets.root(edge[1]):
            said[sets.root(edge[0])][edge] = verdict
    groups = [[number] for number in profiles if number not in sets]
    refused: dict[Pair, str] = {}
    for group in sets.groups():
        root = group[0]
        if root not in said and _calm(group, edges[root], profiles, matches, judge):
            groups.append(group)
            continue
        divided = Divided(group, profiles, said[root], judge)
        groups += divided.follow({edge: matches[edge] for edge in edges[root]})
        refused |= divided.refused
    return Clusters(sorted(groups), refused)


def _same_kind(edge: Pair, profiles: Mapping[int, Profile]) -> bool:
    return edge[0] in profiles and edge[1] in profiles and profiles[edge[0]].kind == profiles[edge[1]].kind


def _calm(
    group: Sequence[int],
    edges: Collection[Pair],
    profiles: Mapping[int, Profile],
    matches: Mapping[Pair, Verdict],
    judge: Judge,
) -> bool:
    """Whether nothing speaks against the whole group: the common case, and cheap to see."""
    sides = _sides([profiles[number].portrait for number in group])
    heard = Heard(sides, judge)
    if len(sides) > _FEW or any(heard.at_odds(a, b) for a, b in combinations(sides, 2)):
        return False
    if len(group) == 2:
        return True
    visitors = {n for n in group if bare(profiles[n].portrait)}
    if visitors and max(Counter(n for edge in edges for n in edge if n in visitors).values()) > 1:
        return False
    return len(group) < _LEAST_BRIDGED or not _may_bridge(group, edges, matches, judge)


def _sides(portraits: Sequence[Portrait]) -> Collection[Portrait]:
    """One portrait for each that is said of who somebody is; every organization stands for itself."""
    if portraits[0].kind == "ORGANIZATION":
        return portraits
    first = portraits[0]
    others = [p for p in portraits if p.names != first.names or p.births != first.births]
    return {(p.names, p.births): p for p in (first, *others)}.values()


def _may_bridge(group: Iterable[int], edges: Collection[Pair], matches: Mapping[Pair, Verdict], judge: Judge) -> bool:
    """Whether a weak match may join two groups of the group that hold together strongly."""
    sure = [edge for edge in edges if matches[edge].score >= judge.strong or matches[edge].rule in judge.as_one]
    if len(sure) == len(edges):
        return False
    strong = Sets(group)
    strong.union_all(sure)
    return sum(len(held) > 1 for held in strong.groups()) > 1
