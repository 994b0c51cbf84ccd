"""The gate: who is let in with what, as whom, and what the others are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from hub import clock
from hub.access.gate import Gate, must_not_be_open
from hub.access.keys import DAY_US, create_key, revoke_key
from hub.access.principal import LOCAL, Principal, Rate
from hub.access.refusal import AccessError, OutOfScope, Unauthenticated
from hub.settings import SettingError, Settings
from hub.store.engine import Store
from mappings.rulebook import Rulebook

ADMIN_KEY = "an-admin-key-of-the-environment"
CLOSED = Settings(api_key=ADMIN_KEY)
Make = Callable[..., Gate]


@pytest.fixture
def gate(store: Store, rulebook: Rulebook) -> Iterator[Make]:
    """Makes gates over one store."""
    gates: list[Gate] = []

    def make(settings: Settings = CLOSED, rules: Rulebook = rulebook) -> Gate:
        gates.append(Gate(settings, rules, store))
        return gates[-1]

    yield make
    for each in gates:
        asyncio.run(each.close())


def admitted(gate: Gate, headers: dict[str, Any], scope: str = "graphql") -> Principal:
    return asyncio.run(gate.admit(headers, scope))


def key(store: Store, role: str = "analyst", scopes: tuple[str, ...] = ("graphql",), days: int = 90) -> tuple[str, str]:
    """A key and its prefix."""
    with store.write() as connection:
        offered, made = create_key(connection, "a team", role, scopes, days, clock.now())
    return offered, made.prefix


# let in --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Authorization": f"Bearer {ADMIN_KEY}"}, id="bearer"),
        pytest.param({"authorization": f"bearer  {ADMIN_KEY} "}, id="bearer-loosely"),
        pytest.param({"X-API-Key": ADMIN_KEY}, id="x-api-key"),
        pytest.param({"AUTHORIZATION": "Basic eA==", "x-api-key": ADMIN_KEY}, id="beside-basic"),
        pytest.param({"x-api-key": ADMIN_KEY, "apollo": {"a": 1}, "n": 3}, id="connection-parameters"),
    ],
)
def test_the_key_of_the_environment_is_admin(gate: Make, headers: dict[str, Any]) -> None:
    principal = admitted(gate(), headers)
    assert (principal.name, principal.sight.role, principal.rate) == ("key:HUB_API_KEY", "admin", None)
    assert admitted(gate(), headers, "bi") == principal


def test_a_key_is_its_role_with_its_limits(gate: Make, store: Store) -> None:
    offered, prefix = key(store)
    here = gate()
    principal = admitted(here, {"X-API-Key": offered})
    assert (principal.name, principal.sight.role) == (f"key:{prefix}", "analyst")
    assert (principal.rate, principal.concurrent) == (Rate(100, 1), 8)
    assert admitted(here, {"X-API-Key": offered}) is principal


def test_a_key_opens_what_it_was_made_for(gate: Make, store: Store) -> None:
    graphql, prefix = key(store, scopes=("graphql",))
    both, _ = key(store, scopes=("graphql", "bi"))
    here = gate()
    assert admitted(here, {"X-API-Key": both}, "bi").scopes == {"graphql", "bi"}
    with pytest.raises(OutOfScope, match=f"key:{prefix} was made for graphql, not for bi"):
        admitted(here, {"X-API-Key": graphql}, "bi")


# refused -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"Authorization": ADMIN_KEY}, id="no-scheme"),
        pytest.param({"Authorization": f"Basic {ADMIN_KEY}"}, id="basic"),
        pytest.param({"Authorization": "Bearer "}, id="empty-bearer"),
        pytest.param({"X-API-Key": ADMIN_KEY[:-1]}, id="shorter"),
        pytest.param({"X-API-Key": ADMIN_KEY + "0"}, id="longer"),
        pytest.param({"X-API-Key": ADMIN_KEY.upper()}, id="capitals"),
        pytest.param({"X-API-Key": "hub_00000000_" + "x" * 43}, id="unknown-key"),
        pytest.param({"X-API-Key": "é\udcff\x00"}, id="no-text"),
        pytest.param({"X-API-Key": [ADMIN_KEY]}, id="a-list"),
        pytest.param({"Authorization": "Bearer a.b.c"}, id="a-token-and-no-issuer"),
        pytest.param({"Cookie": f"key={ADMIN_KEY}"}, id="a-cookie"),
    ],
)
def test_whoever_has_no_key_is_told_how_to_send_one(gate: Make, headers: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match=r"send a key or token as Authorization: Bearer …, or a key as X-API-Key"):
        admitted(gate(), headers)


def test_a_key_that_ended_is_told_so_and_no_secret_is(gate: Make, store: Store) -> None:
    revoked, first = key(store)
    expired, second = key(store)
    with store.write() as connection:
        revoke_key(connection, first, clock.now())
        late = {"at": clock.now() - DAY_US, "prefix": second}
        connection.execute(text("UPDATE api_key SET expires_at = :at WHERE prefix = :prefix"), late)
    here = gate()
    for offered, says in ((revoked, f"key {first} was revoked at "), (expired, f"key {second} expired at ")):
        with pytest.raises(Unauthenticated, match=says) as refused:
            admitted(here, {"X-API-Key": offered})
        assert offered.split("_", 2)[2] not in str(refused.value)


def test_a_key_whose_role_is_gone_opens_nothing(gate: Make, store: Store) -> None:
    offered, _ = key(store, role="intern")
    with pytest.raises(Unauthenticated, match="has the role 'intern', which is not in rules/access"):
        admitted(gate(), {"X-API-Key": offered})


def test_every_refusal_is_an_access_error() -> None:
    assert issubclass(Unauthenticated, AccessError)
    assert issubclass(OutOfScope, AccessError)


# open ----------------------------------------------------------------------------------------------------------------
def test_with_nothing_set_everybody_here_is_admin(gate: Make) -> None:
    here = gate(Settings())
    assert here.open
    assert admitted(here, {}) is LOCAL
    assert admitted(here, {"X-API-Key": "whatever"}, "bi") is LOCAL


def test_a_hub_whose_last_key_was_revoked_does_not_open(gate: Make, store: Store) -> None:
    _, prefix = key(store)
    with store.write() as connection:
        revoke_key(connection, prefix, clock.now())
    here = gate(Settings())
    assert not here.open
    with pytest.raises(Unauthenticated):
        admitted(here, {})


LOOPBACK = ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"]
BEYOND = ["0.0.0.0", "::", "10.0.0.7", "192.168.1.1", "hub.example", "", "127.0.0.1.example", "localhost.example"]  # noqa: S104


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_may_be_open(gate: Make, host: str) -> None:
    must_not_be_open(host, gate(Settings()))


@pytest.mark.parametrize("host", BEYOND)
def test_beyond_loopback_somebody_has_to_be_kept_out(gate: Make, host: str) -> None:
    with pytest.raises(SettingError, match="can be reached by others; set HUB_API_KEY or HUB_OIDC_ISSUER, or make"):
        must_not_be_open(host, gate(Settings()))


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(CLOSED, id="key"),
        pytest.param(Settings(oidc_issuer="https://id.example", oidc_audience="hub"), id="issuer"),
    ],
)
def test_what_is_closed_may_be_reached(gate: Make, settings: Settings) -> None:
    must_not_be_open("0.0.0.0", gate(settings))  # noqa: S104


def test_a_key_that_was_made_closes_the_hub(gate: Make, store: Store) -> None:
    key(store)
    must_not_be_open("0.0.0.0", gate(Settings()))  # noqa: S104


def test_settings_are_never_shown_with_the_key() -> None:
    assert ADMIN_KEY not in repr(replace(CLOSED, port=1))
