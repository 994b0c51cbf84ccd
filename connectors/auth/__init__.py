"""How requests are signed. In: a source, its `auth` blocks, a client, a vault. Out: a signer for each stream."""

from __future__ import annotations

from typing import Protocol

from connectors.auth.carry import carrier, with_cookie
from connectors.auth.digest import Digest
from connectors.auth.fixed import Fixed, basic_pair, credential
from connectors.auth.grants import by_client, by_refresh_token
from connectors.auth.login import by_login
from connectors.auth.session import Fetch, Session
from connectors.auth.vault import Held, NoVault, Vault
from connectors.http import Client, Sending
from connectors.secrets import variables
from mappings.loader import Source
from mappings.signing import Auth, Jwt, Login, OAuth2

__all__ = ["Held", "NoVault", "Signer", "Vault", "signer", "signers"]


class Signer(Protocol):
    """Signs requests of one `auth` block; shared by the streams that have it.

    `private` names the query parameters that carry a credential, `check` the variables that hold it.
    """

    check: str
    private: frozenset[str]

    async def sign(self, sending: Sending) -> Sending:
        """The request with its credential; each attempt is signed anew. Raises ConnectorError where there is none."""

    async def refused(self, signed: Sending) -> bool:
        """Whether a request that the system refused so signed is worth signing and sending anew, once."""


def signers(source: Source, client: Client, vault: Vault) -> dict[str, Signer]:
    """The signer of each stream; streams that are signed the same way share one. Raises Unauthorized."""
    made: list[tuple[Auth | None, Signer]] = []
    found: dict[str, Signer] = {}
    for name, stream in source.system.streams.items():
        auth = stream.auth if "auth" in stream.model_fields_set else source.system.http.auth
        shared = next((one for way, one in made if way == auth), None)
        found[name] = shared or signer(source, auth, client, vault)
        if shared is None:
            made.append((auth, found[name]))
    return found


def signer(source: Source, auth: Auth | None, client: Client, vault: Vault) -> Signer:
    """The signer for one way, None for not at all; Unauthorized where a setting cannot be sent."""
    check = variables(source, auth)
    if auth is None:
        return Fixed(check)
    if auth.bearer is not None:
        carry = carrier(source.name, "header.Authorization", "Bearer ")
        return Fixed(check, carry, credential(source, auth, auth.bearer))
    if auth.basic is not None:
        pair = basic_pair(source.fill(auth.basic.user), source.fill(auth.basic.password), client.secrets)
        return Fixed(check, carrier(source.name, "header.Authorization", "Basic "), pair)
    if auth.hmac is not None:
        return Digest(source, auth, auth.hmac, client)
    if auth.login is not None:
        return _session(source, auth.login, client, by_login(source, auth.login, client), check)
    if auth.jwt is not None:
        from connectors.auth.assertion import by_assertion  # nine megabytes that only service accounts need

        return _session(source, auth.jwt, client, by_assertion(source, auth.jwt, client), check)
    if auth.oauth2 is not None:
        return _session(source, auth.oauth2, client, _oauth2(source, auth, auth.oauth2, client, vault), check)
    return _api_key(source, auth, check)


def _api_key(source: Source, auth: Auth, check: str) -> Fixed:
    key = auth.api_key
    if key is None:
        return Fixed(check)
    place = f"header.{key.header}" if key.header else key.query or ""
    return Fixed(check, carrier(source.name, place), credential(source, auth, key.value), key.query)


def _session(source: Source, said: Login | Jwt | OAuth2, client: Client, fetch: Fetch, check: str) -> Session:
    if isinstance(said, Login) and said.cookie is not None:
        cookie = said.cookie
        return Session(source.name, client, fetch, lambda sent, value: with_cookie(sent, cookie, str(value)), check)
    in_query = not said.send.startswith(("header.", "body."))
    carry = carrier(source.name, said.send, said.prefix)
    return Session(source.name, client, fetch, carry, check, frozenset({said.send} if in_query else ()))


def _oauth2(source: Source, auth: Auth, said: OAuth2, client: Client, vault: Vault) -> Fetch:
    if said.refresh_token is None:
        return by_client(source, said, client)
    return by_refresh_token(source, said, credential(source, auth, said.refresh_token), client, vault)
