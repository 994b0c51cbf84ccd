"""API keys: made, found, rotated and ended, on both databases; and what is at hand of them between two readings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select, text

from hub import clock
from hub.access import keyring
from hub.access.keyring import STALE_S, Keyring
from hub.access.keys import (
    DAY_US,
    HOUR_US,
    Key,
    KeyRefused,
    all_keys,
    create_key,
    find_key,
    prefix_of,
    revoke_key,
    rotate_key,
)
from hub.store.engine import Store
from hub.store.errors import StoreError
from hub.store.kept import api_key

NOW = 1_000 * DAY_US


class Ticks:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def made(store: Store, now: int = NOW, days: int = 90, scopes: tuple[str, ...] = ("graphql",)) -> tuple[str, Key]:
    with store.write() as connection:
        return create_key(connection, "a team", "analyst", scopes, days, now)


def found(ring: Keyring, offered: str) -> Key | None:
    return asyncio.run(ring.find(offered))


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    engines = {store.engine, store._reader} if store.dialect == "sqlite" else {store.engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


# made, rotated, ended ------------------------------------------------------------------------------------------------
def test_a_key_is_kept_as_its_hash_alone(store: Store) -> None:
    offered, key = made(store, scopes=("graphql", "bi"))
    with store.read() as connection:
        row = connection.execute(select(api_key)).one()
        held = str(tuple(row)) + repr(key)
    secret = offered.split("_", 2)[2]
    assert (key.name, key.role, sorted(key.scopes)) == ("a team", "analyst", ["bi", "graphql"])
    assert len(secret) == 43, "256 bits"
    assert secret not in held
    assert key.fits(offered)


def test_no_two_keys_are_alike(store: Store) -> None:
    offered = {made(store)[0] for _ in range(50)}
    assert len({prefix_of(one) for one in offered}) == len({one.split("_", 2)[2] for one in offered}) == 50


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda key: key + "x", id="longer"),
        pytest.param(lambda key: key[:-1], id="shorter"),
        pytest.param(lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"), id="last-letter"),
        pytest.param(str.upper, id="capitals"),
        pytest.param(lambda key: key.split("_", 2)[1], id="prefix-alone"),
        pytest.param(lambda key: "hub_" + key.split("_", 2)[1] + "_", id="no-secret"),
        pytest.param(lambda key: key.replace("hub_", "xhub_"), id="another-mark"),
        pytest.param(lambda _key: "hub_%_%", id="a-pattern"),
        pytest.param(lambda _key: "\udcff\x00", id="no-text"),
        pytest.param(lambda _key: "", id="nothing"),
    ],
)
def test_what_is_not_the_key_to_the_letter_is_not_found(store: Store, change: Any) -> None:
    offered, _ = made(store)
    ring = Keyring(store)
    assert found(ring, offered) is not None
    assert found(ring, change(offered)) is None
    ring.close()


def test_a_rotated_key_lives_on_for_a_while(store: Store) -> None:
    offered, old = made(store, scopes=("bi",))
    with store.write() as connection:
        fresh, new = rotate_key(connection, old.prefix, hours=24, days=30, now=NOW + DAY_US)
        kept = find_key(connection, offered)
    assert fresh != offered
    assert (new.name, new.role, new.scopes) == (old.name, old.role, old.scopes)
    assert new.expires_at == NOW + 31 * DAY_US
    assert kept.ended(NOW + DAY_US + 24 * HOUR_US - 1) is None
    assert kept.ended(NOW + DAY_US + 24 * HOUR_US) == "expired at 1972-09-29T00:00:00Z"


def test_rotating_lengthens_no_life(store: Store) -> None:
    _, old = made(store, days=1)
    with store.write() as connection:
        rotate_key(connection, old.prefix, hours=720, days=30, now=NOW)
        assert find_key(connection, old.prefix).expires_at == old.expires_at


def test_a_revoked_key_has_ended_and_stays_so(store: Store) -> None:
    _, key = made(store)
    with store.write() as connection:
        assert key.ended(NOW) is None
        assert revoke_key(connection, key.prefix, NOW + 5).ended(NOW + 5) == "was revoked at 1972-09-27T00:00:00Z"
        assert revoke_key(connection, f"hub_{key.prefix}", NOW + DAY_US).revoked_at == NOW + 5
        with pytest.raises(KeyRefused, match=f"key {key.prefix} was revoked at .*; create a new one"):
            rotate_key(connection, key.prefix, 1, 1, NOW + DAY_US)


def test_an_unknown_prefix_is_told_what_it_may_have_meant(store: Store) -> None:
    _, key = made(store)
    near = key.prefix[:-1] + ("0" if key.prefix[-1] != "0" else "1")
    with store.read() as connection, pytest.raises(KeyRefused, match=f"did you mean `{key.prefix}`"):
        find_key(connection, near)


# at hand -------------------------------------------------------------------------------------------------------------
def test_a_request_costs_no_sql(store: Store) -> None:
    offered, _ = made(store, clock.now())
    ring = Keyring(store)
    assert found(ring, offered) is not None
    ring.close()  # the day has been noted
    with statements(store) as sent:
        for _ in range(50):
            assert found(ring, offered) is not None
    assert sent == []


def test_a_revoked_key_has_ended_within_five_seconds_in_every_process(store: Store) -> None:
    offered, key = made(store, clock.now())
    ticks = Ticks()
    rings = [Keyring(store, ticks), Keyring(store, ticks)]
    assert STALE_S < 5
    with store.write() as connection:
        revoke_key(connection, key.prefix, clock.now())
    ticks.now = 4.9
    for ring in rings:
        late = found(ring, offered)
        assert late is not None
        assert late.ended(clock.now()) is not None


def test_between_fresh_and_stale_nobody_waits(store: Store) -> None:
    offered, key = made(store, clock.now())
    ticks = Ticks()
    ring = Keyring(store, ticks)
    with store.write() as connection:
        revoke_key(connection, key.prefix, clock.now())

    async def ask_twice() -> list[bool]:
        ticks.now = 3.0
        first = await ring.find(offered)
        assert ring._reading is not None
        await ring._reading
        second = await ring.find(offered)
        return [one is not None and one.ended(clock.now()) is None for one in (first, second)]

    assert asyncio.run(ask_twice()) == [True, False]


def test_a_new_key_is_known_at_once(store: Store) -> None:
    ring = Keyring(store)
    assert not ring.any
    offered, _ = made(store)
    assert found(ring, offered) is not None
    ring.close()


def test_many_unknown_keys_send_one_statement(store: Store) -> None:
    ring = Keyring(store)

    async def storm() -> list[Key | None]:
        return await asyncio.gather(*(ring.find(f"hub_{number:08x}_{'x' * 43}") for number in range(200)))

    with statements(store) as sent:
        assert set(asyncio.run(storm())) == {None}
    assert sum("api_key" in statement for statement in sent) == 1


def test_the_day_of_use_is_noted_once(store: Store) -> None:
    offered, key = made(store, clock.now())
    ring = Keyring(store)
    with statements(store) as sent:
        for _ in range(5):
            found(ring, offered)
            ring.close()
    with store.read() as connection:
        assert [each.last_used for each in all_keys(connection)] == [clock.show(clock.now())[:10]]
    assert sum(statement.startswith("UPDATE") for statement in sent) == 1
    assert key.last_used is None


def test_where_nobody_can_say_any_more_nobody_is_let_in(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    offered, _ = made(store, clock.now())
    ticks = Ticks()
    ring = Keyring(store, ticks)

    def away(_connection: object) -> list[Key]:
        raise StoreError("the database is away")

    monkeypatch.setattr(keyring, "all_keys", away)
    ticks.now = 3.0
    assert found(ring, offered) is not None, "for a while what was read counts"
    ticks.now = 4.5
    with pytest.raises(StoreError, match="the database is away"):
        found(ring, offered)
    ring.close()


def test_a_damaged_hash_opens_nothing(store: Store) -> None:
    offered, key = made(store)
    with store.write() as connection:
        connection.execute(text("UPDATE api_key SET digest = :none"), {"none": b""})
    with store.read() as connection:
        assert not find_key(connection, key.prefix).fits(offered)
