"""Moving. In: each profile's customer. Out: members, facts and due marks that follow, one statement a table.

An organization's facts count for it; a person's count also for the one organization that the person belongs to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, text
from sqlalchemy.schema import CreateTable

from hub.identity.evidence.verdict import Profile
from hub.identity.sets import delete_rows
from hub.store.bulk import insert_rows
from hub.store.derived import member
from hub.store.ledger import organizations_of
from hub.store.mapped import FACTS
from hub.store.plain import rows, run

_MEMBERS = """
    SELECT m.organization_no, m.person_no, m.role, m.since, m.until
    FROM LISTED CROSS JOIN member m WHERE m.{side}_no = a.value
"""
_SAID = """
    SELECT o.customer_no, p.customer_no, m.role, m.since, m.until
    FROM LISTED CROSS JOIN profile_ledger {side} CROSS JOIN membership m CROSS JOIN profile_ledger {other}
    WHERE {side}.customer_no = a.value AND m.{this} = {side}.profile_no AND {other}.profile_no = m.{that}
    AND {other}.customer_no <> a.value
"""
# Two statements each, by an index; an OR over both sides would read everything.
_BEFORE = " UNION ".join(_MEMBERS.format(side=side) for side in ("organization", "person"))
_AFTER = " UNION ALL ".join(
    (
        _SAID.format(side="o", this="organization_profile_no", other="p", that="profile_no"),
        _SAID.format(side="p", this="profile_no", other="o", that="organization_profile_no"),
    )
)
_THEIRS = "SELECT l.profile_no, l.customer_no FROM LISTED CROSS JOIN profile_ledger l WHERE l.customer_no = a.value"
_DUE = """
    INSERT INTO customer (customer_no, dirty) SELECT a.value, TRUE FROM LISTED WHERE a.value IS NOT NULL
    ON CONFLICT (customer_no) DO UPDATE SET dirty = TRUE WHERE customer.dirty = FALSE
"""


class _Member(NamedTuple):
    """A row of member."""

    organization_no: int
    person_no: int
    role: str | None
    since: int | None
    until: int | None


def _ends(row: _Member) -> tuple[int, int]:
    return row.organization_no, row.person_no


def move(
    connection: Connection,
    profiles: Mapping[int, Profile],
    customer_of: Mapping[int, int | None],
    changed: Collection[int],
    as_of: int,
) -> int:
    """Makes members, facts and due marks agree with `customer_of`; returns how many facts changed hands.

    `profiles` hold the assignment before; `changed` are those whose own record changed; `as_of` (microseconds)
    decides which membership is current.
    """
    moved = {n: new for n, new in customer_of.items() if profiles[n].customer_no != new}
    touched = {customer_of[n] for n in changed} | {*moved.values(), *(profiles[n].customer_no for n in moved)}
    customers = {number for number in touched if number is not None}
    if not customers:
        return 0
    before, after = _members_before(connection, customers), _members_after(connection, customers)
    delete_rows(
        connection,
        member,
        ("organization_no", "person_no"),
        [_ends(row) for row in before - after],
    )
    added = sorted(after - before, key=_ends)
    insert_rows(connection, member, _Member._fields, added)
    others = {row.person_no for row in before ^ after}
    facts = _move_facts(connection, _owners(connection, moved, others, as_of))
    organizations = {row.organization_no for row in before | after}
    _mark(connection, customers | others | organizations)
    return facts


def _members_before(connection: Connection, customers: Collection[int]) -> set[_Member]:
    numbers = sorted(customers)
    return {_Member(*row) for row in rows(connection, _BEFORE, numbers, numbers)}


def _members_after(connection: Connection, customers: Collection[int]) -> set[_Member]:
    """One row a person and organization: the role of the latest statement, from the first to the last day known."""
    numbers = sorted(customers)
    said: dict[tuple[int, int], set[_Member]] = defaultdict(set)
    for row in rows(connection, _AFTER, numbers, numbers):
        said[row[0], row[1]].add(_Member(*row))
    return {_summed(found) for found in said.values()}


def _summed(said: Collection[_Member]) -> _Member:
    latest = max(said, key=lambda row: (row.until is None, row.since or 0, row.role or "", row.until or 0))
    ends = {row.until for row in said}
    starts = [row.since for row in said if row.since is not None]
    until = None if None in ends else max(end for end in ends if end is not None)
    return latest._replace(since=min(starts, default=None), until=until)


def _owners(
    connection: Connection, moved: Mapping[int, int | None], others: Collection[int], as_of: int
) -> list[tuple[int, int | None, int | None]]:
    """(profile, customer, organization) of all whose facts may have to move."""
    of_others = rows(connection, _THEIRS, sorted(others)) if others else ()
    customer_of: dict[int, int | None] = {**moved, **dict(of_others)}
    if not customer_of:
        return []
    organization_of = organizations_of(connection, {n for n in customer_of.values() if n is not None}, as_of)
    return [(n, to, None if to is None else organization_of.get(to)) for n, to in sorted(customer_of.items())]


_OWNER = Table(
    "owner",
    MetaData(),
    *(Column(name, BigInteger) for name in ("profile_no", "customer_no", "organization_no")),
    prefixes=["TEMP"],
)
_HAS = """SELECT '{fact}' WHERE EXISTS (SELECT 1 FROM LISTED CROSS JOIN "{fact}" f WHERE f.profile_no = a.value)"""
_WITH_FACTS = " UNION ALL ".join(_HAS.format(fact=name) for name in FACTS)
_MOVE = """
    UPDATE "{fact}" SET customer_no = o.customer_no, organization_no = o.organization_no
    FROM owner o WHERE "{fact}".profile_no = +o.profile_no
    AND ("{fact}".customer_no IS DISTINCT FROM o.customer_no
         OR "{fact}".organization_no IS DISTINCT FROM o.organization_no)
"""  # the plus keeps SQLite from reading all facts and looking each up among the owners


def _move_facts(connection: Connection, owners: list[tuple[int, int | None, int | None]]) -> int:
    if not owners:
        return 0
    numbers = [owner[0] for owner in owners]
    facts = [name for (name,) in rows(connection, _WITH_FACTS, *(numbers for _ in FACTS))]
    if not facts:
        return 0
    connection.execute(CreateTable(_OWNER, if_not_exists=True))
    connection.execute(_OWNER.delete())
    insert_rows(connection, _OWNER, ("profile_no", "customer_no", "organization_no"), owners)
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE owner"))
    return sum(run(connection, _MOVE.format(fact=name)) for name in facts)


def _mark(connection: Connection, customers: Iterable[int]) -> None:
    """Marks the customers as to be derived; those that nobody is any more, too, for their rows must go."""
    run(connection, _DUE, sorted(set(customers)))
