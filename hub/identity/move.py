"""Moving. In: each profile's customer. Out: members, facts and due marks that follow, one statement a table.

An organization's facts count for it; a person's count also for the one organization that the person belongs to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, or_, select, text
from sqlalchemy.schema import CreateTable

from hub.identity.keys import Profile
from hub.identity.sets import add_numbers, delete_rows
from hub.store.bulk import among, insert_rows
from hub.store.derived import customer, member
from hub.store.kept import profile_ledger
from hub.store.ledger import mark_dirty, organizations_of
from hub.store.mapped import FACTS, MAPPED


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
    c = member.c
    touching = or_(among(connection, c.organization_no, customers), among(connection, c.person_no, customers))
    columns = (c.organization_no, c.person_no, c.role, c.since, c.until)
    return {_Member(*row) for row in connection.execute(select(*columns).where(touching))}


def _members_after(connection: Connection, customers: Collection[int]) -> set[_Member]:
    """One row a person and organization: the role of the latest statement, from the first to the last day known."""
    m = MAPPED["membership"].c
    person, organization = profile_ledger.alias("person"), profile_ledger.alias("organization")
    joined = (
        MAPPED["membership"]
        .join(person, person.c.profile_no == m.profile_no)
        .join(organization, organization.c.profile_no == m.organization_profile_no)
    )
    columns = (organization.c.customer_no, person.c.customer_no, m.role, m.since, m.until)
    both = (organization.c.customer_no.is_not(None), person.c.customer_no.is_not(None))
    said: dict[tuple[int, int], set[_Member]] = defaultdict(set)
    for side in (organization, person):  # two statements, each by an index; an OR over both would read everything
        found = select(*columns).select_from(joined).where(among(connection, side.c.customer_no, customers), *both)
        for row in connection.execute(found):
            said[row[0], row[1]].add(_Member(*row))
    return {_summed(rows) for rows in said.values()}


def _summed(rows: Collection[_Member]) -> _Member:
    latest = max(rows, key=lambda row: (row.until is None, row.since or 0, row.role or "", row.until or 0))
    ends = {row.until for row in rows}
    starts = [row.since for row in rows if row.since is not None]
    until = None if None in ends else max(end for end in ends if end is not None)
    return latest._replace(since=min(starts, default=None), until=until)


def _owners(
    connection: Connection, moved: Mapping[int, int | None], others: Collection[int], as_of: int
) -> list[tuple[int, int | None, int | None]]:
    """(profile, customer, organization) of all whose facts may have to move."""
    own = profile_ledger.c
    of_others = select(own.profile_no, own.customer_no).where(among(connection, own.customer_no, others))
    customer_of = dict(moved) | (dict(connection.execute(of_others).all()) if others else {})
    organization_of = organizations_of(connection, {n for n in customer_of.values() if n is not None}, as_of)
    return [(n, to, None if to is None else organization_of.get(to)) for n, to in sorted(customer_of.items())]


_OWNER = Table(
    "owner",
    MetaData(),
    *(Column(name, BigInteger) for name in ("profile_no", "customer_no", "organization_no")),
    prefixes=["TEMP"],
)
_MOVE = """
    UPDATE "{fact}" SET customer_no = o.customer_no, organization_no = o.organization_no
    FROM owner o WHERE "{fact}".profile_no = +o.profile_no
    AND ("{fact}".customer_no IS DISTINCT FROM o.customer_no
         OR "{fact}".organization_no IS DISTINCT FROM o.organization_no)
"""  # the plus keeps SQLite from reading all facts and looking each up among the owners


def _move_facts(connection: Connection, owners: list[tuple[int, int | None, int | None]]) -> int:
    if not owners:
        return 0
    connection.execute(CreateTable(_OWNER, if_not_exists=True))
    connection.execute(_OWNER.delete())
    insert_rows(connection, _OWNER, ("profile_no", "customer_no", "organization_no"), owners)
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE owner"))
    return sum(connection.execute(text(_MOVE.format(fact=name))).rowcount for name in FACTS)


def _mark(connection: Connection, customers: Iterable[int]) -> None:
    """Marks the customers as to be derived; those that nobody is any more, too, for their rows must go."""
    numbers = set(customers)
    add_numbers(connection, customer, "customer_no", numbers, "dirty")
    mark_dirty(connection, numbers)
