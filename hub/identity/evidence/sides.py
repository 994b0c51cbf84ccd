"""Sides. In: what several profiles say of who they are. Out: which two cannot be one, all of them heard."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from hub.identity.evidence.judge import Judge
from hub.identity.normalise.portrait import Portrait


class Heard:
    """All that is said of who somebody may be. Asked about every two of k sides it compares k² times at most."""

    def __init__(self, sides: Iterable[Portrait], judge: Judge) -> None:
        self._sides = sides
        self._judge = judge
        self._near: dict[Portrait, set[int]] = {}

    def at_odds(self, left: Portrait, right: Portrait) -> bool:
        """Whether two contradict each other, and what else is heard does not explain it; symmetric.

        Names are explained by a chain of plain ones from the one to the other, each of which fits the next: Margarez,
        Margaret, Peggy. A different birth date is never explained.
        """
        contradict = self._judge.contradict
        if not contradict(left, right):
            return False
        if left.kind == "ORGANIZATION" or contradict(_born(left), _born(right)):
            return True
        return self._chains_near(left).isdisjoint(self._chains_near(right))

    @cached_property
    def _chains(self) -> list[list[Portrait]]:
        """The plain sides, those together that a chain of them connects."""
        found: list[list[Portrait]] = []
        for side in self._sides:
            if _plain(side, self._judge):
                near = [chain for chain in found if self._fits(side, chain)]
                found = [chain for chain in found if chain not in near]
                found.append([side, *(other for chain in near for other in chain)])
        return found

    def _chains_near(self, side: Portrait) -> set[int]:
        if side not in self._near:
            self._near[side] = {at for at, chain in enumerate(self._chains) if self._fits(side, chain)}
        return self._near[side]

    def _fits(self, side: Portrait, chain: Iterable[Portrait]) -> bool:
        return any(not self._judge.contradict(side, other) for other in chain)


def _born(portrait: Portrait) -> Portrait:
    return Portrait(portrait.kind, portrait.own, births=portrait.births)


def _plain(portrait: Portrait, judge: Judge) -> bool:
    """Whether somebody says a whole name that stands for no two others: Chris may be Christian and Christina."""
    formal = judge.forms.formal
    return any(
        name.family and name.given and len(name.given[0]) > 1 and len(formal.get(name.given[0], ())) <= 2
        for name in portrait.names
    )
