"""Numbers and owners. In: profiles as mappings refer to them, (stream, key). Out: their lasting numbers and owners.

A profile has its number from the first reference on: an invoice may come before its customer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from hub.store.bulk import among, insert_rows
from hub.store.derived import customer
from hub.store.kept import profile_ledger
from hub.store.plain import rows

_THEMSELVES = """
    SELECT c.customer_no, c.customer_no FROM LISTED CROSS JOIN customer_ledger c
    WHERE c.customer_no = a.value AND c.kind = 'ORGANIZATION'
"""
_EMPLOYERS = """
    SELECT m.person_no, min(m.organization_no) FROM LISTED CROSS JOIN member m
    WHERE m.person_no = a.value AND (m.until IS NULL OR m.until > ?) GROUP BY m.person_no HAVING count(*) = 1
"""

Reference = tuple[str, str]  # stream and key; the source is that of the record that refers


@dataclass(frozen=True, slots=True)
class Assigned:
    """A profile's number, and the customer and organization that its facts count for as of now."""

    profile_no: int
    customer_no: int | None
    organization_no: int | None


def assign(
    connection: Connection, source: str, references: Iterable[Reference], as_of: int
) -> dict[Reference, Assigned]:
    """Every reference's profile; those never heard of get a number, in the order in which they are given.

    `as_of` (microseconds) decides which membership is current.
    """
    by_stream: dict[str, dict[str, None]] = {}
    for stream, key in references:
        by_stream.setdefault(stream, {})[key] = None
    found: dict[Reference, tuple[int, int | None]] = {}
    for stream, keys in by_stream.items():
        held = numbered(connection, source, stream, keys)
        new = [key for key in keys if key not in held]
        insert_rows(
            connection,
            profile_ledger,
            ("source", "stream", "key", "pending"),
            [(source, stream, key, True) for key in new],
        )
        held |= numbered(connection, source, stream, new)
        found |= {(stream, key): numbers for key, numbers in held.items()}
    counts_for = organizations_of(connection, {no for _, no in found.values() if no is not None}, as_of)
    return {
        reference: Assigned(profile_no, customer_no, counts_for.get(customer_no) if customer_no is not None else None)
        for reference, (profile_no, customer_no) in found.items()
    }


def numbered(
    connection: Connection, source: str, stream: str, keys: Collection[str]
) -> dict[str, tuple[int, int | None]]:
    """Of these profiles of a stream those that have a number: key to it and to the customer that the profile is of."""
    if not keys:
        return {}
    ledger = profile_ledger.c
    found = connection.execute(
        select(ledger.key, ledger.profile_no, ledger.customer_no).where(
            ledger.source == source, ledger.stream == stream, among(connection, ledger.key, keys)
        )
    )
    return {row[0]: (row[1], row[2]) for row in found}


def organizations_of(connection: Connection, customer_nos: Collection[int], as_of: int) -> dict[int, int]:
    """The organization that a customer's facts count for: itself where it is one, else its only current one.

    Customers without one, or with several, are left out. `as_of` in microseconds.
    """
    if not customer_nos:
        return {}
    numbers = sorted(customer_nos)
    return dict(rows(connection, _EMPLOYERS, numbers, as_of)) | dict(rows(connection, _THEMSELVES, numbers))


def mark_pending(connection: Connection, profile_nos: Collection[int]) -> None:
    """These profiles are to be resolved again."""
    if profile_nos:
        these = among(connection, profile_ledger.c.profile_no, profile_nos)
        connection.execute(
            update(profile_ledger).where(these, profile_ledger.c.pending.is_(False)).values(pending=True)
        )


def mark_dirty(connection: Connection, customer_nos: Collection[int]) -> None:
    """These customers are to be derived again."""
    if customer_nos:
        these = among(connection, customer.c.customer_no, customer_nos)
        connection.execute(update(customer).where(these, customer.c.dirty.is_(False)).values(dirty=True))
