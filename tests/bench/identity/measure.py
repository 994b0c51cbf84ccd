"""How good a partition is. In: who each record truly is, and the group it was found in. Out: figures.

Pairs are those that clusters imply: every two records of one cluster. This is what papers on record linkage call
pairwise precision, recall and F1 of clusters; B-cubed (Bagga & Baldwin 1998) counts each record alike instead, so that
a customer of sixty records does not outweigh a thousand of two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

Partition = Mapping[str, str]  # place of a record -> the name of its group


@dataclass(frozen=True, slots=True)
class Quality:
    """All but the counts lie between 0 and 1. `reachable` is recall over the pairs that evidence connects; `housemates`
    and `strangers` count pairs of people who were made one, of one household (entities `17.1` and `17.2`) and others.
    """

    precision: float
    recall: float
    f1: float
    reachable: float
    f1_reachable: float
    b_cubed: float
    exact: float
    clusters: int
    entities: int
    largest: int
    largest_true: int
    housemates: int
    strangers: int


def quality(truth: Partition, evidence: Partition, found: Partition) -> Quality:
    """Compares `found` with `truth`; `evidence` parts each true entity into what evidence holds together.

    A record that `found` does not name is a group of its own.
    """
    groups = {place: found.get(place, f"alone {place}") for place in truth}
    true_pairs, found_pairs = _pairs(Counter(truth.values())), _pairs(Counter(groups.values()))
    evident_pairs = _pairs(Counter(evidence.values()))
    both = Counter((truth[place], group) for place, group in groups.items())
    right = _pairs(both)
    right_evident = _pairs(Counter((evidence[place], group) for place, group in groups.items()))
    precision, recall = _ratio(right, found_pairs), _ratio(right, true_pairs)
    reachable = _ratio(right_evident, evident_pairs)
    sizes, true_sizes = Counter(groups.values()), Counter(truth.values())
    return Quality(
        precision,
        recall,
        _harmonic(precision, recall),
        reachable,
        _harmonic(precision, reachable),
        _b_cubed(both, true_sizes, sizes),
        _exact(both, true_sizes, sizes),
        len(sizes),
        len(true_sizes),
        max(sizes.values(), default=0),
        max(true_sizes.values(), default=0),
        *_made_one(both),
    )


def _pairs(sizes: Counter[str] | Counter[tuple[str, str]]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _harmonic(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one + other else 0.0


def _b_cubed(both: Counter[tuple[str, str]], true_sizes: Counter[str], sizes: Counter[str]) -> float:
    records = sum(both.values())
    precision = sum(count * count / sizes[group] for (_, group), count in both.items())
    recall = sum(count * count / true_sizes[entity] for (entity, _), count in both.items())
    return _harmonic(precision / records, recall / records) if records else 1.0


def _made_one(both: Counter[tuple[str, str]]) -> tuple[int, int]:
    people = Counter(group for _, group in both)
    homes = Counter((entity.partition(".")[0], group) for entity, group in both if "." in entity)
    return _pairs(homes), _pairs(people) - _pairs(homes)


def _exact(both: Counter[tuple[str, str]], true_sizes: Counter[str], sizes: Counter[str]) -> float:
    """F1 over whole clusters: one counts where it has all records of an entity and no other."""
    hits = sum(count == true_sizes[entity] == sizes[group] for (entity, group), count in both.items())
    return 2 * hits / (len(true_sizes) + len(sizes)) if sizes else 1.0
