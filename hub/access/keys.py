"""API keys. In: a store. Out: keys made, listed, rotated and revoked; and, for the gate, the one that was offered.

A key is `hub_PREFIX_SECRET`. The secret is 256 random bits, so a fast hash is enough: slow hashes are for secrets
that people choose and others can guess; nobody can try 2^256 of them, at whatever speed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from hub import clock
from hub.expression import hint
from hub.store.kept import api_key

MARK = "hub"
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000


class KeyRefused(Exception):
    """A key cannot be made or found as asked; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept: never with its secret. Instants are µs."""

    key_no: int
    prefix: str
    digest: bytes
    name: str
    role: str
    scopes: frozenset[str]
    created_at: int
    expires_at: int
    revoked_at: int | None
    last_used: str | None

    def fits(self, offered: str) -> bool:
        """Whether it is the key that was offered, in constant time."""
        return compare_digest(self.digest, _digest(offered))

    def ended(self, now: int) -> str | None:
        """Why it does not hold any more at `now`, in words; None where it does."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return f"was revoked at {clock.show(self.revoked_at)}"
        if self.expires_at <= now:
            return f"expired at {clock.show(self.expires_at)}"
        return None


def create_key(
    connection: Connection, name: str, role: str, scopes: Iterable[str], days: int, now: int
) -> tuple[str, Key]:
    """A new key that lives for `days`, to be shown once, and what is kept of it."""
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    offered = f"{MARK}_{prefix}_{secret}"
    values = {
        "prefix": prefix,
        "digest": _digest(offered),
        "name": name,
        "role": role,
        "scopes": " ".join(sorted(scopes)),
        "created_at": now,
        "expires_at": now + days * DAY_US,
    }
    connection.execute(insert(api_key).values(values))
    return offered, find_key(connection, prefix)


def rotate_key(connection: Connection, prefix: str, hours: int, days: int, now: int) -> tuple[str, Key]:
    """A new key like the old one, which lives on for `hours`. Raises KeyRefused for one that has ended already."""
    old = find_key(connection, prefix)
    if why := old.ended(now):
        raise KeyRefused(f"key {prefix} {why}; create a new one")
    until = now + hours * HOUR_US
    if old.expires_at > until:
        connection.execute(update(api_key).where(api_key.c.key_no == old.key_no).values(expires_at=until))
    return create_key(connection, old.name, old.role, old.scopes, days, now)


def revoke_key(connection: Connection, prefix: str, now: int) -> Key:
    """Ends a key. One that was revoked before stays as it was. Raises KeyRefused."""
    key = find_key(connection, prefix)
    if key.revoked_at is None:
        connection.execute(update(api_key).where(api_key.c.key_no == key.key_no).values(revoked_at=now))
    return find_key(connection, prefix)


def find_key(connection: Connection, prefix: str) -> Key:
    """The key with this prefix, also as `hub_PREFIX`. Raises KeyRefused."""
    bare = prefix.removeprefix(f"{MARK}_").partition("_")[0]
    row = connection.execute(select(api_key).where(api_key.c.prefix == bare)).one_or_none()
    if row is None:
        known = [key.prefix for key in all_keys(connection)]
        raise KeyRefused(f"no key begins with {bare!r}; see `hub keys list`{hint(bare, known)}")
    return _key(row)


def all_keys(connection: Connection) -> list[Key]:
    """Every key ever made, the oldest first."""
    return [_key(row) for row in connection.execute(select(api_key).order_by(api_key.c.key_no))]


def note_used(connection: Connection, key_no: int, day: str) -> None:
    """Notes the day on which a key was used."""
    connection.execute(update(api_key).where(api_key.c.key_no == key_no).values(last_used=day))


def prefix_of(offered: str) -> str | None:
    """The prefix of an offered key; None where it does not look like one."""
    parts = offered.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == MARK else None


def _digest(offered: str) -> bytes:
    return blake2b(offered.encode("utf-8", "replace"), digest_size=32, person=b"hub api key").digest()


def _key(row: Row[Any]) -> Key:
    held = dict(row._mapping)
    return Key(**held | {"digest": bytes(held["digest"]), "scopes": frozenset(held["scopes"].split())})
