"""Values that the rules list, with `*` for anything. In: the patterns. Out: whether a value is one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate


class Patterns:
    """Listed values; one with a `*` at an end or at both is looked up and not matched."""

    def __init__(self, patterns: Iterable[str]) -> None:
        exact, beginnings, ends, within, others = set(), set(), set(), set(), set()
        for pattern in patterns:
            inner = pattern.strip("*")
            if not inner or "*" in inner:
                others.add(translate(pattern))
            elif pattern == f"*{inner}*":
                within.add(re.escape(inner))
            elif pattern == f"{inner}*":
                beginnings.add(inner)
            elif pattern == f"*{inner}":
                ends.add(inner)
            else:
                exact.add(pattern)
        self._exact = frozenset(exact)
        self._beginnings, self._ends = tuple(sorted(beginnings)), tuple(sorted(ends))
        self._within = re.compile("|".join(sorted(within))) if within else None
        self._others = re.compile("|".join(sorted(others))) if others else None

    def match(self, value: str) -> bool:
        """Whether the whole value is listed; it has to be folded as the patterns are."""
        return (
            value in self._exact
            or value.startswith(self._beginnings)
            or value.endswith(self._ends)
            or (self._within is not None and self._within.search(value) is not None)
            or (self._others is not None and self._others.match(value) is not None)
        )
