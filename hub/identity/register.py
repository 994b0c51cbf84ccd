"""Registering. In: profiles that are pending. Out: what each says (portrait, match_key), and in unresolved who must
be resolved.

All that changed is registered before anything is resolved, so that customers do not depend on where a batch ends.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from hub.identity.evidence.keys import keys_of
from hub.identity.evidence.means import STRONG, means_of
from hub.identity.holders import concerned
from hub.identity.normalise.compose import Said, portrait_of
from hub.identity.normalise.forms import Forms
from hub.identity.normalise.portrait import Portrait
from hub.identity.sets import delete_rows, put_rows
from hub.identity.stored import packed, pictured, said, unpacked
from hub.store.bulk import insert_rows
from hub.store.derived import match_key, portrait
from hub.store.plain import rows, run

_WAITING = "SELECT profile_no, source, key FROM profile_ledger WHERE pending = TRUE ORDER BY profile_no LIMIT ?"
_WAITED = "UPDATE profile_ledger SET pending = FALSE WHERE profile_no IN (SELECT a.value FROM LISTED)"
_CHANGED = """
    INSERT INTO unresolved (profile_no, changed) SELECT a.value, TRUE FROM LISTED WHERE a.value IS NOT NULL
    ON CONFLICT (profile_no) DO UPDATE SET changed = TRUE WHERE unresolved.changed = FALSE
"""
_NEIGHBOURS = """
    INSERT INTO unresolved (profile_no, changed) SELECT a.value, FALSE FROM LISTED WHERE a.value IS NOT NULL
    ON CONFLICT (profile_no) DO NOTHING
"""
_RECORDS = """
    SELECT p.profile_no, p.kind, p.given_name, p.family_name, p.display_name, p.birth_date, p.country
    FROM LISTED CROSS JOIN profile p WHERE p.profile_no = a.value
"""
_CONTACTS = "SELECT p.profile_no, p.type, p.value FROM LISTED CROSS JOIN contact_point p WHERE p.profile_no = a.value"
_IDENTIFIERS = "SELECT p.profile_no, p.system, p.value FROM LISTED CROSS JOIN identifier p WHERE p.profile_no = a.value"
_PARENTS = """
    SELECT m.profile_no, o.source, o.key
    FROM LISTED CROSS JOIN membership m CROSS JOIN profile_ledger o
    WHERE m.profile_no = a.value AND o.profile_no = m.organization_profile_no
"""
_OUTDATED = "DELETE FROM portrait WHERE profile_no IN (SELECT a.value FROM LISTED)"
_PORTRAIT = ("profile_no", "said", "keys")
_STORED = "SELECT p.profile_no, p.said, p.keys FROM LISTED CROSS JOIN portrait p WHERE p.profile_no = a.value"


@dataclass(frozen=True, slots=True)
class Registered:
    """`profiles`: how many were pending. `due`: who must be resolved and is not written down in unresolved, each with
    whether it changed itself. `more`: whether more are pending.
    """

    profiles: int = 0
    due: Mapping[int, bool] = field(default_factory=dict)
    more: bool = False


def register(connection: Connection, forms: Forms, limit: int, *, anew: bool) -> Registered:
    """Writes what up to `limit` pending profiles say.

    `anew`: nobody had a portrait when this began, and everybody is pending. So nobody else need be told of a change,
    and keys are written when the last portrait is.
    """
    found = rows(connection, _WAITING, limit + 1)
    numbers = [row[0] for row in found[:limit]]
    more = len(found) > limit
    if numbers:
        told = _said(connection, found[:limit])
        portraits = {number: portrait_of(each, forms) for number, each in told.items()}
        write = _write_all if anew else _rewrite
        neighbours = write(connection, numbers, portraits, forms)
        run(connection, _WAITED, numbers)
        if not more and len(numbers) + len(neighbours) <= limit:
            return Registered(len(numbers), dict.fromkeys(neighbours, False) | dict.fromkeys(numbers, True))
        run(connection, _NEIGHBOURS, sorted(neighbours))
        run(connection, _CHANGED, numbers)
    return Registered(len(numbers), {}, more)


def _write_all(connection: Connection, numbers: list[int], portraits: Mapping[int, Portrait], forms: Forms) -> set[int]:
    """Adds portraits, and takes away those of who changed since this began. Nobody has to be told: all are resolved."""
    run(connection, _OUTDATED, numbers)
    new = [(number, said(one), packed(keys_of(one, forms))) for number, one in portraits.items()]
    insert_rows(connection, portrait, _PORTRAIT, new)
    return set()


def _rewrite(connection: Connection, numbers: list[int], portraits: Mapping[int, Portrait], forms: Forms) -> set[int]:
    """Writes what differs; returns whom it may concern, as they share a key with somebody who changed: what it says of
    its holders may be something else now.
    """
    stored = {number: (text, keys) for number, text, keys in rows(connection, _STORED, numbers)}
    changes = list(_changes(portraits, stored, forms))
    if not changes:
        return set()
    concerns = concerned(connection, Counter(key for change in changes for key in change.telling))
    _write(connection, changes)
    gone = Counter(key for change in changes for key, _ in change.gone)
    return concerns.union(concerned(connection, gone)).difference(numbers)


def _said(connection: Connection, waiting: Sequence[tuple[Any, ...]]) -> dict[int, Said]:
    """What the records of these say; one that is only referenced has none, and is left out."""
    numbers = [number for number, _, _ in waiting]
    records: dict[int, list[Any]] = defaultdict(list)
    for number, kind, *record in rows(connection, _RECORDS, numbers):
        records[number].append((kind, tuple(record)))
    kinds = {number: min(kind for kind, _ in said) for number, said in records.items()}
    organizations = [number for number, kind in kinds.items() if kind == "ORGANIZATION"]
    contacts = _listed(connection, _CONTACTS, numbers)
    identifiers = _listed(connection, _IDENTIFIERS, numbers)
    parents = _listed(connection, _PARENTS, organizations) if organizations else {}
    return {
        number: Said(
            kinds[number],
            source,
            key,
            [record for _, record in records[number]],
            contacts.get(number, ()),
            identifiers.get(number, ()),
            parents.get(number, ()),
        )
        for number, source, key in waiting
        if number in kinds
    }


def _listed(connection: Connection, statement: str, numbers: list[int]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for number, first, second in rows(connection, statement, numbers):
        found[number].append((first, second))
    return found


@dataclass(frozen=True, slots=True)
class _Change:
    """A profile that now says something else. `row` is its portrait's, None where it says nothing any more. `telling`
    are the keys that say something else of their holders by it: those that come or go, and strong ones that stay where
    it says something else of who it is.
    """

    profile_no: int
    row: tuple[int, str, bytes] | None
    telling: Collection[int]
    gone: list[tuple[int, int]]
    new: list[tuple[int, int, bool]]


def _who(portrait: Portrait) -> object:
    """What a profile says of who it is: by that a key is a person's, a household's or a company's."""
    return portrait if portrait.kind == "ORGANIZATION" else (portrait.kind, portrait.names, portrait.births)


def _changes(
    portraits: Mapping[int, Portrait], stored: Mapping[int, tuple[str, bytes]], forms: Forms
) -> Iterator[_Change]:
    """Who says something else than what is stored. The keys are a function of that: only theirs are made."""
    for number in portraits.keys() | stored.keys():
        before, now = stored.get(number), portraits.get(number)
        text = "" if now is None else said(now)
        if before is None or before[0] != text:
            keys = {} if now is None else keys_of(now, forms)
            had = set() if before is None else set(unpacked(before[1]))
            gone = [(key, number) for key in had if key not in keys]
            new = [(key, number, own) for key, own in keys.items() if key not in had]
            telling = had ^ keys.keys()
            if before is not None and now is not None and _who(pictured(before[0])) != _who(now):
                telling |= {key for key in keys if means_of(key) in STRONG}
            row = None if now is None else (number, text, packed(keys))
            yield _Change(number, row, telling, gone, new)


def _write(connection: Connection, changes: Collection[_Change]) -> None:
    gone = sorted(held for change in changes for held in change.gone)
    new = sorted(held for change in changes for held in change.new)
    delete_rows(connection, match_key, ("key", "profile_no"), gone)
    insert_rows(connection, match_key, ("key", "profile_no", "own"), new)
    put_rows(connection, portrait, "profile_no", _PORTRAIT, [change.row for change in changes if change.row])
    silent = [(change.profile_no,) for change in changes if change.row is None]
    delete_rows(connection, portrait, ("profile_no",), silent)
