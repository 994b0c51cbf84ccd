"""The gate. In: the headers of a request, or what a WebSocket says first. Out: who asks, or why they may not."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from hmac import compare_digest
from typing import Any

from hub import clock
from hub.access.keyring import Keyring
from hub.access.keys import Key
from hub.access.principal import LOCAL, SCOPES, Principal
from hub.access.rate import parse_rate
from hub.access.refusal import OutOfScope, Unauthenticated
from hub.access.roles import ADMIN, build_sights
from hub.access.sight import Sight
from hub.access.token import Issuer, role_word
from hub.settings import SettingError, Settings
from hub.store.engine import Store
from mappings.rulebook import Rulebook

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_SAY = "send a key or token as Authorization: Bearer …, or a key as X-API-Key"


class Gate:
    """Lets in who has HUB_API_KEY (as admin), a key of `hub keys`, or a token of HUB_OIDC_ISSUER.

    `open` where none of these was there at the start: then everybody is let in, and only loopback may be listened on.
    It does not open later: a hub whose last key was revoked lets nobody in.
    """

    def __init__(self, settings: Settings, rulebook: Rulebook, store: Store) -> None:
        self._access, self._sights = rulebook.access, build_sights(rulebook)
        self._admin = None if settings.api_key is None else settings.api_key.encode()
        self._keyring = Keyring(store)
        self._issuer: Issuer | None = None
        if settings.oidc_issuer is not None and settings.oidc_audience is not None:
            self._issuer = Issuer(settings.oidc_issuer, settings.oidc_audience)
        self._principal = lru_cache(10_000)(self._principal_of)
        self.open: bool = self._admin is None and self._issuer is None and not self._keyring.any

    async def admit(self, headers: Mapping[str, Any], scope: str = SCOPES[0]) -> Principal:
        """Who asks; header names in any case. `scope` is what for: graphql or bi.

        Raises Unauthenticated, OutOfScope, Unreachable, and StoreError where no key can be looked up.
        """
        if self.open:
            return LOCAL
        offered = _offered(headers)
        if not offered:
            raise Unauthenticated(_SAY)
        principal = await self._known(offered)
        if scope not in principal.scopes:
            raise OutOfScope(f"{principal.name} was made for {', '.join(sorted(principal.scopes))}, not for {scope}")
        return principal

    async def close(self) -> None:
        """Ends what the gate still does."""
        self._keyring.close()

    async def _known(self, offered: str) -> Principal:
        if self._admin is not None and compare_digest(offered.encode("utf-8", "replace"), self._admin):
            return self._principal("key:HUB_API_KEY", ADMIN, frozenset(SCOPES))
        key = await self._keyring.find(offered)
        if key is not None:
            return self._holder(key)
        if self._issuer is not None and offered.count(".") == 2:
            return await self._subject(self._issuer, offered)
        raise Unauthenticated(f"the key is not known; {_SAY}")

    def _holder(self, key: Key) -> Principal:
        if why := key.ended(clock.now()):
            raise Unauthenticated(f"key {key.prefix} {why}")
        if key.role not in self._sights:
            raise Unauthenticated(f"key {key.prefix} has the role {key.role!r}, which is not in rules/access.yml")
        return self._principal(f"key:{key.prefix}", key.role, key.scopes)

    async def _subject(self, issuer: Issuer, token: str) -> Principal:
        claims = await issuer.claims(token)
        said = self._access.jwt
        role = role_word(claims, said.claim, said.roles)
        if role is None:
            raise Unauthenticated(f"the token's `{said.claim}` names no role of rules/access.yml")
        return self._principal(f"jwt:{claims['sub']}", role, frozenset(SCOPES))

    def _principal_of(self, name: str, role: str, scopes: frozenset[str]) -> Principal:
        sight: Sight = self._sights[role]
        limits = self._access.roles.get(role)
        if limits is None:
            return Principal(name, sight, scopes)
        rate = None if limits.rate is None else parse_rate(limits.rate)
        return Principal(name, sight, scopes, rate, limits.concurrent)


def must_not_be_open(host: str, gate: Gate) -> None:
    """Raises SettingError where others could reach the server and nothing keeps them out."""
    if gate.open and not _is_loopback(host):
        how = "set HUB_API_KEY or HUB_OIDC_ISSUER, or make a key with `hub keys create`"
        raise SettingError(f"{host} can be reached by others; {how}; or listen on 127.0.0.1")


def _offered(headers: Mapping[str, Any]) -> str:
    said = {name.lower(): value for name, value in headers.items() if isinstance(value, str)}
    scheme, _, bearer = said.get("authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else said.get("x-api-key", "").strip()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
