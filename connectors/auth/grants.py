"""Ways to an access token of OAuth 2. In: a source's `oauth2`. Out: functions that get one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from hashlib import blake2b
from typing import Any

from connectors.auth.session import Fetch, Token
from connectors.auth.token_address import Grant, TokenAddress
from connectors.auth.vault import Vault
from connectors.errors import Unavailable
from connectors.http import Client
from mappings.loader import Source
from mappings.signing import OAuth2

RENEWAL_S = 90  # vaults keep others out for longer than that


def by_client(source: Source, said: OAuth2, client: Client) -> Fetch:
    """Tokens for the client itself (RFC 6749, 4.4)."""
    address = TokenAddress(source, said, client)

    async def fetch() -> Token:
        return (await address.ask({"grant_type": "client_credentials"})).token

    return fetch


def by_refresh_token(source: Source, said: OAuth2, first: str, client: Client, vault: Vault) -> Fetch:
    """Tokens for a refresh token (RFC 6749, 6): `first`, or what the system gave in its place.

    A new one is kept before the token that came with it is used, and no other process renews meanwhile.
    """
    address = TokenAddress(source, said, client)
    # Another setting is another grant: what came of the former one is not asked for any more.
    name = f"refresh_token {blake2b(first.encode(), digest_size=8).hexdigest()}"

    async def fetch() -> Token:
        async with vault.held(source.name) as held:
            current = held.read(name) or first
            client.secrets.learn(current)
            grant = await _soon(source, address.ask({"grant_type": "refresh_token", "refresh_token": current}))
            if grant.refresh_token is not None and grant.refresh_token != current:
                client.secrets.learn(grant.refresh_token)
                await held.keep(name, grant.refresh_token)
        return grant.token

    return fetch


async def _soon(source: Source, asking: Coroutine[Any, Any, Grant]) -> Grant:
    """What was asked for, within the time for which others are kept from renewing."""
    try:
        async with asyncio.timeout(RENEWAL_S):
            return await asking
    except TimeoutError:
        what = f"no token within {RENEWAL_S} s"
        raise Unavailable(source.name, what, "run again later", again=True) from None
