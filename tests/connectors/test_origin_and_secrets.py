"""What never leaves: nothing goes to another host, no secret into an error, a log, a cursor or a repr."""

from __future__ import annotations

import gzip
import json
import logging
import traceback
from base64 import b64encode
from typing import Any

import pytest
from starlette.responses import Response

from connectors.errors import BadAnswer, ConnectorError, NotFound, Refused, Rejected, Unauthorized
from connectors.pull import Connection

HIDDEN = "s3cret-t0ken"
ENCODED = b64encode(f"me:{HIDDEN}".encode()).decode()
ONE = '{"data": [{"id": 1}]}'


def test_a_key_in_a_parameter_signs_each_page_and_stays_out_of_cursors(api: Any, make_source: Any, pull: Any) -> None:
    """Systems repeat the query in the next page's URL, key included."""
    following = f"/things?page=2&key={HIDDEN}&token_auth={HIDDEN}&filter=a%2Cb"
    api.handler = lambda r: Response(
        json.dumps({"data": [{"id": 1}], "next": None if r.query_params.get("page") else following})
    )
    http = {
        "auth": {"api_key": {"query": "key", "value": "${token}"}},
        "params": {"token_auth": "${token}", "lang": "de"},
    }
    source = make_source({"pages": {"next": "next"}}, http)
    came = pull(source)
    assert api.asked("key") == api.asked("token_auth") == [HIDDEN, HIDDEN]
    assert api.asked("filter") == [None, "a,b"]
    assert HIDDEN not in json.dumps([page.cursor for page in came])
    assert len(pull(source, came[0].cursor)) == 1


BREAKAGES = [
    pytest.param(lambda url: Response(f'{{"error": "bad key {HIDDEN}"}}', 401), id="401-that-repeats-it"),
    pytest.param(lambda url: Response(f'{{"error": "bad key {HIDDEN}"}}'), id="200-that-repeats-it"),
    pytest.param(lambda url: Response(f"<html>{HIDDEN}", media_type="text/html"), id="html"),
    pytest.param(lambda url: Response(f'{{"data": "{HIDDEN}"}}'), id="no-list"),
    pytest.param(lambda url: Response("", 302, {"Location": f"/again?key={HIDDEN}"}), id="redirects"),
    pytest.param(lambda url: Response("", 302, {"Location": f"{url}/?key={HIDDEN}"}), id="redirect-elsewhere"),
    pytest.param(lambda url: Response("", 302, {"Location": f"http://[{HIDDEN}"}), id="redirect-to-no-url"),
    pytest.param(lambda url: Response("", 500), id="500"),
]
OAUTH2 = {"token_url": "/given", "client_id": "me", "client_secret": "${token}"}
SIGNED = [
    pytest.param({"bearer": "${token}"}, HIDDEN, id="bearer"),
    pytest.param({"basic": {"user": "me", "password": "${token}"}}, HIDDEN, id="basic"),
    pytest.param({"api_key": {"query": "key", "value": "${token}"}}, HIDDEN, id="key-in-a-parameter"),
    pytest.param({"hmac": {"secret": "${token}", "signed": "{url}", "header": "X-S"}}, HIDDEN, id="hmac"),
    pytest.param({"oauth2": OAUTH2}, "another-secret", id="token-of-oauth2"),
    pytest.param({"login": {"post": "/given", "token": "access_token", "send": "sid"}}, "another", id="session"),
    pytest.param({"login": {"post": "/given", "cookie": "sid"}}, "another", id="session-cookie"),
]


@pytest.mark.parametrize(("auth", "setting"), SIGNED)
@pytest.mark.parametrize("breakage", BREAKAGES)
def test_no_secret_shows_in_errors_logs_or_output(
    api: Any,
    foreign: Any,
    make_source: Any,
    pull: Any,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    breakage: Any,
    auth: Any,
    setting: str,
) -> None:
    """Neither a setting nor a token that the system gave meanwhile, though the system repeats it."""
    caplog.set_level(logging.DEBUG)
    given = Response(json.dumps({"access_token": HIDDEN}), headers={"Set-Cookie": f"sid={HIDDEN}"})
    api.handler = lambda request: given if request.url.path == "/given" else breakage(foreign.base_url)
    error = {"when": {"error": {"exists": True}}, "message": "error"}
    source = make_source(http={"auth": auth, "error": error}, settings={"token": setting})
    with pytest.raises(ConnectorError) as caught:
        pull(source, attempts=1)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__dict__) + caplog.text
    shown += repr(source) + "".join(capsys.readouterr())
    assert HIDDEN not in shown
    assert ENCODED not in shown
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_refused_and_carries_nothing_there(
    api: Any, foreign: Any, make_source: Any, pull: Any, status: int
) -> None:
    api.handler = lambda request: Response("", status, {"Location": f"{foreign.base_url}/things"})
    with pytest.raises(Refused, match=rf"leads to {foreign.base_url}/things, away from {api.base_url}"):
        pull(make_source())
    assert foreign.requests == []


def test_a_redirect_within_the_host_is_followed(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda r: Response(ONE) if r.url.path == "/c" else Response("", 307, {"Location": "/c"})
    assert len(pull(make_source())[0].records) == 1


def test_redirects_without_end_are_given_up(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: Response("", 302, {"Location": "/things"})
    with pytest.raises(BadAnswer, match="more than 3 redirects"):
        pull(make_source())
    assert len(api.requests) == 4


UNSENDABLE = [
    pytest.param("", "is empty", id="empty"),
    pytest.param(HIDDEN + "\n", "holds a blank, a line break", id="line-break"),
    pytest.param(HIDDEN + "é", "a letter that no request can carry", id="not-ascii"),
    pytest.param(" " + HIDDEN, "holds a blank", id="blank"),
]


@pytest.mark.parametrize(("token", "says"), UNSENDABLE)
def test_a_credential_that_cannot_be_sent_names_its_variable(
    api: Any, make_source: Any, pull: Any, token: str, says: str
) -> None:
    with pytest.raises(Unauthorized, match=f"shop: the credential .*{says}.*; check SHOP_TOKEN") as caught:
        pull(make_source(settings={"token": token}))
    assert HIDDEN not in str(caught.value)
    assert api.requests == []


BASES = ["ftp://host/", "host/path", "http://me:pass@host/", "http://", "http://host:port/", ""]


@pytest.mark.parametrize("base_url", BASES)
def test_a_base_url_that_is_none_is_refused_before_anything_is_asked(make_source: Any, base_url: str) -> None:
    with pytest.raises(Rejected) as caught:
        Connection(make_source(http={"base_url": base_url}))
    assert "pass" not in str(caught.value)


def test_an_answer_that_unpacks_beyond_the_limit_is_given_up(api: Any, make_source: Any, pull: Any) -> None:
    packed = gzip.compress(b'{"data": [' + b" " * 5_000_000 + b"]}")
    api.handler = lambda request: Response(packed, headers={"Content-Encoding": "gzip"})
    with pytest.raises(BadAnswer, match="more than 1,000,000 bytes"):
        pull(make_source(), largest_bytes=1_000_000)
    assert pull(make_source())[0].records == []


def test_broken_compression_is_a_bad_answer(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: Response(b"not packed", headers={"Content-Encoding": "gzip"})
    with pytest.raises(BadAnswer, match="broken compression"):
        pull(make_source(), attempts=1)


def test_a_secret_in_a_path_does_not_show(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: Response("", 404)
    with pytest.raises(NotFound, match=r"/bot\*\*\*/things"):
        pull(make_source({"get": "/bot${token}/things"}))
    assert api.requests[0].url.path == f"/bot{HIDDEN}/things"


def test_a_base_url_may_have_a_path(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: Response(ONE)
    pull(make_source(http={"base_url": api.base_url + "/api/v2/"}))
    assert api.requests[0].url.path == "/api/v2/things"
