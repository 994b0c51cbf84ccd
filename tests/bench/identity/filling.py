"""Filling a store for the identity benches. In: records. Out: rows of pending profiles, as a mapping writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.store.bulk import insert_rows
from hub.store.engine import Store
from hub.store.kept import profile_ledger
from hub.store.mapped import MAPPED, fact_no
from tests.bench.identity.record import Record

AS_OF = 1_780_000_000_000_000
_AT_ONCE = 50_000
_STREAM = "people"
_START = ("fact_no", "landing_no", "source", "stream", "stale", "profile_no")
_COLUMNS = {
    "profile": (*_START, "kind", "given_name", "family_name", "display_name", "birth_date", "country", "updated_at"),
    "contact_point": (*_START, "type", "value"),
    "identifier": (*_START, "system", "value"),
}


def fill(store: Store, records: Sequence[Record]) -> list[str]:
    """Writes the records into an empty store; profiles are numbered from 1, in their order. Returns the sources."""
    for start in range(0, len(records), _AT_ONCE):
        part = list(enumerate(records[start : start + _AT_ONCE], start + 1))
        said = {number: _said(record) for number, record in part}
        with store.write(repeatable=True) as connection:
            places = [(record.source, _STREAM, record.key, True) for _, record in part]
            insert_rows(connection, profile_ledger, ("source", "stream", "key", "pending"), places)
            for entity, columns in _COLUMNS.items():
                rows = [
                    (fact_no(number, item), number, record.source, _STREAM, False, number, *values)
                    for number, record in part
                    for item, values in enumerate(said[number][entity])
                ]
                insert_rows(connection, MAPPED[entity], columns, rows)
    return sorted({record.source for record in records})


def _said(record: Record) -> dict[str, list[tuple[Any, ...]]]:
    parts = " ".join(part for part in (record.given, record.family) if part)
    shown = record.display or parts or next(iter(record.emails), None)  # as a mapping makes it
    person = (record.given or None, record.family or None, shown, record.birth or None, record.country or None)
    contacts = [("EMAIL", value) for value in record.emails] + [("PHONE", value) for value in record.phones]
    contacts += [("DEVICE", value) for value in record.devices]
    contacts += [("ADDRESS", record.address)] if record.address else []
    return {
        "profile": [(record.kind or "PERSON", *person, AS_OF)],
        "contact_point": contacts,
        "identifier": list(record.ids),
    }
