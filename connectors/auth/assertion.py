"""Tokens for a signed assertion, as service accounts get them. In: a source's `jwt`. Out: a function that gets one."""

from __future__ import annotations

from time import time

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from connectors.auth.session import Fetch, Token
from connectors.auth.token_address import TokenAddress
from connectors.errors import Unauthorized
from connectors.http import Client
from connectors.secrets import named
from mappings.duration import duration
from mappings.loader import Source
from mappings.signing import Jwt

ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def by_assertion(source: Source, said: Jwt, client: Client) -> Fetch:
    """Tokens for a signed assertion (RFC 7523, 2.1). Raises Unauthorized where the key is no such private key."""
    address, key = TokenAddress(source, said, client), _key(source, said)
    header = {"alg": said.algorithm, **({"kid": source.fill(said.key_id)} if said.key_id else {})}

    async def fetch() -> Token:
        claims = _claims(source, said, address.url, int(time()))
        assertion = jwt.encode(header, claims, key, algorithms=[said.algorithm])
        return (await address.ask({"grant_type": ASSERTION, "assertion": assertion})).token

    return fetch


def _claims(source: Source, said: Jwt, url: str, now: int) -> dict[str, object]:
    texts = {"iss": said.issuer, "sub": said.subject, "aud": said.audience or url, "scope": said.scope, **said.claims}
    filled = {name: source.fill(v) if isinstance(v, str) else v for name, v in texts.items() if v is not None}
    return {**filled, "iat": now, "exp": now + int(duration(said.lifetime).total_seconds())}


def _key(source: Source, said: Jwt) -> RSAKey | ECKey:
    pem = source.fill(said.key).replace("\\n", "\n").strip()  # a variable often holds its line breaks so
    kind = ECKey if said.algorithm.startswith("ES") else RSAKey
    try:
        key = kind.import_key(pem)
        jwt.encode({"alg": said.algorithm}, {}, key, algorithms=[said.algorithm])
    except (JoseError, ValueError, TypeError):
        what = f"the key is no private key in PEM for {said.algorithm}"
        raise Unauthorized(source.name, what, f"check {named(source, [said.key])}") from None
    return key
