"""Sessions that an assertion or a login opens: carried where the mapping says, opened anew when they have ended."""

from __future__ import annotations

import asyncio
import json
import traceback
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.requests import Request
from starlette.responses import Response

from connectors.auth import NoVault, signers
from connectors.errors import Unauthorized, Unavailable
from connectors.http import Client, Sending

HIDDEN = "s3cret-t0ken"
GET = Sending("GET", "/things", {})


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")


KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}


def _pem(algorithm: str) -> str:
    form, no = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return str(KEYS[algorithm].private_bytes(serialization.Encoding.PEM, form, no), "ascii")


JWT = {"token_url": "/oauth/token", "key": "${key}", "issuer": "${user}", "scope": "read", "claims": {"x": 1}}


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("escaped", [False, True], ids=["line-breaks", "written-as-backslash-n"])
def test_an_assertion_is_signed_with_the_key_and_exchanged(
    api: Any, make_source: Any, ask: Any, algorithm: str, escaped: bool
) -> None:
    api.handler = lambda request: _json({"access_token": "abcdefgh", "token_type": "Bearer", "expires_in": 3600})
    pem = _pem(algorithm)
    said = JWT | {"algorithm": algorithm, "key_id": "k1", "subject": "them", "lifetime": "2m"}
    settings = {"key": pem.replace("\n", "\\n") if escaped else pem, "user": "us"}
    ask(make_source(http={"auth": {"jwt": said}}, settings=settings))
    assert api.requests[1].headers["authorization"] == "Bearer abcdefgh"
    form = {name: value for name, (value,) in parse_qs(api.bodies[0].decode()).items()}
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    public = (RSAKey if algorithm == "RS256" else ECKey).import_key(pem)
    token = jwt.decode(form["assertion"], public, algorithms=[algorithm])
    assert token.header == {"typ": "JWT", "alg": algorithm, "kid": "k1"}
    times = {name: token.claims.pop(name) for name in ("iat", "exp")}
    assert times["exp"] - times["iat"] == 120
    url = f"{api.base_url}/oauth/token"
    assert token.claims == {"iss": "us", "sub": "them", "aud": url, "scope": "read", "x": 1}


NO_KEYS = [
    pytest.param("no key", id="no-pem"),
    pytest.param(_pem("ES256"), id="another-kind-of-key"),
    pytest.param(_pem("RS256").replace("M", "N"), id="damaged"),
    pytest.param(
        KEYS["RS256"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
        id="the-public-half",
    ),
]


@pytest.mark.parametrize("pem", NO_KEYS)
def test_a_key_that_cannot_sign_names_its_variable_and_does_not_show(make_source: Any, ask: Any, pem: str) -> None:
    source = make_source(http={"auth": {"jwt": JWT}}, settings={"key": pem, "user": "us"})
    with pytest.raises(Unauthorized, match="the key is no private key in PEM for RS256; check SHOP_KEY") as caught:
        ask(source)
    assert (pem[40:60] or pem) not in "".join(traceback.format_exception(caught.value))


LOGINS = [
    pytest.param({"token": "a.t"}, _json({"a": {"t": "abcdefgh"}}), "authorization", "abcdefgh", id="body"),
    pytest.param(
        {"token": "header.X-Auth", "send": "header.X-Auth"},
        Response("", 201, {"X-Auth": "abcdefgh"}),
        "x-auth",
        "abcdefgh",
        id="header",
    ),
    pytest.param({"token": "t", "prefix": "Token "}, _json({"t": "abc"}), "authorization", "Token abc", id="prefix"),
    pytest.param(
        {"cookie": "sid"},
        Response("", 303, {"Set-Cookie": "sid=abc=; Expires=Wed, 21 Oct 2099 07:28:00 GMT", "Location": "/home"}),
        "cookie",
        "sid=abc=",
        id="cookie-with-a-redirect-behind-it",
    ),
]


@pytest.mark.parametrize(("said", "opened", "header", "value"), LOGINS)
def test_a_login_opens_a_session_that_requests_carry(
    api: Any, make_source: Any, ask: Any, said: Any, opened: Response, header: str, value: str
) -> None:
    api.handler = lambda r: opened if r.url.path == "/v1/login" else Response("[]")
    login = {"post": "/login", "json": {"user": "me", "password": "${token}", "n": [1, "${token}"]}} | said
    http = {"base_url": f"{api.base_url}/v1", "auth": {"login": login}, "headers": {"X-App": "us"}}
    ask(make_source(http=http), GET, GET)
    assert [r.url.path for r in api.requests] == ["/v1/login", "/things", "/things"]
    assert json.loads(api.bodies[0]) == {"user": "me", "password": HIDDEN, "n": [1, HIDDEN]}
    assert api.requests[0].headers["x-app"] == "us"
    assert [r.headers.get(header) for r in api.requests] == [None, value, value]


def test_a_login_may_be_a_form_and_its_token_a_number_in_the_body(api: Any, make_source: Any, ask: Any) -> None:
    api.handler = lambda r: _json({"result": 7})
    login = {"post": "/rpc", "form": {"pass": "${token}", "no": None}, "token": "result", "send": "body.params.args.1"}
    body = json.dumps({"params": {"args": ["db", None, "x"]}}).encode()
    ask(
        make_source(http={"auth": {"login": login}}),
        Sending("POST", "/rpc", {"Content-Type": "application/json"}, body),
    )
    assert api.bodies[0] == f"pass={HIDDEN}".encode()
    assert json.loads(api.bodies[1]) == {"params": {"args": ["db", 7, "x"]}}


def test_a_session_in_a_parameter_is_private(api: Any, make_source: Any) -> None:
    login = {"post": "/login", "token": "t", "send": "sid"}
    source = make_source(http={"auth": {"login": login}})
    assert signers(source, Client(source), NoVault())["things"].private == {"sid"}


def test_a_session_that_has_ended_is_opened_anew(api: Any, make_source: Any, ask: Any) -> None:
    sessions = iter("ab")
    opened: list[str] = []

    def handler(request: Request) -> Response:
        if request.url.path == "/login":
            opened.append(next(sessions))
            return _json({"t": opened[-1]})
        return Response("[]", 200 if request.headers["x-s"] == "b" else 401)

    api.handler = handler
    login = {"post": "/login", "token": "t", "send": "header.X-S"}
    assert ask(make_source(http={"auth": {"login": login}}))[0].status == 200
    assert opened == ["a", "b"]


def test_a_session_of_a_said_length_is_opened_anew_in_time(
    api: Any, make_source: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("connectors.auth.session.monotonic", lambda: now[0])
    api.handler = lambda request: _json({"t": "x"})
    source = make_source(http={"auth": {"login": {"post": "/login", "token": "t", "lifetime": "10m"}}})

    async def doing() -> None:
        async with Client(source) as client:
            signer = signers(source, client, NoVault())["things"]
            for now[0] in (0.0, 539.0, 541.0):
                await signer.sign(GET)

    asyncio.run(doing())
    assert len(api.requests) == 2


NO_SESSIONS = [
    pytest.param(_json({"result": False}), r"200 from .*: the login brought no token at `result`", id="false"),
    pytest.param(_json({"result": None, "error": f"no {HIDDEN}"}), r"`result` \(no \*\*\*\)", id="said-in-the-body"),
    pytest.param(_json({"error": "wrong"}, 401), r"401 from .* \(wrong\); check SHOP_TOKEN, SHOP_USER", id="401"),
    pytest.param(_json({"result": "x", "error": "wrong"}, 400), "400 from", id="400"),
    pytest.param(Response("<html>"), "brought no token", id="html"),
    pytest.param(_json({"result": {"a": 1}}), "brought no token", id="no-text"),
]


@pytest.mark.parametrize(("answer", "says"), NO_SESSIONS)
def test_a_refused_login_is_one_clear_line(api: Any, make_source: Any, ask: Any, answer: Response, says: str) -> None:
    api.handler = lambda request: answer
    login = {"post": "/login", "json": ["${token}", "${user}"], "token": "result"}
    error = {"when": {"error": {"exists": True}}, "message": "error"}
    with pytest.raises(Unauthorized, match=says) as caught:
        ask(make_source(http={"auth": {"login": login}, "error": error}, settings={"user": "me"}))
    assert HIDDEN not in str(caught.value)
    assert len(api.requests) == 1


def test_a_login_that_is_down_may_be_tried_again(api: Any, make_source: Any, ask: Any) -> None:
    api.handler = lambda request: Response("", 503)
    with pytest.raises(Unavailable) as caught:
        ask(make_source(http={"auth": {"login": {"post": "/login", "token": "t"}}}))
    assert caught.value.again


def test_cookies_that_are_no_login_are_not_sent_back(api: Any, make_source: Any, ask: Any) -> None:
    api.handler = lambda request: Response("[]", headers={"Set-Cookie": "track=1; Path=/"})
    ask(make_source(), GET, GET)
    assert "cookie" not in api.requests[1].headers
