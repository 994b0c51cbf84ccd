"""A record as any contender reads it. In: records or a CSV file. Out: the other of both.

The CSV file is the neutral form: a column a field, several values of one field parted by `|`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

FIELDS = (
    "source", "key", "entity", "given", "family", "display", "birth", "country",
    "street", "postcode", "city", "kind", "emails", "phones", "devices", "ids",
)  # fmt: skip
_ONE = 12  # so many fields hold one value, the others several


@dataclass(frozen=True, slots=True)
class Record:
    """What one source says of somebody, and who that truly is. E-mails are folded, phones are E.164."""

    source: str
    key: str
    entity: str
    given: str = ""
    family: str = ""
    display: str = ""
    birth: str = ""
    country: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    kind: str = ""  # ORGANIZATION, else it is a person
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    ids: tuple[tuple[str, str], ...] = ()  # (system, value)

    @property
    def place(self) -> str:
        """What the record is known by in a partition: `crm/17`."""
        return f"{self.source}/{self.key}"

    @property
    def address(self) -> str | None:
        """The contact value that a mapping makes of the address; None where there is too little to reach anybody."""
        if not self.street or not (self.postcode or self.city):
            return None
        parts = (self.street, self.postcode, self.city, self.country)
        return ", ".join(" ".join(part.casefold().split()) for part in parts if part)


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Writes the neutral file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        for r in records:
            ids = "|".join(f"{system}={value}" for system, value in r.ids)
            several = ("|".join(r.emails), "|".join(r.phones), "|".join(r.devices), ids)
            writer.writerow((
                r.source, r.key, r.entity, r.given, r.family, r.display, r.birth, r.country, r.street, r.postcode,
                r.city, r.kind, *several,
            ))  # fmt: skip


def read_records(path: Path) -> Iterator[Record]:
    """The records of a neutral file, one by one."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            emails, phones, devices, ids = (tuple(said.split("|")) if said else () for said in row[_ONE:])
            pairs = tuple((system, value) for system, _, value in (each.partition("=") for each in ids))
            one = dict(zip(FIELDS, row[:_ONE], strict=False))
            yield Record(**one, emails=emails, phones=phones, devices=devices, ids=pairs)
