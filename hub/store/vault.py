"""Credentials that a system renewed. In: a store and HUB_SECRET_KEY. Out: one holder a source, across processes.

They are encrypted (Fernet) under the first key; the others still read what was written under them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from connectors.auth import Held
from connectors.errors import Unauthorized, Unavailable
from hub import clock
from hub.settings import MAKE_KEY, Settings
from hub.store import lease
from hub.store.engine import Store
from hub.store.errors import LockedError
from hub.store.kept import credential

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

NO_STREAM = ""  # the lease of a source's credentials stands beside those of its streams
LOOK_S = 0.1  # how often one who waits looks whether the holder is done
PATIENCE_S = lease.LEASE_US / 1_000_000 + 10  # a dead holder's lease is over by then
TRIES = 10  # a renewed credential is not given up for a writer who takes long


def open_vault(store: Store, settings: Settings) -> StoredVault:
    """The vault of a store."""
    return StoredVault(store, settings.secret_key)


class StoredVault:
    """Keeps credentials in the store, encrypted. No transaction is open while the system is asked for new ones."""

    def __init__(self, store: Store, keys: Sequence[str]) -> None:
        self._store = store
        self._cipher = _cipher(keys) if keys else None

    @asynccontextmanager
    async def held(self, source: str) -> AsyncIterator[Held]:
        """The credentials of a source for one holder at a time, also across processes.

        Raises Unauthorized where there is no key to keep them under: before anything is renewed, as what a system gives
        then could not be kept. Raises Unavailable where another holder takes too long, StoreError.
        """
        if self._cipher is None:
            what = "the system may renew its refresh token, and there is no key to keep a new one under"
            raise Unauthorized(source, what, f"set HUB_SECRET_KEY; {MAKE_KEY} makes one")
        holder = lease.new_holder()
        await self._take(source, holder)
        try:
            rows = await asyncio.to_thread(self._rows, source)
            yield _Held(self._store, self._cipher, source, rows)
        finally:
            await asyncio.to_thread(self._give_back, source, holder)

    async def _take(self, source: str, holder: str) -> None:
        end = monotonic() + PATIENCE_S
        while not await asyncio.to_thread(self._try, source, holder):
            if monotonic() > end:
                what = "another process has been renewing its credentials for long"
                raise Unavailable(source, what, "run again later", again=True)
            await asyncio.sleep(LOOK_S)

    def _try(self, source: str, holder: str) -> bool:
        with self._store.write() as connection:
            return lease.take(connection, source, NO_STREAM, holder, clock.now())

    def _give_back(self, source: str, holder: str) -> None:
        with suppress(LockedError), self._store.write() as connection:  # what is not given back ends by itself
            lease.give_back(connection, source, NO_STREAM, holder)

    def _rows(self, source: str) -> dict[str, bytes]:
        with self._store.read() as connection:
            chosen = select(credential.c.name, credential.c.secret).where(credential.c.source == source)
            return {name: bytes(secret) for name, secret in connection.execute(chosen)}


def _cipher(keys: Sequence[str]) -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet  # six megabytes that only those with a key need

    return MultiFernet([Fernet(key) for key in keys])


@dataclass(slots=True)
class _Held:
    """What the holder sees: the rows as they were when it took them."""

    _store: Store
    _cipher: MultiFernet = field(repr=False)
    _source: str
    _rows: dict[str, bytes] = field(repr=False)

    def read(self, name: str) -> str | None:
        """The value kept under this name, None where there is none; Unauthorized where no key opens it."""
        secret = self._rows.get(name)
        if secret is None:
            return None
        from cryptography.fernet import InvalidToken

        try:
            return self._cipher.decrypt(secret).decode()
        except InvalidToken:
            what = "the refresh token that is kept cannot be read with HUB_SECRET_KEY"
            remedy = (
                "put the former key behind the new one, with a comma, or allow the hub anew and set a new refresh token"
            )
            raise Unauthorized(self._source, what, remedy) from None

    async def keep(self, name: str, value: str) -> None:
        """Keeps a value in place of the one before: durable when this returns. Raises StoreError.

        Raises Unavailable where another holder kept one meanwhile, as this one's lease was over: theirs stays.
        """
        secret = self._cipher.encrypt(value.encode())
        for left in range(TRIES - 1, -1, -1):
            try:
                kept = await asyncio.to_thread(self._write, name, secret)
                break
            except LockedError:
                if not left:
                    raise
        if not kept:
            what = "another process renewed its credentials meanwhile"
            raise Unavailable(self._source, what, "run again later", again=True)
        self._rows[name] = secret

    def _write(self, name: str, secret: bytes) -> bool:
        row = {"source": self._source, "name": name, "secret": secret, "renewed_at": clock.now()}
        with self._store.write() as connection:
            before = self._rows.get(name)
            kept = _insert(connection, row) if before is None else _replace(connection, row, before)
        if self._store.dialect == "sqlite":
            _sync(self._store)
        return kept


def _insert(connection: Connection, row: dict[str, object]) -> bool:
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    wanted = make(credential).values(row).on_conflict_do_nothing()
    return connection.execute(wanted.returning(credential.c.name)).first() is not None


def _replace(connection: Connection, row: dict[str, object], before: bytes) -> bool:
    this = (credential.c.source == row["source"], credential.c.name == row["name"], credential.c.secret == before)
    return connection.execute(update(credential).where(*this).values(row)).rowcount == 1


def _sync(store: Store) -> None:
    """Brings what is committed to the disk: SQLite leaves that to a checkpoint, and a power cut may come before."""
    raw = store.engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    finally:
        raw.close()
