"""Renewed credentials: encrypted, one holder at a time across processes, and never lost between two of them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from base64 import urlsafe_b64encode

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, text

from connectors.errors import Unauthorized, Unavailable
from hub import clock
from hub.settings import SettingError, Settings, read_settings
from hub.store import lease
from hub.store.engine import Store
from hub.store.kept import credential
from hub.store.vault import NO_STREAM, StoredVault, open_vault

OLD, NEW = (urlsafe_b64encode(bytes([letter]) * 32).decode() for letter in b"on")
HIDDEN = "s3cret-t0ken"

# What another process does: it renews so often, each time from what is kept, and says what it saw.
RENEWING = """
import asyncio, sys
from hub.store.engine import open_store
from hub.store.vault import StoredVault

async def main():
    store = open_store(sys.argv[1])
    vault = StoredVault(store, [sys.argv[2]])
    for _ in range(int(sys.argv[3])):
        async with vault.held("crm") as held:
            before = int(held.read("count") or 0)
            await asyncio.sleep(0)
            await held.keep("count", str(before + 1))
            print(before, flush=True)
    store.close()

asyncio.run(main())
"""


def _keep(store: Store, key: str, value: str = HIDDEN, source: str = "crm", name: str = "refresh") -> None:
    async def keep() -> None:
        async with StoredVault(store, [key]).held(source) as held:
            await held.keep(name, value)

    asyncio.run(keep())


def _read(store: Store, *keys: str, source: str = "crm", name: str = "refresh") -> str | None:
    async def read() -> str | None:
        async with StoredVault(store, keys).held(source) as held:
            return held.read(name)

    return asyncio.run(read())


def test_what_was_kept_is_read_again_by_source_and_name(store: Store) -> None:
    assert _read(store, NEW) is None
    _keep(store, NEW, "one")
    _keep(store, NEW, "two")
    _keep(store, NEW, "three", source="shop")
    assert _read(store, NEW) == "two"
    assert _read(store, NEW, source="shop") == "three"
    assert _read(store, NEW, name="another") is None


def test_a_secret_stands_nowhere_in_the_store(store: Store) -> None:
    _keep(store, NEW)
    with store.read() as connection:
        (secret,) = connection.execute(select(credential.c.secret)).scalars()
    assert HIDDEN.encode() not in secret
    assert Fernet(NEW).decrypt(secret).decode() == HIDDEN


def test_a_former_key_still_reads_and_the_first_one_writes(store: Store) -> None:
    _keep(store, OLD)
    assert _read(store, NEW, OLD) == HIDDEN
    _keep(store, NEW, "newer")
    assert _read(store, NEW) == "newer"


def test_what_no_key_opens_is_said_in_one_line(store: Store) -> None:
    _keep(store, OLD)
    with pytest.raises(Unauthorized, match="crm: the refresh token that is kept cannot be read with HUB_SECRET_KEY"):
        _read(store, NEW)
    assert _read(store, NEW, name="of another setting") is None


def test_without_a_key_nothing_is_renewed(store: Store) -> None:
    with pytest.raises(Unauthorized, match=r"set HUB_SECRET_KEY; `python -c '.*'` makes one"):
        _read(store)
    with store.read() as connection:
        assert lease.held(connection, clock.now()) == {}


def test_the_lease_is_given_back_also_after_an_error(store: Store) -> None:
    async def fail() -> None:
        async with StoredVault(store, [NEW]).held("crm"):
            raise Unavailable("crm", "down")

    with pytest.raises(Unavailable):
        asyncio.run(fail())
    assert _read(store, NEW) is None


def test_one_who_waits_for_a_holder_that_does_not_end_gives_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.vault.PATIENCE_S", 0.01)
    with store.write() as connection:
        lease.take(connection, "crm", NO_STREAM, "somebody", clock.now())
    with pytest.raises(Unavailable, match="another process has been renewing") as caught:
        _read(store, NEW)
    assert caught.value.again


@pytest.mark.parametrize("before", [None, "one"], ids=["nothing-kept-yet", "something-kept"])
def test_a_holder_whose_lease_was_over_does_not_overwrite_what_came_after(store: Store, before: str | None) -> None:
    if before is not None:
        _keep(store, NEW, before)

    async def late() -> None:
        vault = StoredVault(store, [NEW])
        async with vault.held("crm") as held:
            with store.write() as connection:
                connection.execute(text("DELETE FROM lease"))
            async with vault.held("crm") as another:
                await another.keep("refresh", "theirs")
            await held.keep("refresh", "mine")

    with pytest.raises(Unavailable, match="another process renewed"):
        asyncio.run(late())
    assert _read(store, NEW) == "theirs"


def test_processes_that_renew_at_once_go_one_after_the_other(store: Store) -> None:
    command = [sys.executable, "-c", RENEWING, store.url, NEW, "3"]
    with_pipes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    seen = [int(word) for process in with_pipes for word in process.communicate(timeout=60)[0].split()]
    assert sorted(seen) == [0, 1, 2, 3, 4, 5]
    assert _read(store, NEW, name="count") == "6"


KEYS = [
    pytest.param("", (), id="none"),
    pytest.param(NEW, (NEW,), id="one"),
    pytest.param(f"{NEW}, {OLD},", (NEW, OLD), id="two"),
]


@pytest.mark.parametrize(("said", "keys"), KEYS)
def test_keys_come_from_the_environment_and_do_not_show(said: str, keys: tuple[str, ...]) -> None:
    settings = read_settings({"HUB_SECRET_KEY": said})
    assert settings.secret_key == keys
    assert NEW not in repr(settings)


@pytest.mark.parametrize("wrong", ["secret", NEW[:-1], f"{NEW};{OLD}", NEW.replace("=", "ä")])
def test_what_is_no_key_is_refused_and_does_not_show(wrong: str) -> None:
    with pytest.raises(SettingError, match="HUB_SECRET_KEY: is no key") as caught:
        read_settings({"HUB_SECRET_KEY": wrong})
    assert wrong not in str(caught.value)


def test_the_hubs_vault_takes_its_keys_from_the_settings(store: Store) -> None:
    _keep(store, OLD)

    async def read() -> str | None:
        async with open_vault(store, Settings(secret_key=(NEW, OLD))).held("crm") as held:
            return held.read("refresh")

    assert asyncio.run(read()) == HIDDEN
