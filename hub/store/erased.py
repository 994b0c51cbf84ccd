"""Tombstones. In: names of what was erased. Out: keyed digests that know it when it comes again, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from hub.store.bulk import among
from hub.store.kept import hub_meta, tombstone


def tombstoned(connection: Connection, source: str, stream: str, keys: Iterable[str]) -> list[str]:
    """Those of the keys that a tombstone names: records that were erased and do not land again."""
    if connection.execute(select(tombstone.c.digest).limit(1)).first() is None:
        return []
    salt = erasure_salt(connection)
    digests = {tombstone_digest(salt, source, stream, key): key for key in keys}
    found = connection.execute(select(tombstone.c.digest).where(among(connection, tombstone.c.digest, digests)))
    return [digests[row[0]] for row in found]


def erasure_salt(connection: Connection) -> str:
    """The salt of this store's tombstones, made at the first call and the same ever after."""
    held = connection.execute(select(hub_meta.c.value).where(hub_meta.c.name == "erasure_salt")).scalar()
    if held is not None:
        return str(held)
    salt = secrets.token_hex(32)
    connection.execute(insert(hub_meta).values(name="erasure_salt", value=salt))
    return salt


def tombstone_digest(salt: str, *parts: str) -> str:
    """HMAC-SHA256, hex, of a record's source, stream and key, or of an identifier's type and value."""
    message = b"".join(b"%d:%s," % (len(part), part) for part in (text_.encode() for text_ in parts))
    return hmac.new(salt.encode(), message, hashlib.sha256).hexdigest()
