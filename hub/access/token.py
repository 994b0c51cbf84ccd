"""Tokens of an OpenID Connect issuer. In: a signed token. Out: its claims, or why it does not hold.

The issuer's discovery document names its keys (OpenID Connect Discovery 1.0); they are fetched, kept, and fetched anew
when they are old or a token names one that is not among them. Only signatures by a key pair count: with a shared
secret, whoever can check a token could make one. Claims are checked as RFC 7519 and RFC 9068 say.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from time import monotonic, time
from typing import Any

import structlog
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey
from joserfc.jws import JWSRegistry, extract_compact

from connectors.errors import ConnectorError
from connectors.http import fetch
from hub.access.refusal import Unauthenticated, Unreachable

PLACE = "HUB_OIDC_ISSUER"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY_S = 30  # how far the issuer's clock may be from ours
OLD_S = 600.0  # keys older than this are fetched anew, so that one the issuer has withdrawn ends
LOST_S = 3_600.0  # and this is how long they count where the issuer does not answer
AGAIN_S = 60.0  # between two fetches, whatever tokens name
SOON_S = 5.0  # and while there never was one that succeeded
LEAST_RSA_BITS = 2_048
LONGEST, LONGEST_SUBJECT = 16_384, 200
MOST_PASSED = 10_000
WRONG = "the token cannot be read, or its signature is wrong"
UNREADABLE = (JoseError, ValueError, TypeError, RecursionError)

log = structlog.get_logger(__name__)

PublicKey = RSAKey | ECKey
Fetch = Callable[[str], Awaitable[bytes]]


async def fetched(url: str) -> bytes:
    """The issuer's document. Raises ConnectorError."""
    return await fetch(PLACE, url, timeout_s=5.0, largest_bytes=512_000)


class Issuer:
    """One issuer and its keys. `claims` may be called by many requests at once: they share one fetch."""

    def __init__(self, url: str, audience: str, get: Fetch = fetched, ticks: Callable[[], float] = monotonic) -> None:
        self._url, self._get, self._ticks = url, get, ticks
        self._keys: dict[str | None, PublicKey] = {}
        self._taken: float | None = None  # when the keys were fetched
        self._tried: float | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._passed: dict[bytes, Mapping[str, Any]] = {}  # digest of a token that held to its claims
        self._registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(time()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": url},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def claims(self, token: str) -> Mapping[str, Any]:
        """The claims of a token that holds. Raises Unauthenticated, and Unreachable where nobody can say.

        A token that held is not checked again until it expires or the keys are fetched anew.
        """
        if len(token) > LONGEST:
            raise Unauthenticated(f"the token has more than {LONGEST:,} letters")
        digest = sha256(token.encode("utf-8", "replace")).digest()
        held = self._passed.get(digest)
        if held is not None and held["exp"] > time() - LEEWAY_S and self._age() <= OLD_S:
            return held
        claims = self._checked(token, await self._key(_header(token)))
        if len(self._passed) >= MOST_PASSED:
            self._passed.clear()
        self._passed[digest] = claims
        return claims

    def _checked(self, token: str, key: PublicKey) -> Mapping[str, Any]:
        try:
            claims = jwt.decode(token, key, registry=self._registry).claims
            self._claims.validate(claims)
        except ExpiredTokenError:
            raise Unauthenticated("the token has expired") from None
        except ClaimError as error:
            raise Unauthenticated(f"the token's `{error.claim}` does not fit") from None
        except UNREADABLE:
            raise Unauthenticated(WRONG) from None
        if len(claims["sub"]) > LONGEST_SUBJECT or not claims["sub"].isprintable():
            raise Unauthenticated("the token's `sub` does not fit")
        return claims

    async def _key(self, header: Mapping[str, Any]) -> PublicKey:
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise Unauthenticated(f"the token's algorithm is none of {', '.join(ALGORITHMS)}")
        if not isinstance(kid, str | None):
            raise Unauthenticated(WRONG)
        await self._freshen(kid)
        key = self._held(kid)
        if key is None or key.alg not in (None, algorithm):
            raise Unauthenticated("the token is signed by none of the issuer's keys")
        return key

    def _held(self, kid: str | None) -> PublicKey | None:
        """The key of that name; without a name the only one, if there is only one."""
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    async def _freshen(self, kid: str | None) -> None:
        """Waits for a fetch only where the key that is asked for is not held; old keys are fetched anew beside it."""
        wanting = self._age() > LOST_S or self._held(kid) is None
        again_s = SOON_S if self._taken is None else AGAIN_S
        if (wanting or self._age() > OLD_S) and (self._tried is None or self._ticks() - self._tried >= again_s):
            self._tried = self._ticks()
            self._fetching = asyncio.create_task(self._fetch(self._tried))
        if wanting and self._fetching is not None and self._fetching.get_loop() is asyncio.get_running_loop():
            await asyncio.shield(self._fetching)
        if self._age() > LOST_S:
            raise Unreachable("the issuer of tokens does not answer as it should; try again later")

    async def _fetch(self, began: float) -> None:
        try:
            said = _object(await self._get(f"{self._url.rstrip('/')}/.well-known/openid-configuration"))
            if said.get("issuer") != self._url:
                raise ValueError("the document is another issuer's")
            keys = _public_keys(_object(await self._get(str(said.get("jwks_uri")))))
        except (ConnectorError, ValueError, RecursionError) as error:
            log.warning("the keys of the issuer cannot be fetched", issuer=self._url, reason=str(error)[:200])
            return  # what is held counts for a while
        self._keys, self._taken = keys, began
        self._passed.clear()

    def _age(self) -> float:
        return math.inf if self._taken is None else self._ticks() - self._taken


def role_word(claims: Mapping[str, Any], claim: str, words: Mapping[str, str]) -> str | None:
    """Our role by the issuer's words in a claim, the first in the order of `words`; None where it says none of them.

    The claim's name is tried as it stands, then as a path: `realm_access.roles`.
    """
    held: Any = claims.get(claim)
    if held is None:
        held = claims
        for part in claim.split("."):
            held = held.get(part) if isinstance(held, Mapping) else None
    said = held if isinstance(held, list) else [held]
    return next((ours for theirs, ours in words.items() if theirs in said), None)


def _header(token: str) -> Mapping[str, Any]:
    try:
        return extract_compact(token.encode("ascii")).protected
    except UNREADABLE:
        raise Unauthenticated(WRONG) from None


def _public_keys(said: Mapping[str, Any]) -> dict[str | None, PublicKey]:
    """The keys of a set that can check signatures, by name; others are passed over. Raises ValueError."""
    listed = said.get("keys")
    if not isinstance(listed, list):
        raise ValueError("no list of keys")
    keys: dict[str | None, PublicKey] = {}
    for each in listed:
        key = _public_key(each)
        if key is not None:
            keys[each.get("kid")] = key
    return keys


def _public_key(said: Any) -> PublicKey | None:
    if not isinstance(said, dict) or said.get("kty") not in ("RSA", "EC") or said.get("use", "sig") != "sig":
        return None
    if said["kty"] == "RSA" and len(str(said.get("n", ""))) * 6 < LEAST_RSA_BITS:
        return None
    try:
        key = JWKRegistry.import_key(said)
        return key if isinstance(key, RSAKey | ECKey) and not key.is_private else None
    except (JoseError, ValueError, TypeError):
        return None


def _object(body: bytes) -> Mapping[str, Any]:
    said = json.loads(body)
    if not isinstance(said, dict):
        raise ValueError("no JSON object")
    return said
