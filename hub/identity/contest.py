"""A contest of values. In: what sources state of one field of one customer. Out: each value once, the winner first,
with the strategy that decided about it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mappings.survivorship import GoldenField, Strategy, Survivorship, Verified

_TRUE = (True, "true", "True", "yes", "1")  # 1 is True


class Said(NamedTuple):
    """One source's statement of a value. `observed_at` in µs; `marks` is what the record says of itself, as JSON."""

    value: str
    source: str
    stream: str
    key: str
    observed_at: int | None
    marks: str | None = None


class Ranked(NamedTuple):
    """A value by the statement that speaks best for it, with the strategy that put it where it stands."""

    said: Said
    strategy: Strategy


@dataclass(frozen=True, slots=True)
class _Support:
    """How many state a value, be it in other letters: profiles, and whether enough sources to count as verified."""

    profiles: int
    verified: bool


class Contest:
    """How one field is decided, for persons or for organizations."""

    def __init__(self, rules: Survivorship, field: GoldenField, kind: str, trust: Sequence[str]) -> None:
        self.chain = tuple(rules.chain(field, kind))
        order = dict.fromkeys((*rules.trusted.get(field, ()), *trust))
        self._trust = {source: at for at, source in enumerate(order)}
        self._verified: Sequence[Verified] = rules.verified.get(field, ()) if "verified" in self.chain else ()
        self._verified_by = rules.verified_by if "verified" in self.chain else None
        self._counts = "most_frequent" in self.chain or self._verified_by is not None

    def rank(self, said: Sequence[Said]) -> list[Ranked]:
        """Each distinct value once, by its best statement, the winner first.

        The first strategy that tells two values apart decides between them; what is left goes to the more trusted
        source, then to the newer record, then to the place in the source, so that the outcome is one.
        """
        if len(said) == 1 and self.chain[0] != "verified":  # most fields: nothing to decide
            return [Ranked(said[0], self.chain[0])]
        support = self._supported(said) if self._counts else {}
        best: dict[str, tuple[tuple[Any, ...], Said]] = {}
        for one in said:
            key = self._key(one, support)
            held = best.get(one.value)
            if held is None or key < held[0]:
                best[one.value] = key, one
        ordered = sorted(best.values()) if len(best) > 1 else list(best.values())
        keys = [key for key, _ in ordered]
        rival = keys[1] if len(keys) > 1 else None
        return [Ranked(one, self._decided(key, keys[0] if at else rival)) for at, (key, one) in enumerate(ordered)]

    def _key(self, one: Said, support: Mapping[str, _Support]) -> tuple[Any, ...]:
        """What is compared: an address that stands in for a name comes last, then strategy by strategy, then ties."""
        age = -one.observed_at if one.observed_at is not None else 1 << 62
        trusted = self._trust.get(one.source, len(self._trust))
        steps: list[int] = []
        for strategy in self.chain:
            match strategy:
                case "verified":
                    steps.append(not self._is_verified(one, support))
                case "most_recent":
                    steps.append(age)
                case "most_trusted":
                    steps.append(trusted)
                case "most_frequent":
                    steps.append(-support[fold(one.value)].profiles)
                case "longest":
                    steps.append(-len(one.value))
                case "never":
                    steps.append(0)
        return "@" in one.value, *steps, trusted, age, one.source, one.stream, one.key, one.value

    def _decided(self, key: tuple[Any, ...], other: tuple[Any, ...] | None) -> Strategy:
        """The first strategy in which both differ; where none does, the last, which left it to trust."""
        for at, strategy in enumerate(self.chain, 1):
            if (key[at] != other[at]) if other is not None else not (strategy == "verified" and key[at]):
                return strategy
        return self.chain[-1]

    def _is_verified(self, one: Said, support: Mapping[str, _Support]) -> bool:
        if support and support[fold(one.value)].verified:
            return True
        for rule in self._verified:
            here = rule.source in (None, one.source) and rule.stream in (None, one.stream)
            if here and (rule.attribute is None or _marked(one.marks, rule.attribute)):
                return True
        return False

    def _supported(self, said: Iterable[Said]) -> dict[str, _Support]:
        places: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
        for one in said:
            places[fold(one.value)].add(one[1:4])
        enough = self._verified_by or len(self._trust) + len(places) + 1
        return {
            value: _Support(len(them), len({source for source, _, _ in them}) >= enough)
            for value, them in places.items()
        }


def fold(value: str) -> str:
    """The value without what only looks different: letter case and blanks."""
    return " ".join(value.casefold().split())


def _marked(marks: str | None, attribute: str) -> bool:
    if not marks or attribute not in marks:  # most records: nothing to parse
        return False
    return json.loads(marks).get(attribute) in _TRUE
