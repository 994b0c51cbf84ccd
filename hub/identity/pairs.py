"""Pairs. In: keys with their holders. Out: which profiles are compared, and what each two share.

Of a key with few holders every two are a pair. Of one with more, each is paired with the first of those who say the
same of themselves, and these firsts with each other: so a shop's guest with a hundred orders costs a hundred pairs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import combinations

from hub.identity.evidence.judge import Judge
from hub.identity.evidence.means import STRONG, Means, means_of
from hub.identity.evidence.standing import standing
from hub.identity.evidence.verdict import Profile, Shared, Standing
from hub.identity.holders import TOLD

ALL_PAIRS = 20  # of a key with at most so many holders

Pair = tuple[int, int]


class Pairs:
    """Pairs of which one end is new, with what they share; a pair that several keys propose is one."""

    def __init__(self, profiles: Mapping[int, Profile], judge: Judge) -> None:
        self.shared: dict[Pair, list[Shared]] = defaultdict(list)
        self._profiles = profiles
        self._judge = judge

    def add(
        self, key: int, numbers: list[int], owners: Collection[int], new: Collection[int], done: Collection[int]
    ) -> None:
        """Adds the key to the pairs of its holders that have one in `new` and none in `done`.

        `owners` are the holders whose own id it is. Two records' own ids being the same text means nothing; an id that
        one carries and another owns is personal whoever else carries it, too.
        """
        means = means_of(key)
        plain = self._said(means, numbers)
        owned = _shared(means, Standing.PERSONAL, len(numbers)) if owners else None
        if plain is None and not owners:
            return
        shared = self.shared
        for edge in self._edges(numbers, owners):
            left, right = edge
            if (left in new or right in new) and left not in done and right not in done:
                what = plain
                if owners:
                    owning = (left in owners) + (right in owners)
                    what = plain if owning == 0 else owned if owning == 1 else None
                if what is not None:
                    shared[edge].append(what)

    def _said(self, means: Means, numbers: Sequence[int]) -> Shared | None:
        """What the key says of two who hold it; None where it is junk."""
        if means not in STRONG:
            return _shared(means, Standing.PERSONAL, len(numbers) if means in TOLD else 0)
        worth = standing(means, [self._profiles[number].portrait for number in numbers], self._judge)
        return None if worth is Standing.JUNK else _shared(means, worth, len(numbers))

    def _edges(self, numbers: list[int], owners: Collection[int]) -> Iterable[Pair]:
        """The pairs of a key's holders, the smaller number first."""
        if len(numbers) == 2:
            left, right = numbers
            return ((left, right) if left < right else (right, left),)
        numbers.sort()
        if len(numbers) <= ALL_PAIRS:
            return combinations(numbers, 2)
        first = self._firsts(numbers)
        found = set(combinations(sorted(first.values()), 2))
        for number in numbers:
            for other in {first[_side(self._profiles[number])], *owners} - {number}:
                found.add((number, other) if number < other else (other, number))
        return sorted(found)

    def _firsts(self, numbers: list[int]) -> dict[object, int]:
        """Of those who say the same of themselves the first, by its place in its source."""
        found: dict[object, int] = {}
        for number in sorted(numbers, key=lambda n: self._profiles[n].place, reverse=True):
            found[_side(self._profiles[number])] = number
        return found


@cache
def _shared(means: Means, worth: Standing, holders: int) -> Shared:
    return Shared(means, worth, holders)


def _side(profile: Profile) -> object:
    portrait = profile.portrait
    return portrait.names, portrait.titles, portrait.births
