"""What many do: the same e-mail address or phone number is the same customer. In: records. Out: a partition."""

from __future__ import annotations

from collections.abc import Iterable

from tests.bench.identity.record import Record


def same_contact(records: Iterable[Record]) -> dict[str, str]:
    """Place of a record -> its group: all records that a chain of equal e-mail addresses or phone numbers connects."""
    parent: dict[str, str] = {}

    def root(value: str) -> str:
        parent.setdefault(value, value)
        while parent[value] != value:
            parent[value] = value = parent[parent[value]]
        return value

    places = []
    for record in records:
        places.append(record.place)
        for value in (*record.emails, *record.phones):
            parent[root(value)] = root(record.place)
    return {place: root(place) for place in places}
