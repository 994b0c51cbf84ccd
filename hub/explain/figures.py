"""What became of a customer. In: its number. Out: lines about its values, its money, its journey and its flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.clock import show
from mappings.converting.currencies import render


@dataclass(frozen=True, slots=True)
class Golden:
    """A field with the statements of its values, the winner first; `shown` is False where the rules never show it."""

    field: str
    values: tuple[Row[Any], ...]
    shown: bool

    @property
    def listed(self) -> bool:
        """Whether all values count, the first one most."""
        return self.field in ("EMAILS", "PHONES")


_FIELDS = ("DISPLAY_NAME", "GIVEN_NAME", "FAMILY_NAME", "BIRTH_DATE", "EMAILS", "PHONES", "COUNTRY", "LANGUAGE")
_VALUES = """
SELECT field, rank, value, source, stream, key, strategy FROM provenance WHERE customer_no = :no ORDER BY field, rank
"""
_MONEY = """
SELECT e.kind, e.basis, COUNT(v.amount) AS known, COUNT(*) - COUNT(v.amount) AS unknown,
       CAST(SUM(v.amount) AS BIGINT) AS amount
FROM entry e JOIN entry_value v ON v.entry_no = e.entry_no
WHERE e.customer_no = :no AND v.currency = :currency GROUP BY e.kind, e.basis ORDER BY e.kind, e.basis
"""
_STEPS = """
SELECT stage, entered_at, left_at, customer_interaction_count AS theirs, brand_interaction_count AS ours
FROM journey_step WHERE customer_no = :no ORDER BY entered_at, step_no
"""
_FLAGS = """
SELECT f.severity, f.message, f.since, f.clears_when, f.action_kind,
       (SELECT COUNT(*) FROM flag_evidence e WHERE e.flag_no = f.flag_no) AS evidence
FROM risk_flag f WHERE f.customer_no = :no AND f.state = 'OPEN' ORDER BY f.severity_rank DESC, f.flag_no
"""


def golden(connection: Connection, number: int) -> list[Golden]:
    """The golden fields, the name first, each with its winner and losers."""
    fields: dict[str, list[Row[Any]]] = {}
    for row in _rows(connection, _VALUES, number):
        fields.setdefault(row.field, []).append(row)
    ordered = sorted(fields, key=lambda field: (_FIELDS.index(field) if field in _FIELDS else len(_FIELDS), field))
    return [Golden(field, tuple(fields[field]), fields[field][0].rank == 0) for field in ordered]


def money(connection: Connection, number: int, currency: str) -> list[str]:
    """A line a kind of entry, in the currency."""
    rows = connection.execute(text(_MONEY), {"no": number, "currency": currency})
    return [
        f"{r.kind}: {'unknown' if r.amount is None else render(r.amount, currency)} {currency} "
        f"in {r.known} entries, {r.basis}" + (f"; {r.unknown} more have no rate to {currency}" if r.unknown else "")
        for r in rows
    ]


def journey(connection: Connection, number: int) -> list[str]:
    """A line a step, in the order in which they were entered."""
    return [
        f"{r.stage}: {show(r.entered_at)[:10]} – {show(r.left_at)[:10] if r.left_at else 'now'}, "
        f"{r.theirs} interactions of theirs, {r.ours} of ours"
        for r in _rows(connection, _STEPS, number)
    ]


def flags(connection: Connection, number: int) -> list[str]:
    """A line an open flag, the worst first."""
    return [
        f"{r.severity} since {show(r.since)[:10]}: {r.message}  [{r.evidence} interactions; clears when "
        f"{r.clears_when}; {r.action_kind}]"
        for r in _rows(connection, _FLAGS, number)
    ]


def _rows(connection: Connection, sql: str, number: int) -> Sequence[Row[Any]]:
    return connection.execute(text(sql), {"no": number}).all()
