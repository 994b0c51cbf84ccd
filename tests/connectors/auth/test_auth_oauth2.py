"""Tokens that last for a while: got once for all, renewed in time and when refused, kept before they are used."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest
from starlette.requests import Request
from starlette.responses import Response

from connectors.auth import Held, NoVault, Signer, signers
from connectors.errors import BadAnswer, ConnectorError, RateLimited, Refused, Rejected, Unauthorized, Unavailable
from connectors.http import Client, Sending

HIDDEN = "s3cret-t0ken"
GET = Sending("GET", "/things", {})
RENEWING = {"refresh_token": "${refresh}"}
OAUTH2 = {"token_url": "/oauth/token", "client_id": "my id", "client_secret": "${token}"}


def _json(body: Any, status: int = 200, **headers: str) -> Response:
    return Response(json.dumps(body), status, headers, "application/json")


class Giver:
    """Gives tokens t1, t2, … at /oauth/token, and lets in whoever has the newest; refresh tokens r1, r2, … rotate."""

    def __init__(self, api: Any, expires_in: Any = 3600, rotates: bool = False) -> None:
        self.api, self.given, self.expires_in, self.rotates = api, 0, expires_in, rotates
        self.refusing: Callable[[Request], bool] = lambda request: False
        api.handler = self

    def __call__(self, request: Request) -> Response:
        if request.url.path == "/oauth/token":
            self.given += 1
            said = {"access_token": f"access-token-{self.given}", "token_type": "bearer"}
            said |= {} if self.expires_in is None else {"expires_in": self.expires_in}
            return _json(said | ({"refresh_token": f"r{self.given}"} if self.rotates else {}))
        good = request.headers.get("authorization") == f"Bearer access-token-{self.given}"
        return Response("[]", 200 if good and not self.refusing(request) else 401)

    @property
    def forms(self) -> list[dict[str, str]]:
        """What was asked of the token address, without its client."""
        asked = zip(self.api.requests, self.api.bodies, strict=True)
        bodies = [body.decode() for request, body in asked if request.url.path == "/oauth/token"]
        return [{name: value for name, (value,) in parse_qs(body).items()} for body in bodies]


@pytest.fixture
def giver(api: Any) -> Giver:
    return Giver(api)


def _run(source: Any, doing: Callable[[Client, Signer], Any], vault: Any = None) -> Any:
    async def run() -> Any:
        async with Client(source) as client:
            return await doing(client, signers(source, client, vault or NoVault())["things"])

    return asyncio.run(run())


@pytest.fixture
def oauth2(make_source: Any) -> Callable[..., Any]:
    def make(settings: dict[str, str] | None = None, **said: Any) -> Any:
        return make_source(http={"auth": {"oauth2": OAUTH2 | said}}, settings=settings)

    return make


CLIENTS = [
    pytest.param({}, True, {"grant_type": "client_credentials"}, id="basic"),
    pytest.param(
        {"client": "body", "scope": "read all", "params": {"audience": "x", "fast": True, "no": None}},
        False,
        {
            "grant_type": "client_credentials",
            "client_id": "my id",
            "client_secret": HIDDEN,
            "scope": "read all",
            "audience": "x",
            "fast": "true",
        },
        id="body-scope-params",
    ),
    pytest.param(
        {"client_secret": None}, False, {"grant_type": "client_credentials", "client_id": "my id"}, id="public-client"
    ),
]


@pytest.mark.parametrize(("said", "in_header", "form"), CLIENTS)
def test_a_token_is_asked_for_as_the_client(
    giver: Giver, oauth2: Any, ask: Any, said: Any, in_header: bool, form: Any
) -> None:
    assert [answer.status for answer in ask(oauth2(**said), GET, GET)] == [200, 200]
    assert giver.forms == [form]
    pair = b64encode(f"my+id:{HIDDEN}".encode()).decode()
    assert giver.api.requests[0].headers.get("authorization") == (f"Basic {pair}" if in_header else None)
    assert giver.api.requests[0].method == "POST"


def test_a_token_is_carried_where_the_mapping_says(api: Any, oauth2: Any, ask: Any) -> None:
    api.handler = lambda request: _json({"access_token": "abcdefgh"})
    ask(oauth2(send="header.X-Access", prefix=""))
    ask(oauth2(send="access", prefix="own "))
    assert api.requests[1].headers["x-access"] == "abcdefgh"
    assert api.requests[3].query_params["access"] == "own abcdefgh"
    assert "authorization" not in api.requests[1].headers


def test_of_many_requests_at_once_one_gets_the_token(giver: Giver, oauth2: Any, ask: Any) -> None:
    ask(oauth2(), *[GET] * 12, at_once=True)
    assert giver.given == 1


def test_many_requests_that_are_refused_at_once_renew_it_once(giver: Giver, oauth2: Any) -> None:
    async def doing(client: Client, signer: Signer) -> list[bool]:
        signed = [await signer.sign(GET) for _ in range(8)]
        again = await asyncio.gather(*(signer.refused(one) for one in signed))
        return [*again, await signer.refused(signed[0])]

    assert _run(oauth2(), doing) == [True] * 9
    assert giver.given == 2


def test_a_token_that_ends_before_it_said_is_renewed_and_the_request_repeated(
    giver: Giver, oauth2: Any, ask: Any
) -> None:
    ended = iter([False, True, False, False])
    giver.refusing = lambda request: next(ended)
    assert [answer.status for answer in ask(oauth2(), GET, GET, GET)] == [200, 200, 200]
    assert giver.given == 2


def test_a_token_that_is_refused_as_soon_as_it_was_renewed_is_not_renewed_again(
    giver: Giver, oauth2: Any, ask: Any
) -> None:
    giver.refusing = lambda request: True
    assert [answer.status for answer in ask(oauth2(), GET, GET, GET)] == [401, 401, 401]
    assert giver.given == 2


LASTING = [
    pytest.param(3600, [0, 3500, 3541], 2, id="a-minute-early"),
    pytest.param("3600", [0, 3541], 2, id="seconds-as-text"),
    pytest.param(40, [0, 19, 21], 2, id="a-short-one-at-half-time"),
    pytest.param(None, [0, 10**9], 1, id="no-end-said"),
    pytest.param("soon", [0, 10**9], 1, id="no-number"),
    pytest.param(0, [0, 1, 2], 3, id="ends-at-once"),
]


@pytest.mark.parametrize(("expires_in", "times", "given"), LASTING)
def test_a_token_is_renewed_before_it_ends(
    api: Any, oauth2: Any, monkeypatch: pytest.MonkeyPatch, expires_in: Any, times: list[int], given: int
) -> None:
    giver, now = Giver(api, expires_in), [0.0]
    monkeypatch.setattr("connectors.auth.session.monotonic", lambda: 1000.0 + now[0])

    async def doing(client: Client, signer: Signer) -> None:
        for now[0] in times:
            await signer.sign(GET)

    _run(oauth2(), doing)
    assert giver.given == given


REFUSALS = [
    pytest.param(
        _json({"error": "invalid_client", "error_description": f"who is {HIDDEN}"}, 401),
        Unauthorized,
        r"no token from .*/oauth/token \(invalid_client: who is \*\*\*\); check SHOP_TOKEN$",
        id="invalid-client",
    ),
    pytest.param(_json({"error": "invalid_scope"}, 400), Unauthorized, "invalid_scope", id="invalid-scope"),
    pytest.param(_json({"error": "nope"}), Unauthorized, r"\(nope\)", id="an-error-with-status-200"),
    pytest.param(_json({"message": "who?"}, 403), Unauthorized, r"403 from .*\(who\?\)", id="no-error-word"),
    pytest.param(_json({"token": "x"}), BadAnswer, "no access_token", id="no-token"),
    pytest.param(_json({"access_token": 5}), BadAnswer, "no access_token", id="no-text"),
    pytest.param(_json({"access_token": "a\nb"}), BadAnswer, "no request can carry", id="line-break"),
    pytest.param(Response("<html>"), BadAnswer, "no access_token", id="html"),
    pytest.param(Response("", 302, {"Location": "/else"}), Rejected, "a redirect instead of a token", id="redirect"),
    pytest.param(Response("", 404), ConnectorError, "404 from", id="not-there"),
]


@pytest.mark.parametrize(("refusal", "kind", "says"), REFUSALS)
def test_a_refused_token_is_one_clear_line_and_not_asked_for_again(
    api: Any, oauth2: Any, refusal: Response, kind: type[ConnectorError], says: str
) -> None:
    api.handler = lambda request: refusal

    async def doing(client: Client, signer: Signer) -> None:
        for _ in range(3):
            with pytest.raises(kind, match=says) as caught:
                await signer.sign(GET)
            assert HIDDEN not in "".join(traceback.format_exception(caught.value))

    _run(oauth2(), doing)
    assert len(api.requests) == 1


BUSY = [
    pytest.param(Response("", 503), Unavailable, id="503"),
    pytest.param(Response("", 429, {"Retry-After": "7"}), RateLimited, id="429"),
]


@pytest.mark.parametrize(("busy", "kind"), BUSY)
def test_a_token_that_is_not_to_be_had_for_the_moment_is_asked_for_again(
    api: Any, giver: Giver, oauth2: Any, busy: Response, kind: type[ConnectorError]
) -> None:
    async def doing(client: Client, signer: Signer) -> Sending:
        api.handler = lambda request: busy
        with pytest.raises(kind) as caught:
            await signer.sign(GET)
        assert caught.value.again
        api.handler = giver
        return await signer.sign(GET)

    assert _run(oauth2(), doing).headers == {"Authorization": "Bearer access-token-1"}


def test_a_token_address_on_another_host_has_to_be_listed(api: Any, foreign: Any, make_source: Any, ask: Any) -> None:
    giver = Giver(foreign)
    api.handler = lambda request: Response("[]")
    auth = {"oauth2": OAUTH2 | {"token_url": f"{foreign.base_url}/oauth/token"}}
    with pytest.raises(Refused, match="list the host under `hosts`"):
        ask(make_source(http={"auth": auth}))
    assert giver.given == 0
    ask(make_source(http={"auth": auth, "hosts": [foreign.base_url.removeprefix("http://")]}))
    assert api.requests[0].headers["authorization"] == "Bearer access-token-1"


def _refreshing(oauth2: Any, setting: str = "first") -> Any:
    return oauth2({"refresh": setting}, **RENEWING)


class Told(NoVault):
    """A vault that writes down what is kept in it, a while after it was asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    @asynccontextmanager
    async def held(self, source: str) -> AsyncIterator[Held]:
        async with super().held(source) as held:
            yield Slow(held, self.events)


class Slow:
    """What the holder sees of it."""

    def __init__(self, held: Held, events: list[str]) -> None:
        self._held, self._events, self.read = held, events, held.read

    async def keep(self, name: str, value: str) -> None:
        await asyncio.sleep(0.01)
        await self._held.keep(name, value)
        self._events.append(f"kept {value}")


def test_a_rotated_refresh_token_is_kept_before_its_token_is_used_and_used_next(
    api: Any, oauth2: Any, ask: Any
) -> None:
    giver, vault = Giver(api, rotates=True), Told()

    def handler(request: Request) -> Response:
        vault.events.append(request.url.path)
        return giver(request)

    api.handler = handler
    for _ in range(2):
        ask(_refreshing(oauth2), vault=vault)
    assert vault.events == ["/oauth/token", "kept r1", "/things", "/oauth/token", "kept r2", "/things"]
    assert [form["refresh_token"] for form in giver.forms] == ["first", "r1"]


def test_a_refresh_token_that_the_operator_replaced_wins_over_the_kept_one(api: Any, oauth2: Any, ask: Any) -> None:
    giver, vault = Giver(api, rotates=True), NoVault()
    for setting in ("first", "first", "replaced", "replaced"):
        ask(_refreshing(oauth2, setting), vault=vault)
    assert [form["refresh_token"] for form in giver.forms] == ["first", "r1", "replaced", "r3"]


def test_a_refresh_token_that_stays_is_not_kept(giver: Giver, oauth2: Any, ask: Any) -> None:
    vault = Told()
    ask(_refreshing(oauth2), vault=vault)
    assert vault.events == []
    assert giver.forms == [{"grant_type": "refresh_token", "refresh_token": "first"}]


def test_a_dead_refresh_token_says_what_to_do(api: Any, oauth2: Any, ask: Any) -> None:
    api.handler = lambda request: _json({"error": "invalid_grant", "error_description": "first is revoked"}, 400)
    says = r"invalid_grant: \*\*\* is revoked\); allow the hub anew at the system and set SHOP_REFRESH$"
    with pytest.raises(Unauthorized, match=says):
        ask(_refreshing(oauth2))


def test_a_renewal_that_nobody_waits_for_any_more_is_kept_all_the_same(api: Any, oauth2: Any) -> None:
    giver, vault = Giver(api, rotates=True), Told()
    waiting: list[asyncio.Task[Any]] = []

    async def doing(client: Client, signer: Signer) -> None:
        loop = asyncio.get_running_loop()
        asked = asyncio.Event()

        def handler(request: Request) -> Response:
            loop.call_soon_threadsafe(asked.set)
            return giver(request)

        api.handler = handler
        waiting.append(asyncio.create_task(signer.sign(GET)))
        await asked.wait()
        waiting[0].cancel()

    _run(_refreshing(oauth2), doing, vault)
    assert waiting[0].cancelled()
    assert vault.events == ["kept r1"]


TAKEN = [
    pytest.param({"oauth2": OAUTH2}, id="oauth2"),
    pytest.param({"login": {"post": "/oauth/token", "token": "access_token"}}, id="login"),
]


@pytest.mark.parametrize("auth", TAKEN)
def test_a_token_got_at_run_time_shows_nowhere(
    api: Any, giver: Giver, make_source: Any, caplog: pytest.LogCaptureFixture, auth: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    source = make_source(http={"auth": auth})

    async def doing(client: Client, signer: Signer) -> str:
        signed = await signer.sign(GET)
        answer = await client.send("shop.things", Sending("GET", "/bot access-token-1/x", signed.headers))
        said = client.secrets.mask("bad Bearer access-token-1, access%2Dtoken-1\n or access-token-1")
        return f"{said} {answer} {signed} {signer} {client} {client.secrets} {answer.url} {vars(signer)}"

    shown = _run(source, doing) + caplog.text
    assert "bad Bearer ***" in shown
    assert "access-token-1" not in shown.replace("access%2Dtoken-1", "")
