"""Clusters. In: profiles, verdicts on pairs, and what stewards decided. Out: the components, and the matches refused.

Matches are followed from the strongest to the weakest, and one that would put contradicting profiles together is
refused: so of a chain the weakest link gives way (Kruskal's order, with constraints). Ties go by the profiles' places
in their sources, so that neither the order of arrival nor the batches change the outcome.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from hub.identity.keys import Profile
from hub.identity.likeness import BirthDates, Likeness, Likenesses, birth_dates
from hub.identity.normalise import Name, Title
from hub.identity.region import Pair, Steward, pair
from hub.identity.verify import MATCH, Verdict

BY_STEWARD = "a steward keeps these profiles apart"
BY_CHAIN_STEWARD = "a stronger chain leads to a profile that a steward keeps apart"
BY_CHAIN = "a stronger chain leads to a profile with another name or birth date"


class Sets:
    """Union-find over profile numbers."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._parent = {number: number for number in numbers}

    def root(self, number: int) -> int:
        """The representative of the number's set."""
        parent = self._parent
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    def union(self, left: int, right: int) -> None:
        """Makes one set of both."""
        first, second = self.root(left), self.root(right)
        if first != second:
            self._parent[max(first, second)] = min(first, second)

    def groups(self) -> list[list[int]]:
        """The sets, each sorted, by their smallest number."""
        found: dict[int, list[int]] = defaultdict(list)
        for number in sorted(self._parent):
            found[self.root(number)].append(number)
        return list(found.values())


@dataclass(frozen=True, slots=True)
class Clusters:
    """`groups` are the components; `refused` the matches across them, with why."""

    groups: list[list[int]]
    refused: dict[Pair, str]


def cluster(
    profiles: Mapping[int, Profile],
    verdicts: Mapping[Pair, Verdict],
    stewards: Mapping[Pair, Steward],
    likenesses: Likenesses,
) -> Clusters:
    """The partition of the profiles; a function of their content, of the verdicts and of the stewards' alone."""
    matches = {p: v for p, v in verdicts.items() if v.verdict == MATCH and p[0] in profiles and p[1] in profiles}
    decided = {p: s.verdict for p, s in stewards.items() if _same_kind(p, profiles)}
    sets = Sets(profiles)
    for left, right in (*matches, *(p for p, verdict in decided.items() if verdict == MATCH)):
        sets.union(left, right)
    edges: dict[int, list[Pair]] = defaultdict(list)
    for edge in matches:
        edges[sets.root(edge[0])].append(edge)
    said: dict[int, dict[Pair, str]] = defaultdict(dict)
    for edge, verdict in decided.items():
        said[sets.root(edge[0])][edge] = verdict
    groups: list[list[int]] = []
    refused: dict[Pair, str] = {}
    for group in sets.groups():
        root = sets.root(group[0])
        if _harmonious(group, said[root], profiles, likenesses):
            groups.append(group)
            continue
        divided = _Divided(group, profiles, said[root], likenesses)
        groups += divided.follow({edge: matches[edge] for edge in edges[root]})
        refused |= divided.refused
    return Clusters(groups, refused)


def _same_kind(edge: Pair, profiles: Mapping[int, Profile]) -> bool:
    return edge[0] in profiles and edge[1] in profiles and profiles[edge[0]].kind == profiles[edge[1]].kind


def _harmonious(
    group: list[int], said: Mapping[Pair, str], profiles: Mapping[int, Profile], likenesses: Likenesses
) -> bool:
    """Whether nothing speaks against the whole group: the common case, and cheap to see."""
    if len(group) == 1:
        return True
    if any(verdict != MATCH for verdict in said.values()):
        return False
    distinct = {(profiles[n].names, profiles[n].births) for n in group}
    return not any(_contradict(a, b, likenesses) for a, b in combinations(distinct, 2))


Side = tuple[frozenset[Name | Title], frozenset[str]]


def _contradict(left: Side, right: Side, likenesses: Likenesses) -> bool:
    different = birth_dates(left[1], right[1]) is BirthDates.DIFFERENT
    return different or likenesses.names(left[0], right[0]) is Likeness.CLASH


class _Divided:
    """A group in which something contradicts: followed link by link.

    Profiles that a steward or an id joins count as one, with all their names as alternatives: where they are joined
    in spite of their names, others of either name find them and do not contradict each other.
    """

    def __init__(
        self, group: list[int], profiles: Mapping[int, Profile], said: Mapping[Pair, str], likenesses: Likenesses
    ) -> None:
        self._profiles = profiles
        self._likenesses = likenesses
        self._said = said
        self._group = group
        self._ones, self._sets = Sets(group), Sets(group)
        self._at_odds: set[Side] = set()  # what counts as one although its own names contradict each other
        self.refused: dict[Pair, str] = {}

    def follow(self, matches: Mapping[Pair, Verdict]) -> list[list[int]]:
        """The components of the group; fills `refused`."""
        for edge in sorted((p for p, verdict in self._said.items() if verdict == MATCH), key=self._places):
            if not self._kept_apart(edge):
                self._ones.union(*edge)
                self._sets.union(*edge)
        for edge in sorted(matches, key=lambda p: (-matches[p].score, self._places(p))):
            if matches[edge].rule == "external_id":
                self._follow(edge, self._ones)
        for edge in sorted(matches, key=lambda p: (-matches[p].score, self._places(p))):
            if matches[edge].rule != "external_id":
                self._follow(edge, None)
        groups = self._sets.groups()
        self.refused = {e: why for e, why in self.refused.items() if self._sets.root(e[0]) != self._sets.root(e[1])}
        return groups

    def _follow(self, edge: Pair, ones: Sets | None) -> None:
        if self._sets.root(edge[0]) == self._sets.root(edge[1]):
            return
        why = self._kept_apart(edge) or (None if ones else self._contradiction(edge))
        if why:
            self.refused[edge] = why
            return
        self._sets.union(*edge)
        if ones:
            ones.union(*edge)

    def _places(self, edge: Pair) -> tuple[tuple[str, str, str], ...]:
        return tuple(sorted(self._profiles[number].place for number in edge))

    def _members(self, number: int) -> list[int]:
        root = self._sets.root(number)
        return [n for n in self._group if self._sets.root(n) == root]

    def _kept_apart(self, edge: Pair) -> str | None:
        if self._said.get(edge, MATCH) != MATCH:
            return BY_STEWARD
        left, right = self._members(edge[0]), self._members(edge[1])
        apart = any(self._said.get(pair(a, b), MATCH) != MATCH for a in left for b in right)
        return BY_CHAIN_STEWARD if apart else None

    def _contradiction(self, edge: Pair) -> str | None:
        """Whether anybody on the one side contradicts anybody on the other, and nothing says that both are one."""
        left, right = self._sides(edge[0]), self._sides(edge[1])
        both_names = [side for side in left | right if side in self._at_odds]
        for a, b in product(left, right):
            if _contradict(a, b, self._likenesses) and not any(
                not _contradict(a, c, self._likenesses) and not _contradict(b, c, self._likenesses) for c in both_names
            ):
                return BY_CHAIN
        return None

    def _sides(self, number: int) -> set[Side]:
        """What the set says of itself, one side for each that counts as one."""
        ones: dict[int, list[Profile]] = defaultdict(list)
        for member in self._members(number):
            ones[self._ones.root(member)].append(self._profiles[member])
        return {self._side(one) for one in ones.values()}

    def _side(self, one: list[Profile]) -> Side:
        names, births = (
            frozenset[Any]().union(*said) for said in zip(*((p.names, p.births) for p in one), strict=True)
        )
        own = {(p.names, p.births) for p in one}
        if any(_contradict(a, b, self._likenesses) for a, b in combinations(own, 2)):
            self._at_odds.add((names, births))
        return names, births
