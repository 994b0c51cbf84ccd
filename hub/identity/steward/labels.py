"""Labels: what people know about who is who. In: profile numbers. Out: what is right and wrong about a partition.

Pairs are the same or not; of profiles that each have a person every pair is labelled.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations
from typing import NamedTuple

Groups = Mapping[int, int]  # profile to what it is put together by


class Counts(NamedTuple):
    """Labelled pairs by what a partition makes of them."""

    joined: int  # one and the same, and put together
    wrongly: int  # two, and put together
    missed: int  # one and the same, and apart
    apart: int  # two, and apart

    @property
    def precision(self) -> float | None:
        """Of the pairs put together, the share that is right; None where there are none."""
        return _share(self.joined, self.joined + self.wrongly)

    @property
    def recall(self) -> float | None:
        """Of the pairs that are the same, the share that is put together; None where there are none."""
        return _share(self.joined, self.joined + self.missed)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None where there is nothing to join and nothing joined."""
        return _share(2 * self.joined, 2 * self.joined + self.wrongly + self.missed)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class PairLabels:
    """Pairs of profile numbers, the smaller first, and whether they are the same."""

    pairs: Mapping[tuple[int, int], bool]

    @property
    def profiles(self) -> set[int]:
        """Every profile that the labels speak of."""
        return set(chain.from_iterable(self.pairs))

    def same(self, left: int, right: int) -> bool | None:
        """What the labels say about a pair, the smaller number first; None where nothing."""
        return self.pairs.get((left, right))

    def counts(self, groups: Groups) -> Counts:
        """The labelled pairs by what a partition makes of them."""
        found = Counter((same, groups[left] == groups[right]) for (left, right), same in self.pairs.items())
        return Counts(found[True, True], found[False, True], found[True, False], found[False, False])

    def wrong(self, groups: Groups, same: bool) -> Iterator[tuple[int, int]]:
        """The pairs that are the same (or not) and that a partition has otherwise, in the file's order."""
        for (left, right), said in self.pairs.items():
            if said is same and (groups[left] == groups[right]) is not same:
                yield left, right


@dataclass(frozen=True, slots=True)
class PersonLabels:
    """Profile numbers, each with the number of its person."""

    person: Mapping[int, int]

    @property
    def profiles(self) -> set[int]:
        """Every profile that the labels speak of."""
        return set(self.person)

    def same(self, left: int, right: int) -> bool | None:
        """What the labels say about a pair; None where they do not know both."""
        known = left in self.person and right in self.person
        return self.person[left] == self.person[right] if known else None

    def counts(self, groups: Groups) -> Counts:
        """The labelled pairs by what a partition makes of them: counted by sizes, however many pairs there are."""
        both = Counter((person, groups[number]) for number, person in self.person.items())
        people, together = Counter(self.person.values()), Counter(groups[number] for number in self.person)
        joined, same, put = _pairs(both.values()), _pairs(people.values()), _pairs(together.values())
        every = _pairs([len(self.person)])
        return Counts(joined, put - joined, same - joined, every - put - same + joined)

    def wrong(self, groups: Groups, same: bool) -> Iterator[tuple[int, int]]:
        """The pairs that are the same (or not) and that a partition has otherwise."""
        of, other = (self.person, groups) if same else (groups, self.person)
        held: dict[int, list[int]] = defaultdict(list)
        for number in sorted(self.person):
            held[of[number]].append(number)
        for members in held.values():
            yield from ((a, b) for a, b in combinations(members, 2) if other[a] != other[b])


Labels = PairLabels | PersonLabels


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)
