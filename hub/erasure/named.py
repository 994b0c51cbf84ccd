"""What names a person. In: the person's profiles. Out: the landed records that are theirs alone, and those that speak
of others as well: by what the mapping made of them, and by the addresses that stand in what it made nothing of.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, false, func, literal, or_, select
from sqlalchemy.types import LargeBinary

from hub.store.bulk import among
from hub.store.kept import landing, profile_ledger
from hub.store.mapped import MAPPED


def landed(connection: Connection, profiles: Sequence[int]) -> tuple[list[int], list[int]]:
    """The landing rows that are these profiles' alone, and those that speak of others as well."""
    touched = _of(connection, lambda c: c.profile_no.in_(profiles))
    shared = _of(connection, lambda c: among(connection, c.landing_no, touched) & c.profile_no.not_in(profiles))
    telling = _telling(connection, own_addresses(connection, profiles)) - touched
    mapped = _of(connection, lambda c: among(connection, c.landing_no, telling))
    own = (touched - shared) | _under_their_keys(connection, profiles) | _unmapped(connection, profiles)
    own |= telling - mapped
    return sorted(own), sorted((shared | mapped) - own)


def contacts(connection: Connection, profiles: Sequence[int]) -> set[str]:
    """The e-mail addresses and phone numbers of these profiles, as folded and as written."""
    return _points(connection, profiles, "EMAIL", "PHONE")


def own_addresses(connection: Connection, profiles: Sequence[int]) -> set[str]:
    """E-mail addresses, as folded and as written, that no other profile has: a shared inbox is the others' as well."""
    points = MAPPED["contact_point"].c
    mine = _points(connection, profiles, "EMAIL")
    known = (points.type == "EMAIL", points.profile_no.not_in(profiles))
    rows = connection.execute(
        select(points.raw, points.value).where(
            *known, among(connection, points.value, mine) | among(connection, points.raw, mine)
        )
    )
    return mine - {value for row in rows for value in row}


def _points(connection: Connection, profiles: Sequence[int], *types: str) -> set[str]:
    points = MAPPED["contact_point"].c
    rows = connection.execute(
        select(points.raw, points.value).where(points.profile_no.in_(profiles), points.type.in_(types))
    )
    return {value for row in rows for value in row if value}


def _of(connection: Connection, these: Any) -> set[int]:
    """The landing rows of which the mapping made such rows."""
    return {
        no
        for table in MAPPED.values()
        for no in connection.execute(select(table.c.landing_no).distinct().where(these(table.c))).scalars()
    }


def _under_their_keys(connection: Connection, profiles: Sequence[int]) -> set[int]:
    """The profiles' own records, also where they are gone or were never mapped."""
    c, ledger = landing.c, profile_ledger.c
    same = (c.source == ledger.source) & (c.stream == ledger.stream) & (c.key == ledger.key)
    own = select(c.landing_no).join(profile_ledger, same).where(ledger.profile_no.in_(profiles))
    return set(connection.execute(own).scalars())


def _unmapped(connection: Connection, profiles: Sequence[int]) -> set[int]:
    """Records that wait or fail, of which the mapping never made anything, and that hold a value of theirs."""
    c = landing.c
    mapped = or_(*(exists().where(table.c.landing_no == c.landing_no) for table in MAPPED.values()))
    rows = connection.execute(
        select(c.landing_no).where(c.state != 1, ~mapped, _holds(connection, contacts(connection, profiles)))
    )
    return set(rows.scalars())


def _telling(connection: Connection, addresses: Collection[str]) -> set[int]:
    """The records that hold one of these addresses as a value, or as their key, whatever the mapping made of them."""
    c = landing.c
    these = _holds(connection, addresses) | among(connection, c.key, addresses)
    return set(connection.execute(select(c.landing_no).where(these)).scalars()) if addresses else set()


def _holds(connection: Connection, values: Iterable[str]) -> ColumnElement[bool]:
    """Whether one of the values stands in the payload as JSON text of its own."""
    place = func.instr if connection.dialect.name == "sqlite" else func.pg_catalog.position
    needles = {json.dumps(value, ensure_ascii=ascii).encode() for value in values for ascii in (False, True)}
    return or_(*(place(landing.c.payload, literal(needle, LargeBinary)) > 0 for needle in sorted(needles)), false())
