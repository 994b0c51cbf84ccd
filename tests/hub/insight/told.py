"""Facts as the mapping would write them, told in a few words. In: a writing connection. Out: rows of mapped tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, insert, text, update

from hub.store.derived import customer, member
from hub.store.kept import customer_ledger, landing, profile_ledger
from hub.store.mapped import MAPPED, fact_no

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000
FIRST = (datetime(2025, 1, 6, 12, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def day(number: float) -> int:
    """Noon (UTC) of a day, counted from Monday 2025-01-06, in microseconds."""
    return FIRST + int(number * DAY)


class Told:
    """A growing little world. Customers, records and profiles are numbered from 1 on."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._numbers = count(1)
        self._organization_of: dict[int, int] = {}

    def customer(self, kind: str = "PERSON", at: int = FIRST, **profile: Any) -> int:
        """A customer with one profile; returns its number."""
        number = next(self._numbers)
        self._add(customer_ledger, customer_no=number, public_id=f"cus_{number:06}", kind=kind, minted_at=at)
        self._add(customer, customer_no=number, dirty=True)
        self.profile(number, kind, at, **profile)
        return number

    def profile(self, owner: int, kind: str = "PERSON", at: int = FIRST, **profile: Any) -> int:
        """One more profile of a customer; returns its number."""
        number = next(self._numbers)
        key = {"source": "crm", "stream": "contacts", "key": f"{number}"}
        self._add(profile_ledger, profile_no=number, customer_no=owner, pending=False, **key)
        columns = {"profile_no": number, "kind": kind, "created_at": at, "updated_at": at} | profile
        self._record("profile", "crm", "contacts", columns)
        return number

    def contact(self, profile_no: int, type_: str, value: str) -> None:
        """A contact point of a profile."""
        self._record("contact_point", "crm", "contacts", {"profile_no": profile_no, "type": type_, "value": value})

    def joins(self, person: int, organization: int, role: str | None = None) -> None:
        """The person belongs to the organization; what happens to it from now on counts for both."""
        self._add(member, organization_no=organization, person_no=person, role=role)
        self._organization_of[person] = organization

    def touch(self, owner: int, type_: str, at: int, lane: str = "CUSTOMER", channel: str = "WEB", **more: Any) -> int:
        """Something happened; returns the interaction's number."""
        columns = {"at": at, "type": type_, "lane": lane, "channel": channel} | self._owners(owner) | more
        return self._record("interaction", "shop", "touches", columns)

    def money(
        self, owner: int, kind: str, amount: int, currency: str = "EUR", at: int = FIRST, touch: int | None = None
    ) -> int:
        """An amount in the books, of the record of an interaction where one is named; returns the entry's number."""
        columns = {"at": at, "kind": kind, "basis": "ACTUAL", "amount": amount, "currency": currency}
        columns |= self._owners(owner) | ({} if touch is None else {"interaction_item": 0})
        return self._record("money_entry", "books", "lines", columns, None if touch is None else touch >> 16)

    def case(self, owner: int, status: str, at: int) -> int:
        """A case; returns its number."""
        return self._record("case", "desk", "cases", {"status": status, "opened_at": at} | self._owners(owner))

    def forget_profiles(self, owner: int, into: int) -> None:
        """What a merge does to the ledgers: the profiles and the id now lead to another customer."""
        ledger, ids = profile_ledger, customer_ledger
        self.connection.execute(update(ledger).where(ledger.c.customer_no == owner).values(customer_no=into))
        self.connection.execute(update(ids).where(ids.c.customer_no == owner).values(merged_into=into))

    def _owners(self, owner: int) -> dict[str, Any]:
        kind = self.connection.scalar(text("SELECT kind FROM customer_ledger WHERE customer_no = :n"), {"n": owner})
        organization = owner if kind == "ORGANIZATION" else self._organization_of.get(owner)
        return {"customer_no": owner, "organization_no": organization}

    def _record(self, entity: str, source: str, stream: str, columns: dict[str, Any], record: int | None = None) -> int:
        table, fixed = MAPPED[entity], {"source": source, "stream": stream}
        number = next(self._numbers) if record is None else record
        item = 0
        if record is None:
            hashed = {"payload": b"{}", "raw_hash": b"", "first_seen_at": FIRST, "changed_at": FIRST, "state": 1}
            self._add(landing, landing_no=number, key=f"{number}", **fixed, **hashed)
        else:
            known = text(f'SELECT COUNT(*) FROM "{entity}" WHERE landing_no = :n')  # noqa: S608
            item = self.connection.scalar(known, {"n": number}) or 0
        self._add(table, fact_no=fact_no(number, item), landing_no=number, stale=False, **fixed, **columns)
        return fact_no(number, item)

    def _add(self, table: Any, **values: Any) -> None:
        self.connection.execute(insert(table), values)
