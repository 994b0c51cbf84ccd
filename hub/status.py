"""What the store holds, in figures: streams, customers, money beside its control, flags, who has most at stake.

In: the store (read only) and the sources. Out: rows for the summary of a run, `hub status` and the API's
`sources` and `reconciliation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Connection, text

from mappings.loader import Source


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One stream's last run and what it holds."""

    source: str
    stream: str
    pulled: int
    changed: int
    unchanged: int
    records: int
    dead_letters: int
    status: str
    error: str | None


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """One control of a stream in one currency, in thousandths of the minor unit. `difference` is 0 if all is well."""

    source: str
    stream: str
    kinds: tuple[str, ...]
    currency: str
    landed: int
    in_graph: int
    unassigned: int
    erased: int

    @property
    def difference(self) -> int:
        """What the records say less what the graph, the unassigned and the erased add up to."""
        return self.landed - self.in_graph - self.unassigned - self.erased


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """A record that could not be mapped, and why."""

    source: str
    stream: str
    key: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class AtStake:
    """A customer with something at stake, in the reporting currency."""

    public_id: str
    display_name: str | None
    value_at_risk: int
    band: str
    message: str


_STREAMS = text("""
    SELECT r.source, r.stream, r.pulled, r.changed, r.unchanged,
           (SELECT COUNT(*) FROM landing l WHERE l.source = r.source AND l.stream = r.stream
            AND l.deleted_at IS NULL) AS records,
           (SELECT COUNT(*) FROM dead_letter d WHERE d.source = r.source AND d.stream = r.stream) AS dead_letters,
           r.status, r.error
    FROM stream_run r
    WHERE r.run_no = (SELECT MAX(n.run_no) FROM stream_run n WHERE n.source = r.source AND n.stream = r.stream)
    ORDER BY r.source, r.stream
""")


def streams(connection: Connection) -> list[StreamRow]:
    """Every stream that was ever pulled, by source and name."""
    return [StreamRow(*row) for row in connection.execute(_STREAMS)]


_COUNTS = {
    "records": "SELECT COUNT(*) FROM landing WHERE deleted_at IS NULL",
    "profiles": "SELECT COUNT(DISTINCT profile_no) FROM profile",
    "customers": "SELECT COUNT(*) FROM customer_card",
    "persons": "SELECT COUNT(*) FROM customer_card WHERE kind = 'PERSON'",
    "organizations": "SELECT COUNT(*) FROM customer_card WHERE kind = 'ORGANIZATION'",
    "anonymous": "SELECT COUNT(DISTINCT p.profile_no) FROM profile p"
    " JOIN profile_ledger l ON l.profile_no = p.profile_no WHERE l.customer_no IS NULL",
    "interactions": "SELECT COUNT(*) FROM interaction",
}


def counts(connection: Connection) -> dict[str, int]:
    """How many of each there are; `anonymous` are the profiles that are nobody's yet."""
    return {name: int(connection.execute(text(sql)).scalar_one()) for name, sql in _COUNTS.items()}


def flags(connection: Connection) -> dict[str, int]:
    """Open flags by severity, the gravest first."""
    rows = connection.execute(
        text(
            "SELECT severity, COUNT(*) FROM risk_flag WHERE state = 'OPEN'"
            " GROUP BY severity, severity_rank ORDER BY severity_rank DESC"
        )
    )
    return {severity: int(count) for severity, count in rows}


def most_at_stake(connection: Connection, most: int) -> list[AtStake]:
    """The customers with open flags and the most value at risk, with their gravest flag's message."""
    rows = connection.execute(
        text("""
        SELECT k.public_id, k.display_name, k.value_at_risk, k.risk_band,
               (SELECT f.message FROM risk_flag f WHERE f.customer_no = k.customer_no AND f.state = 'OPEN'
                ORDER BY f.severity_rank DESC, f.points DESC, f.flag_no LIMIT 1)
        FROM customer_card k
        WHERE k.value_at_risk IS NOT NULL
          AND EXISTS (SELECT 1 FROM risk_flag f WHERE f.customer_no = k.customer_no AND f.state = 'OPEN')
        ORDER BY k.value_at_risk DESC, k.customer_no LIMIT :most
        """),
        {"most": most},
    )
    return [AtStake(*row) for row in rows]


_DEAD_LETTERS = text("""
    SELECT d.source, d.stream, l.key, d.path, d.reason FROM dead_letter d
    JOIN landing l ON l.landing_no = d.landing_no ORDER BY d.last_seen_at DESC, d.landing_no DESC LIMIT :most
""")


def dead_letters(connection: Connection, most: int) -> list[DeadLetterRow]:
    """The latest records that could not be mapped."""
    return [DeadLetterRow(*row) for row in connection.execute(_DEAD_LETTERS, {"most": most})]


@dataclass(frozen=True, slots=True)
class DriftRow:
    """A change of the shape of a stream's records: NEW, VANISHED or RETYPED, and the kinds of value there."""

    source: str
    stream: str
    path: str
    change: str
    was: str | None
    now: str | None
    mapped: bool
    at: int


_DRIFT = text("""
    SELECT source, stream, path, change, was, now, mapped, at FROM drift ORDER BY drift_no DESC LIMIT :most
""").columns(mapped=Boolean)


def drift(connection: Connection, most: int) -> list[DriftRow]:
    """The latest changes of shape, over all streams."""
    return [DriftRow(*row) for row in connection.execute(_DRIFT, {"most": most})]


_UNRATED = text("""
    SELECT e.currency, COUNT(*) FROM entry e JOIN entry_value v ON v.entry_no = e.entry_no
    WHERE v.currency = :reporting AND v.amount IS NULL AND e.amount IS NOT NULL GROUP BY e.currency ORDER BY e.currency
""")


def unrated(connection: Connection, reporting_currency: str) -> dict[str, int]:
    """Entries that no figure holds, for want of an exchange rate on their day: currency to their number."""
    rows = connection.execute(_UNRATED, {"reporting": reporting_currency})
    return {currency: int(count) for currency, count in rows}


_LANDED = """
    SELECT source, stream, currency, item, SUM(amount) FROM control GROUP BY source, stream, currency, item
"""
_IN_GRAPH = """
    SELECT source, stream, currency, kind, SUM(CASE WHEN customer_no IS NOT NULL THEN amount ELSE 0 END),
           SUM(CASE WHEN customer_no IS NULL THEN amount ELSE 0 END)
    FROM money_entry GROUP BY source, stream, currency, kind
"""
_ERASED = (
    "SELECT source, stream, currency, kind, SUM(amount) FROM residual_money GROUP BY source, stream, currency, kind"
)

Sums = dict[tuple[str, str, str], dict[Any, tuple[int, ...]]]  # source, stream, currency → control or kind → sums


def reconciliation(connection: Connection, sources: Mapping[str, Source]) -> list[MoneyRow]:
    """Every `reconcile:` control by currency: what the stream's records say beside what the graph holds.

    What was erased counts as landed as well: the records are gone, the amounts are not. Three statements in all.
    """
    landed, graph, erased = (_sums(connection, sql) for sql in (_LANDED, _IN_GRAPH, _ERASED))
    controls = [
        (name, stream, number, tuple(control.kinds))
        for name, source in sources.items()
        for stream, spec in source.system.streams.items()
        for number, control in enumerate(spec.blocks("reconcile"))
    ]
    rows = []
    for source, stream, number, kinds in controls:
        for place in sorted(key for key in {*landed, *graph, *erased} if key[:2] == (source, stream)):
            in_graph, unassigned = (sum(part) for part in zip((0, 0), *_of(graph, place, kinds), strict=True))
            gone = sum(amount for (amount,) in _of(erased, place, kinds))
            held = sum(amount for (amount,) in _of(landed, place, (number,)))
            row = MoneyRow(source, stream, kinds, place[2], held + gone, in_graph, unassigned, gone)
            rows += [row] if row.landed or row.in_graph or row.unassigned else []
    return rows


def _sums(connection: Connection, sql: str) -> Sums:
    found: Sums = {}
    for source, stream, currency, name, *amounts in connection.execute(text(sql)):
        found.setdefault((source, stream, currency), {})[name] = tuple(int(amount) for amount in amounts)
    return found


def _of(sums: Sums, place: tuple[str, str, str], names: Iterable[Any]) -> list[tuple[int, ...]]:
    held = sums.get(place, {})
    return [held[name] for name in names if name in held]
