"""Plans of one operation, found by what its variables decide. In: variables. Out: the plan that holds for them.

Making a plan asks things of the variables (is `after` null, how many items has the list) in an order that follows from
the answers so far. So the plans stand in a tree: a fork asks, and each answer leads on.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hub.api.asked.given import Read, Trace, Variables

P = TypeVar("P")
MOST_PLANS = 200


@dataclass(slots=True)
class _Fork(Generic[P]):
    read: Read
    ways: dict[Hashable, _Fork[P] | _Leaf[P]] = field(default_factory=dict)


@dataclass(slots=True)
class _Leaf(Generic[P]):
    plan: P


class Plans(Generic[P]):
    """The plans of one operation for one role; all are forgotten where they grow too many."""

    def __init__(self) -> None:
        self._root: dict[Hashable, _Fork[P] | _Leaf[P]] = {}
        self._count = 0

    def find(self, variables: Variables) -> P | None:
        """The plan for these variables, where one was made. Raises ApiError where a variable cannot be used."""
        place = self._root.get(None)
        while isinstance(place, _Fork):
            place = place.ways.get(place.read(variables))
        return None if place is None else place.plan

    def keep(self, trace: Trace, plan: P) -> None:
        """Keeps a plan for all variables that decide as those of its trace did."""
        if self._count >= MOST_PLANS:
            self._root.clear()
            self._count = 0
        ways, key = self._root, None
        for read, said in trace.decisions:
            fork = ways.setdefault(key, _Fork(read))
            if not isinstance(fork, _Fork):
                return
            ways, key = fork.ways, said
        ways[key] = _Leaf(plan)
        self._count += 1
