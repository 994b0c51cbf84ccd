"""Dividing. In: a group of profiles in which something contradicts, and its matches. Out: its parts.

Matches are followed from the strongest to the weakest, and one that would put contradicting profiles together is
refused: so of a chain the weakest link gives way (Kruskal's order, with constraints). So is a weak match that would
bridge two parts which each hold together strongly, where nothing else confirms it. Ties go by the profiles' places.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product

import msgspec

from hub.identity.evidence.judge import Judge
from hub.identity.evidence.organizations import organizations_apart
from hub.identity.evidence.sides import Heard
from hub.identity.evidence.verdict import MATCH, Profile, Verdict
from hub.identity.normalise.portrait import Portrait, bare
from hub.identity.pairs import Pair

BY_STEWARD = "a steward keeps these profiles apart"
BY_CHAIN_STEWARD = "a stronger chain leads to a profile that a steward keeps apart"
BY_CHAIN = "a stronger chain leads to a profile with another name or birth date"
BY_BRIDGE = "both sides hold together more strongly, and nothing else confirms that they are one"
BY_DEVICE = "the device leads to several customers"
BY_PARENT = "the one is a part of the other"

_ALTERNATIVES = ("names", "titles", "births", "countries", "addresses", "registrations", "domains", "parents")

Rules = Mapping[int, Mapping[int, set[str]]]


class Sets:
    """Union-find over profile numbers."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._parent = {number: number for number in numbers}

    def __contains__(self, number: int) -> bool:
        return number in self._parent

    def root(self, number: int) -> int:
        """The representative of the number's set: the smallest of it."""
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

    def union_all(self, edges: Iterable[Pair]) -> None:
        """Makes one set of both ends of each."""
        parent, root = self._parent, self.root
        for left, right in edges:
            first, second = parent[left], parent[right]
            if first != second:
                first, second = root(first), root(second)
                parent[max(first, second)] = min(first, second)

    def groups(self) -> list[list[int]]:
        """The sets, each sorted, by their smallest number."""
        found: dict[int, list[int]] = defaultdict(list)
        for number in sorted(self._parent):  # roots come first, so that a number's parent knows its root
            root = self._parent[number] = self._parent[self._parent[number]]
            found[root].append(number)
        return list(found.values())


def side_of(portrait: Portrait) -> Portrait:
    """What a profile says of who it is: of a person names and birth dates, of an organization everything."""
    if portrait.kind == "ORGANIZATION":
        return portrait
    return Portrait(portrait.kind, ("", ""), names=portrait.names, births=portrait.births)


@dataclass(slots=True)
class _Part:
    """Profiles that are together so far. `sides` are what they say of who they are, `torn` those of these that
    contradict themselves, joined in spite of it. `core`: they hold together strongly; `known`: they can be reached.
    """

    members: list[int]
    known: bool
    core: bool = False
    sides: dict[Portrait, None] = field(default_factory=dict)
    torn: list[Portrait] = field(default_factory=list)
    apart: set[int] = field(default_factory=set)

    def take_in(self, other: _Part) -> None:
        """Makes the other one a part of this one."""
        self.members += other.members
        self.known |= other.known
        self.core |= other.core
        self.sides |= other.sides
        self.torn += other.torn
        self.apart |= other.apart


class Divided:
    """A group followed link by link; `refused` says which matches were not followed, and why.

    Profiles that a steward or an id joins count as one, with all their names as alternatives: where they are joined
    in spite of their names, others of either name find them and do not contradict each other.
    """

    def __init__(
        self, group: Iterable[int], profiles: Mapping[int, Profile], said: Mapping[Pair, str], judge: Judge
    ) -> None:
        self.refused: dict[Pair, str] = {}
        self._portraits = {number: profiles[number].portrait for number in group}
        self._place = {number: profiles[number].place for number in self._portraits}
        self._said = said
        self._judge = judge
        self._sets = Sets(self._portraits)
        self._parts = {n: _Part([n], bool(p.emails or p.phones or p.ids)) for n, p in self._portraits.items()}
        self._bare = {number for number, portrait in self._portraits.items() if bare(portrait)}
        self._clashes: dict[tuple[int, int, int, int], bool] = {}
        for (left, right), verdict in said.items():
            if verdict != MATCH and left in self._parts and right in self._parts:
                self._parts[left].apart.add(right)
                self._parts[right].apart.add(left)

    def follow(self, matches: Mapping[Pair, Verdict]) -> list[list[int]]:
        """The components of the group."""
        for edge in sorted((p for p, verdict in self._said.items() if verdict == MATCH), key=self._places):
            if not self._kept_apart(edge):
                self._join(edge, True)
        ordered = sorted(matches.items(), key=lambda m: (-m[1].score, self._places(m[0])))
        for edge, verdict in ordered:
            if verdict.rule in self._judge.as_one:
                self._follow(edge, self._kept_apart(edge) or self._is_part(edge), True)
        for root in {self._sets.root(number) for number in self._parts}:
            self._look_at(self._parts[root])
        plain = {edge: verdict for edge, verdict in ordered if verdict.rule not in self._judge.as_one}
        self._follow_plain({edge: verdict for edge, verdict in plain.items() if not self._is_visit(edge)})
        self._follow_visits(edge for edge in plain if self._is_visit(edge))
        self.refused = {e: why for e, why in self.refused.items() if self._sets.root(e[0]) != self._sets.root(e[1])}
        return self._sets.groups()

    def _places(self, edge: Pair) -> list[tuple[str, str, str]]:
        return sorted(self._place[number] for number in edge)

    def _is_visit(self, edge: Pair) -> bool:
        return (edge[0] in self._bare) != (edge[1] in self._bare)

    def _follow_plain(self, matches: Mapping[Pair, Verdict]) -> None:
        """Follows matches that names and birth dates can speak against, the strongest first; at the end those that
        were found in spite of a name or birth date.
        """
        rules: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for (left, right), verdict in matches.items():
            rules[left][right].add(verdict.rule)
            rules[right][left].add(verdict.rule)
        for edge, verdict in sorted(matches.items(), key=lambda match: match[1].rule in self._judge.despite):
            if self._ends(edge):
                strong = verdict.score >= self._judge.strong
                why = self._kept_apart(edge) or self._contradiction(edge, verdict.rule, rules)
                self._follow(edge, why or (None if strong else self._bridge(edge, rules)), strong)

    def _follow_visits(self, visits: Iterable[Pair]) -> None:
        """Joins a bare device to the one customer that it leads to; to nobody where there are several."""
        found: dict[int, list[Pair]] = defaultdict(list)
        for edge in visits:
            found[self._sets.root(edge[0] if edge[0] in self._bare else edge[1])].append(edge)
        for edges in found.values():
            leads_to = {self._sets.root(n) for edge in edges for n in edge if n not in self._bare}
            visitor = next(number for number in edges[0] if number in self._bare)
            alone = len(leads_to) == 1 and self._bare.issuperset(self._part(visitor).members)
            for edge in edges:
                self._follow(edge, self._kept_apart(edge) or (None if alone else BY_DEVICE), False)

    def _follow(self, edge: Pair, why: str | None, strong: bool) -> None:
        if why:
            self.refused[edge] = why
        else:
            self._join(edge, strong)

    def _join(self, edge: Pair, strong: bool) -> None:
        ends = self._ends(edge)
        if ends:
            small, large = sorted((self._parts.pop(root) for root in ends), key=lambda part: len(part.members))
            large.take_in(small)
            large.core |= strong
            self._sets.union(*ends)
            self._parts[self._sets.root(ends[0])] = large

    def _ends(self, edge: Pair) -> Pair | None:
        """The roots of both ends; None where they are together."""
        left, right = self._sets.root(edge[0]), self._sets.root(edge[1])
        return (left, right) if left != right else None

    def _part(self, number: int) -> _Part:
        return self._parts[self._sets.root(number)]

    def _kept_apart(self, edge: Pair) -> str | None:
        if self._said.get(edge, MATCH) != MATCH:
            return BY_STEWARD
        left, right = self._part(edge[0]), self._part(edge[1])
        if left is right or not left.apart or not right.apart:
            return None
        few, other = (left, edge[1]) if len(left.apart) < len(right.apart) else (right, edge[0])
        root = self._sets.root(other)
        return BY_CHAIN_STEWARD if any(self._sets.root(number) == root for number in few.apart) else None

    def _is_part(self, edge: Pair) -> str | None:
        """Whether an organization of the one side is a part of one of the other side."""
        if self._portraits[edge[0]].kind != "ORGANIZATION":
            return None
        both = product(self._part(edge[0]).members, self._part(edge[1]).members)
        return BY_PARENT if any(organizations_apart(self._portraits[a], self._portraits[b]) for a, b in both) else None

    def _look_at(self, part: _Part) -> None:
        """What those say who count as one so far."""
        own = list(
            {side_of(self._portraits[number]): None for number in sorted(part.members, key=self._place.__getitem__)}
        )
        side = own[0]
        if len(own) > 1:
            said = {name: {value for one in own for value in getattr(one, name)} for name in _ALTERNATIVES}
            side = msgspec.structs.replace(
                own[0], **{name: tuple(sorted(values, key=repr)) for name, values in said.items()}
            )
            if any(self._judge.contradict(a, b) for a, b in combinations(own, 2)):
                part.torn.append(side)
        part.sides[side] = None

    def _contradiction(self, edge: Pair, rule: str, rules: Rules) -> str | None:
        """Whether anybody on the one side contradicts anybody on the other, and nothing says that both are one.

        A match in spite of that is followed where one side says one thing only, or everybody matches everybody, and
        one of both cannot be reached.
        """
        left, right = self._part(edge[0]), self._part(edge[1])
        key = (left.members[0], len(left.members), right.members[0], len(right.members))
        if key not in self._clashes:
            self._clashes[key] = self._clash(left, right)
        if not self._clashes[key]:
            return None
        several = all(len(part.members) > 1 and part.known for part in (left, right))
        if several or rule not in self._judge.despite:
            return BY_CHAIN
        plain = min(len(left.sides), len(right.sides)) == 1
        return None if plain or all(b in rules[a] for a, b in product(left.members, right.members)) else BY_CHAIN

    def _clash(self, left: _Part, right: _Part) -> bool:
        contradict = self._judge.contradict
        torn, heard = left.torn + right.torn, Heard((*left.sides, *right.sides), self._judge)
        return any(
            heard.at_odds(a, b) and not any(not contradict(a, both) and not contradict(b, both) for both in torn)
            for a, b in product(left.sides, right.sides)
        )

    def _bridge(self, edge: Pair, rules: Rules) -> str | None:
        """Whether a weak match alone would make one of two parts that each stand for themselves.

        Another match between them, found by another rule, confirms it.
        """
        left, right = self._part(edge[0]), self._part(edge[1])
        if not (left.core and right.core and left.known and right.known):
            return None
        small, large = sorted((left, right), key=lambda part: len(part.members))
        root = self._sets.root(large.members[0])
        found: set[str] = set()
        for number in small.members:
            for other, said in rules[number].items():
                if self._sets.root(other) == root:
                    found |= said
        return BY_BRIDGE if len(found) < 2 else None
