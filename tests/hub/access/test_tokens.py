"""Tokens, against an issuer that really answers on a port: what holds, every known forgery, and keys that change."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from structlog.testing import LogCapture

from hub.access.gate import Gate
from hub.access.principal import Rate
from hub.access.refusal import Unauthenticated, Unreachable
from hub.access.token import AGAIN_S, LOST_S, OLD_S, Issuer, role_word
from hub.settings import Settings
from hub.store.engine import Store
from mappings.rulebook import Rulebook

AUDIENCE = "customer-hub"
DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture(scope="module")
def rsa() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})


@pytest.fixture(scope="module")
def stranger() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "rsa-1"})


@pytest.fixture(scope="module")
def ec() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig", "alg": "ES256"})


@dataclass
class Door:
    """An issuer's documents by path, and which were asked for."""

    url: str = ""
    documents: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self, *keys: RSAKey | ECKey) -> None:
        self.documents["/keys"] = {"keys": [key.as_dict(private=False) for key in keys]}


@pytest.fixture
def door(rsa: RSAKey, ec: ECKey) -> Iterator[Door]:
    """An issuer on a port of this machine."""
    here = Door()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked.append(self.path)
            said = here.documents.get(self.path)
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(404 if said is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_said: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    here.url = f"http://127.0.0.1:{server.server_address[1]}"
    here.documents[DISCOVERY] = {"issuer": here.url, "jwks_uri": f"{here.url}/keys"}
    here.publish(rsa, ec)
    yield here
    server.shutdown()
    server.server_close()


class Ticks:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def said(door: Door, **changed: Any) -> dict[str, Any]:
    """The claims of a good token; None takes one away."""
    now = int(time())
    claims = {"iss": door.url, "aud": AUDIENCE, "sub": "ann", "iat": now, "nbf": now, "exp": now + 300}
    return {name: value for name, value in {**claims, "role": "hub-agent", **changed}.items() if value is not None}


def signed(key: RSAKey | ECKey, claims: dict[str, Any], **header: Any) -> str:
    algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
    head = {"alg": algorithm, "kid": key.kid, **header}
    registry = JWSRegistry(algorithms=[str(head["alg"])], strict_check_header=False)
    return jwt.encode({k: v for k, v in head.items() if v is not None}, claims, key, registry=registry)


def claims_of(issuer: Issuer, token: str) -> Mapping[str, Any]:
    return asyncio.run(issuer.claims(token))


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# what holds ----------------------------------------------------------------------------------------------------------
GOOD: list[Any] = [
    pytest.param("rsa", {}, {}, id="rsa"),
    pytest.param("ec", {}, {}, id="elliptic-curve"),
    pytest.param("rsa", {}, {"alg": "PS512"}, id="pss"),
    pytest.param("rsa", {}, {"typ": "at+jwt", "x5t": "abc", "nonce": "n"}, id="headers-of-no-meaning-here"),
    pytest.param("rsa", {"aud": ["another", AUDIENCE]}, {}, id="several-audiences"),
    pytest.param("rsa", {"nbf": None, "iat": None}, {}, id="what-is-optional"),
    pytest.param("rsa", {"exp": lambda: int(time()) - 10}, {}, id="expired-within-the-leeway"),
    pytest.param("rsa", {"nbf": lambda: int(time()) + 10, "iat": lambda: int(time()) + 10}, {}, id="early-within-it"),
]


@pytest.mark.parametrize(("which", "changed", "header"), GOOD)
def test_a_token_of_the_issuer_holds(
    request: pytest.FixtureRequest, door: Door, which: str, changed: dict[str, Any], header: dict[str, Any]
) -> None:
    changed = {name: value() if callable(value) else value for name, value in changed.items()}
    token = signed(request.getfixturevalue(which), said(door, **changed), **header)
    assert claims_of(Issuer(door.url, AUDIENCE), token)["sub"] == "ann"


def test_without_a_key_id_the_only_key_is_meant(door: Door, rsa: RSAKey) -> None:
    token = signed(rsa, said(door), kid=None)
    with pytest.raises(Unauthenticated, match="none of the issuer's keys"):
        claims_of(Issuer(door.url, AUDIENCE), token)
    door.publish(rsa)
    assert claims_of(Issuer(door.url, AUDIENCE), token)["sub"] == "ann"


# what does not -------------------------------------------------------------------------------------------------------
CLAIMS: list[Any] = [
    pytest.param({"aud": "another"}, "`aud` does not fit", id="wrong-audience"),
    pytest.param({"aud": AUDIENCE.upper()}, "`aud` does not fit", id="audience-in-capitals"),
    pytest.param({"aud": [AUDIENCE, 7]}, "`aud` does not fit", id="audience-no-text"),
    pytest.param({"aud": {AUDIENCE: 1}}, "`aud` does not fit", id="audience-an-object"),
    pytest.param({"aud": None}, "`aud` does not fit", id="no-audience"),
    pytest.param({"iss": "https://other.example"}, "`iss` does not fit", id="other-issuer"),
    pytest.param({"iss": lambda door: [door.url]}, "`iss` does not fit", id="a-list-of-issuers"),
    pytest.param({"iss": lambda door: door.url + "/"}, "`iss` does not fit", id="issuer-with-a-slash"),
    pytest.param({"iss": None}, "`iss` does not fit", id="no-issuer"),
    pytest.param({"exp": lambda _: int(time()) - 60}, "has expired", id="expired"),
    pytest.param({"exp": None}, "`exp` does not fit", id="without-end"),
    pytest.param({"exp": "9999999999"}, "`exp` does not fit", id="end-in-words"),
    pytest.param({"exp": float("nan")}, "`exp` does not fit", id="end-no-number"),
    pytest.param({"exp": True}, "`exp` does not fit", id="end-true"),
    pytest.param({"nbf": lambda _: int(time()) + 600}, "`nbf` does not fit", id="not-yet"),
    pytest.param({"iat": lambda _: int(time()) + 600}, "`iat` does not fit", id="issued-tomorrow"),
    pytest.param({"sub": None}, "`sub` does not fit", id="nobody"),
    pytest.param({"sub": ""}, "`sub` does not fit", id="empty-subject"),
    pytest.param({"sub": 7}, "`sub` does not fit", id="subject-a-number"),
    pytest.param({"sub": "ann\nkey:HUB_API_KEY"}, "`sub` does not fit", id="subject-of-two-lines"),
    pytest.param({"sub": "a" * 201}, "`sub` does not fit", id="long-subject"),
]


@pytest.mark.parametrize(("changed", "says"), CLAIMS)
def test_a_claim_that_does_not_fit_is_named(door: Door, rsa: RSAKey, changed: dict[str, Any], says: str) -> None:
    changed = {name: value(door) if callable(value) else value for name, value in changed.items()}
    with pytest.raises(Unauthenticated, match=says):
        claims_of(Issuer(door.url, AUDIENCE), signed(rsa, said(door, **changed)))


def _none(door: Door, _rsa: RSAKey, _stranger: RSAKey) -> str:
    return f"{b64(json.dumps({'alg': 'none', 'typ': 'JWT'}).encode())}.{b64(json.dumps(said(door)).encode())}."


def _public_as_secret(door: Door, rsa: RSAKey, _stranger: RSAKey) -> str:
    head = b64(json.dumps({"alg": "HS256", "kid": "rsa-1"}).encode())
    body = f"{head}.{b64(json.dumps(said(door)).encode())}"
    return f"{body}.{b64(hmac.new(rsa.as_pem(private=False), body.encode(), hashlib.sha256).digest())}"


def _other_payload(door: Door, rsa: RSAKey, _stranger: RSAKey) -> str:
    head, _, signature = signed(rsa, said(door)).split(".")
    return f"{head}.{b64(json.dumps(said(door, role='hub-admin')).encode())}.{signature}"


def _cut(door: Door, rsa: RSAKey, _stranger: RSAKey) -> str:
    return signed(rsa, said(door)).rpartition(".")[0] + "."


def _flipped(door: Door, rsa: RSAKey, _stranger: RSAKey) -> str:
    token = signed(rsa, said(door))
    return token[:-20] + ("A" if token[-20] != "A" else "B") + token[-19:]


def _header(**header: Any) -> Callable[[Door, RSAKey, RSAKey], str]:
    """A token of a stranger who says in the header where to find the key that fits."""

    def forged(door: Door, _rsa: RSAKey, stranger: RSAKey) -> str:
        said_of = {"jwk": stranger.as_dict(private=False)} if "jwk" in header else header
        return signed(stranger, said(door), **said_of)

    return forged


def _critical(door: Door, rsa: RSAKey, _stranger: RSAKey) -> str:
    token = signed(rsa, said(door))
    head = b64(json.dumps({"alg": "RS256", "kid": "rsa-1", "crit": ["exp"], "exp": 1}).encode())
    return f"{head}.{token.partition('.')[2]}"


def _words(text: str) -> Callable[[Door, RSAKey, RSAKey], str]:
    return lambda _door, _rsa, _stranger: text


WRONG = "cannot be read, or its signature is wrong"
FORGED: list[Any] = [
    pytest.param(_none, "algorithm is none of RS256", id="alg-none"),
    pytest.param(_public_as_secret, "algorithm is none of RS256", id="hs256-with-the-public-key"),
    pytest.param(lambda d, _r, s: signed(s, said(d)), WRONG, id="signed-by-a-stranger"),
    pytest.param(lambda d, _r, s: signed(s, said(d), kid="rsa-9"), "none of the issuer's keys", id="unknown-kid"),
    pytest.param(
        lambda d, r, _s: signed(r, said(d), kid="ec-1"), "none of the issuer's keys", id="kid-of-another-kind"
    ),
    pytest.param(lambda d, r, _s: signed(r, said(d), kid="../../keys"), "none of the issuer's keys", id="kid-a-path"),
    pytest.param(_other_payload, WRONG, id="payload-changed"),
    pytest.param(_cut, WRONG, id="signature-cut-off"),
    pytest.param(_flipped, WRONG, id="signature-changed"),
    pytest.param(_header(jwk=True), WRONG, id="key-in-the-header"),
    pytest.param(_header(jku="https://evil.example/keys"), WRONG, id="address-of-a-key"),
    pytest.param(_header(x5u="https://evil.example/cert"), WRONG, id="address-of-a-certificate"),
    pytest.param(_critical, WRONG, id="unknown-critical-header"),
    pytest.param(_words("a.b.c"), WRONG, id="letters"),
    pytest.param(_words(".."), WRONG, id="dots"),
    pytest.param(_words("é.b.c"), WRONG, id="no-ascii"),
    pytest.param(_words(f"{b64(b'[1]')}.e30.e30"), WRONG, id="header-a-list"),
    pytest.param(_words(f"{b64(b'{' + b'[' * 300)}.e30.e30"), WRONG, id="header-no-json"),
    pytest.param(_words(f"{b64(b'{' + b' ' * 9_000)}.e30.e30"), WRONG, id="long-header"),
    pytest.param(_words(f"e30.{'a' * 20_000}.e30"), "more than 16,384 letters", id="very-long"),
]


@pytest.mark.parametrize(("forge", "says"), FORGED)
def test_a_forged_token_does_not_hold(
    door: Door, rsa: RSAKey, stranger: RSAKey, forge: Callable[[Door, RSAKey, RSAKey], str], says: str
) -> None:
    issuer = Issuer(door.url, AUDIENCE)
    assert claims_of(issuer, signed(rsa, said(door)))["role"] == "hub-agent"
    with pytest.raises(Unauthenticated, match=says):
        claims_of(issuer, forge(door, rsa, stranger))
    assert all(path in (DISCOVERY, "/keys") for path in door.asked)


def test_keys_that_cannot_check_a_signature_are_passed_over(door: Door, rsa: RSAKey) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is too short is the point
        short = RSAKey.generate_key(1024, {"kid": "short"})
    odd = [{"kty": "oct", "k": "AA", "kid": "oct"}, {"kty": "new"}, {"kty": "RSA", "kid": "bare"}, 7, None]
    others = [short.as_dict(private=False), rsa.as_dict(private=True) | {"kid": "private"}]
    others += [rsa.as_dict(private=False) | {"kid": "enc", "use": "enc"}]
    door.documents["/keys"] = {"keys": [*odd, *others, rsa.as_dict(private=False)]}
    issuer = Issuer(door.url, AUDIENCE)
    assert claims_of(issuer, signed(rsa, said(door)))["sub"] == "ann"
    assert set(issuer._keys) == {"rsa-1"}


# the issuer's keys ---------------------------------------------------------------------------------------------------
def test_keys_are_fetched_once_and_a_token_is_checked_once(door: Door, rsa: RSAKey) -> None:
    issuer, token = Issuer(door.url, AUDIENCE), signed(rsa, said(door))

    async def many() -> None:
        await asyncio.gather(*(issuer.claims(token) for _ in range(20)))

    asyncio.run(many())
    assert door.asked == [DISCOVERY, "/keys"]
    assert claims_of(issuer, token) is claims_of(issuer, token)


def test_a_checked_token_ends_when_it_expires(door: Door, rsa: RSAKey, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer, token = Issuer(door.url, AUDIENCE), signed(rsa, said(door))
    assert claims_of(issuer, token)["sub"] == "ann"
    monkeypatch.setattr("hub.access.token.time", lambda: time() + 400)
    with pytest.raises(Unauthenticated, match="has expired"):
        claims_of(issuer, token)


def test_a_new_key_is_fetched_at_most_once_a_minute(door: Door, rsa: RSAKey, ec: ECKey) -> None:
    ticks = Ticks()
    issuer = Issuer(door.url, AUDIENCE, ticks=ticks)
    door.publish(rsa)
    assert claims_of(issuer, signed(rsa, said(door)))["sub"] == "ann"
    door.publish(rsa, ec)
    for _ in range(5):
        with pytest.raises(Unauthenticated, match="none of the issuer's keys"):
            claims_of(issuer, signed(ec, said(door)))
    assert door.asked == [DISCOVERY, "/keys"]
    ticks.now += AGAIN_S
    assert claims_of(issuer, signed(ec, said(door)))["sub"] == "ann"
    assert door.asked == [DISCOVERY, "/keys"] * 2


def test_a_key_that_the_issuer_withdrew_ends_also_for_checked_tokens(door: Door, rsa: RSAKey, ec: ECKey) -> None:
    ticks = Ticks()
    issuer, token = Issuer(door.url, AUDIENCE, ticks=ticks), signed(rsa, said(door))
    assert claims_of(issuer, token)["sub"] == "ann"
    door.publish(ec)
    ticks.now += OLD_S + 1

    async def later() -> None:
        assert (await issuer.claims(token))["sub"] == "ann", "nobody waits for the new keys"
        assert issuer._fetching is not None
        await issuer._fetching
        await issuer.claims(token)

    with pytest.raises(Unauthenticated, match="none of the issuer's keys"):
        asyncio.run(later())


def test_while_the_issuer_is_away_its_keys_count_for_an_hour(door: Door, rsa: RSAKey) -> None:
    ticks = Ticks()
    issuer = Issuer(door.url, AUDIENCE, ticks=ticks)
    assert claims_of(issuer, signed(rsa, said(door)))["sub"] == "ann"
    door.documents.clear()
    ticks.now += LOST_S - 1
    assert claims_of(issuer, signed(rsa, said(door, sub="bob")))["sub"] == "bob"
    ticks.now += 2 + AGAIN_S
    with pytest.raises(Unreachable, match="the issuer of tokens does not answer as it should"):
        claims_of(issuer, signed(rsa, said(door, sub="cyd")))


BROKEN: list[Any] = [
    pytest.param(DISCOVERY, {"issuer": "https://other.example", "jwks_uri": "{url}/keys"}, id="another-issuer"),
    pytest.param(DISCOVERY, {"issuer": "{url}"}, id="no-keys-named"),
    pytest.param(DISCOVERY, {"issuer": "{url}", "jwks_uri": "http://keys.example/"}, id="keys-over-http"),
    pytest.param(DISCOVERY, {"issuer": "{url}", "jwks_uri": "file:///etc/passwd"}, id="keys-in-a-file"),
    pytest.param(DISCOVERY, b"<html>", id="no-json"),
    pytest.param(DISCOVERY, b"[" * 100_000, id="deep-json"),
    pytest.param(DISCOVERY, b" " * 600_000, id="too-large"),
    pytest.param("/keys", {"keys": "none"}, id="no-list"),
    pytest.param("/keys", None, id="not-found"),
]


@pytest.mark.parametrize(("path", "document"), BROKEN)
def test_an_issuer_that_answers_otherwise_lets_nobody_in(
    door: Door, rsa: RSAKey, path: str, document: Any, logged: LogCapture
) -> None:
    if isinstance(document, dict):
        document = json.loads(json.dumps(document).replace("{url}", door.url))
    door.documents[path] = document
    with pytest.raises(Unreachable):
        claims_of(Issuer(door.url, AUDIENCE), signed(rsa, said(door)))
    assert [one["event"] for one in logged.entries] == ["the keys of the issuer cannot be fetched"]


# roles ---------------------------------------------------------------------------------------------------------------
WORDS = {"boss": "admin", "staff": "agent"}


@pytest.mark.parametrize(
    ("claims", "claim", "role"),
    [
        pytest.param({"role": "staff"}, "role", "agent", id="text"),
        pytest.param({"role": ["x", "staff", "boss"]}, "role", "admin", id="list-in-the-order-of-the-file"),
        pytest.param({"realm_access": {"roles": ["staff"]}}, "realm_access.roles", "agent", id="path"),
        pytest.param({"https://hub.example/role": "staff"}, "https://hub.example/role", "agent", id="name-with-dots"),
        pytest.param({"role": "agent"}, "role", None, id="our-word-is-not-theirs"),
        pytest.param({"role": "STAFF"}, "role", None, id="capitals"),
        pytest.param({"role": {"staff": True}}, "role", None, id="object"),
        pytest.param({"role": [["staff"]]}, "role", None, id="list-in-a-list"),
        pytest.param({}, "role", None, id="nothing"),
        pytest.param({"a": "staff"}, "a.b.c", None, id="path-into-a-text"),
    ],
)
def test_a_claim_says_the_role(claims: dict[str, Any], claim: str, role: str | None) -> None:
    assert role_word(claims, claim, WORDS) == role


def test_the_gate_lets_a_token_in_as_its_role(door: Door, rsa: RSAKey, store: Store, rulebook: Rulebook) -> None:
    gate = Gate(Settings(oidc_issuer=door.url, oidc_audience=AUDIENCE), rulebook, store)
    headers = {"Authorization": f"Bearer {signed(rsa, said(door))}"}
    principal = asyncio.run(gate.admit(headers, "bi"))
    assert (principal.name, principal.sight.role) == ("jwt:ann", "agent")
    assert (principal.rate, principal.concurrent) == (Rate(100, 1), 8)
    nobody = {"Authorization": f"Bearer {signed(rsa, said(door, role='visitor'))}"}
    with pytest.raises(Unauthenticated, match="the token's `role` names no role"):
        asyncio.run(gate.admit(nobody))
