"""Registering. In: profiles that are pending. Out: their keys in match_key, and who must be resolved in unresolved.

All that changed is registered before anything is resolved, so that customers do not depend on where a batch ends.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Column, Connection, Select, select, text, update

from hub.identity.keys import Stated, keys_of
from hub.identity.normalise import Forms, Name, Title
from hub.identity.sets import add_numbers, delete_rows
from hub.store.bulk import among, insert_rows
from hub.store.derived import match_key, unresolved
from hub.store.kept import profile_ledger
from hub.store.mapped import MAPPED

_ASKED = {
    "sqlite": "(SELECT value AS key FROM json_each(:keys)) a",
    "postgresql": "unnest(CAST(:keys AS TEXT[])) a(key)",
}
_ACTIVE = """
    SELECT k.key, k.profile_no, k.own FROM {asked} CROSS JOIN match_key k WHERE k.key = a.key
    AND (SELECT count(*) FROM (SELECT 1 FROM match_key c WHERE c.key = a.key LIMIT :most + 1) held) <= :most
"""
_PROFILE, _CONTACT, _IDENTIFIER = MAPPED["profile"], MAPPED["contact_point"], MAPPED["identifier"]


def register(connection: Connection, forms: Forms, shared_limit: int, limit: int) -> tuple[int, bool]:
    """Writes the keys of up to `limit` pending profiles; returns how many there were and whether more are pending."""
    waiting = select(profile_ledger.c.profile_no).where(profile_ledger.c.pending)
    numbers = list(connection.scalars(waiting.order_by(profile_ledger.c.profile_no).limit(limit + 1)))
    more, numbers = len(numbers) > limit, numbers[:limit]
    if numbers:
        before = _stored_keys(connection, numbers)
        after = _stated_keys(connection, numbers, forms)
        _rewrite(connection, before, after, shared_limit)
        add_numbers(connection, unresolved, "profile_no", numbers, "changed")
        _set(connection, unresolved.c.profile_no, numbers, unresolved.c.changed, True)
        _set(connection, profile_ledger.c.profile_no, numbers, profile_ledger.c.pending, False)
    return len(numbers), more


def _set(connection: Connection, key: Column[int], numbers: Collection[int], flag: Column[bool], value: bool) -> None:
    connection.execute(update(key.table).where(among(connection, key, numbers)).values({flag.name: value}))


def _stored_keys(connection: Connection, numbers: Collection[int]) -> set[tuple[str, int, bool]]:
    k = match_key.c
    rows = connection.execute(select(k.key, k.profile_no, k.own).where(among(connection, k.profile_no, numbers)))
    return {(key, number, own) for key, number, own in rows}


def _stated_keys(connection: Connection, numbers: Collection[int], forms: Forms) -> set[tuple[str, int, bool]]:
    """The keys of all profiles that have a record; one that is only referenced has none."""
    contacts = _pairs(connection, numbers, _CONTACT, "type", "value")
    identifiers = _pairs(connection, numbers, _IDENTIFIER, "system", "value")
    said: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(_records(connection, numbers)):
        said[row.profile_no].append(row)
    found = set()
    for number, rows in said.items():
        kind = min(row.kind for row in rows)
        names = [name for row in rows if (name := name_of(row, kind, forms))]
        stated = Stated(kind, rows[0].source, rows[0].key, contacts[number], identifiers[number], names)
        found |= {(key, number, own) for key, own in keys_of(stated, forms).items()}
    return found


def name_of(row: Any, kind: str, forms: Forms) -> Name | Title | None:
    """The comparison form of the name in a row of the profile table."""
    if kind == "ORGANIZATION":
        return forms.title(row.display_name)
    return forms.name(row.given_name, row.family_name, row.display_name)


def _records(connection: Connection, numbers: Collection[int]) -> Select[Any]:
    own, p = profile_ledger.c, _PROFILE.c
    columns = (own.profile_no, own.source, own.key, p.kind, p.given_name, p.family_name, p.display_name)
    joined = profile_ledger.join(_PROFILE, p.profile_no == own.profile_no)
    return select(*columns).distinct().select_from(joined).where(among(connection, own.profile_no, numbers))


def _pairs(
    connection: Connection, numbers: Collection[int], table: Any, first: str, second: str
) -> dict[int, list[tuple[str, str]]]:
    columns = (table.c.profile_no, table.c[first], table.c[second])
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for number, one, other in connection.execute(
        select(*columns).distinct().where(among(connection, table.c.profile_no, numbers))
    ):
        found[number].append((one, other))
    return found


def _rewrite(
    connection: Connection,
    before: set[tuple[str, int, bool]],
    after: set[tuple[str, int, bool]],
    shared_limit: int,
) -> None:
    """Writes the difference. Whoever shares a key that comes or goes is resolved again: what the key says of its
    holders may have changed, or whether it says anything at all.
    """
    gone, new = before - after, after - before
    gone_keys = {key for key, _, _ in gone}
    neighbours = set(active_holders(connection, gone_keys | {key for key, _, _ in new}, shared_limit))
    delete_rows(connection, match_key, ("key", "profile_no"), [(key, number) for key, number, _ in gone])
    insert_rows(connection, match_key, ("key", "profile_no", "own"), sorted(new))
    neighbours |= set(active_holders(connection, gone_keys, shared_limit))
    if neighbours:
        add_numbers(connection, unresolved, "profile_no", {number for _, number, _ in neighbours}, "changed")


def active_holders(connection: Connection, keys: Iterable[str], shared_limit: int) -> list[tuple[str, int, bool]]:
    """(key, profile, own) of the keys that at most `shared_limit` profiles hold; the others say nothing, and their
    holders are counted no further than that.
    """
    wanted = sorted(set(keys))
    if not wanted:
        return []
    postgres = connection.dialect.name == "postgresql"
    rows = connection.execute(
        text(_ACTIVE.format(asked=_ASKED[connection.dialect.name])),
        {"keys": wanted if postgres else json.dumps(wanted), "most": shared_limit},
    )
    return [(key, number, bool(own)) for key, number, own in rows]
