"""What bench_identity prints. In: figures of contenders, partitions. Out: tables, and pairs that are wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.identity.measure import Quality
from tests.bench.identity.record import Record

Figures = dict[str, Any]
NOTES = (
    "¹ over pairs that evidence connects (see identity/evidence.py), without those that nobody can know\n"
    "² people wrongly made one: pairs of one household + pairs of strangers"
)


def show(console: Console, name: str, records: int, told: Sequence[tuple[str, Figures, Quality]]) -> None:
    """A row a contender, and one of the truth."""
    table = Table(title=f"{name}: {records:,} records", title_justify="left")
    for column in (
        "", "precision", "recall", "F1", "recall ¹", "F1 ¹", "B³ F1", "whole F1", "clusters", "largest", "joined ²",
        "s", "MB",
    ):  # fmt: skip
        table.add_column(column, justify="right" if column else "left")
    for contender, figures, q in told:
        shares = (q.precision, q.recall, q.f1, q.reachable, q.f1_reachable, q.b_cubed, q.exact)
        peak = f"{figures['mb']:.0f}" if figures["mb"] else ""
        counts = (
            f"{q.clusters:,}",
            f"{q.largest:,}",
            f"{q.housemates:,} + {q.strangers:,}",
            f"{figures['seconds']:.1f}",
            peak,
        )
        table.add_row(contender, *(f"{share:.4f}" for share in shares), *counts)
    if told:
        q = told[0][2]
        table.add_row("truth", *[""] * 7, f"{q.entities:,}", f"{q.largest_true:,}", "", "", "")
    console.print(table)


def show_wrong(
    console: Console,
    records: Sequence[Record],
    truth: Mapping[str, str],
    evidence: Mapping[str, str],
    found: Mapping[str, str],
    most: int,
) -> None:
    """Pairs joined wrongly, and pairs parted although evidence connects them: one of each pair of groups, those
    first that cost most pairs of records.
    """
    groups: dict[str, list[Record]] = defaultdict(list)
    parts: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[found[record.place]].append(record)
        parts[evidence[record.place]].append(record)
    joined = _firsts(groups.values(), lambda record: truth[record.place])
    parted = _firsts(parts.values(), lambda record: found[record.place])
    for title, pairs in (("joined wrongly", joined), ("parted wrongly", parted)):
        console.print(f"{title}: {len(pairs):,} pairs of groups")
        for left, right in pairs[:most]:
            console.print(f"  {_told(left)}\n  {_told(right)}\n", highlight=False, markup=False, soft_wrap=True)


def _firsts(groups: Iterable[list[Record]], side: Callable[[Record], str]) -> list[tuple[Record, Record]]:
    found = []
    for group in groups:
        first = {side(record): record for record in reversed(group)}
        (most, count), *others = Counter(side(record) for record in group).most_common()
        found += [(count * lost, first[most], first[other]) for other, lost in others]
    return [(one, other) for _, one, other in sorted(found, key=lambda told: -told[0])]


def _told(record: Record) -> str:
    name = f"{record.given} {record.family}".strip() or record.display
    ids = (f"{system}={value}" for system, value in record.ids)
    contacts = (*record.emails, *record.phones, *record.devices)
    said = (record.place, record.entity, name, record.birth, record.address, *contacts, *ids)
    return " · ".join(part for part in said if part)
