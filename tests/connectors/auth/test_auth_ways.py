"""Credentials that settings say: each way signs as its specification has it, each stream by its own."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import parse_qs

import pytest

from connectors.auth import NoVault, signers
from connectors.auth.carry import carrier, put
from connectors.errors import Rejected, Unauthorized
from connectors.http import Client, Sending

HIDDEN = "s3cret-t0ken"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def _pair(text: str) -> str:
    return f"Basic {b64encode(text.encode()).decode()}"


WAYS = [
    pytest.param({"bearer": "${token}"}, "authorization", f"Bearer {HIDDEN}", id="bearer"),
    pytest.param({"basic": {"user": "me", "password": "${token}"}}, "authorization", _pair(f"me:{HIDDEN}"), id="basic"),
    pytest.param({"basic": {"user": "${token}"}}, "authorization", _pair(f"{HIDDEN}:"), id="basic-without-password"),
    pytest.param({"basic": {"user": "zoë", "password": "ü"}}, "authorization", _pair("zoë:ü"), id="basic-in-utf-8"),
    pytest.param({"api_key": {"header": "X-Key", "value": "${token}"}}, "x-key", HIDDEN, id="key-in-a-header"),
    pytest.param(
        {"api_key": {"header": "Authorization", "value": "Token token=${token}"}},
        "authorization",
        f"Token token={HIDDEN}",
        id="key-with-words-before",
    ),
    pytest.param(None, "authorization", None, id="none"),
]


@pytest.mark.parametrize(("auth", "header", "value"), WAYS)
def test_a_request_is_signed_in_its_header(
    api: Any, make_source: Any, ask: Any, auth: Any, header: str, value: str | None
) -> None:
    ask(make_source(http={"auth": auth}))
    assert api.requests[0].headers.get(header) == value


def test_a_key_in_a_parameter_stands_behind_the_others(api: Any, make_source: Any, ask: Any) -> None:
    source = make_source(http={"auth": {"api_key": {"query": "api key", "value": "${token}"}}})
    ask(source, Sending("GET", "/things?a=1&b=%5B2%5D", {}), Sending("GET", "/things", {}))
    assert [request.url.query for request in api.requests] == [
        f"a=1&b=%5B2%5D&api%20key={HIDDEN}",
        f"api%20key={HIDDEN}",
    ]


def test_a_signature_replaces_a_header_of_the_same_name(api: Any, make_source: Any, ask: Any) -> None:
    ask(make_source(), Sending("GET", "/things", {"authorization": "nobody"}))
    assert api.requests[0].headers.getlist("authorization") == [f"Bearer {HIDDEN}"]


def test_each_stream_is_signed_its_own_way_and_those_alike_share_a_signer(make_source: Any) -> None:
    streams = {
        "plain": {"get": "/a", "key": "id"},
        "same": {"get": "/b", "key": "id", "auth": {"bearer": "${token}"}},
        "other": {"get": "/c", "key": "id", "auth": {"api_key": {"query": "key", "value": "${token}"}}},
        "open": {"get": "/d", "key": "id", "auth": None},
    }
    source = make_source()
    system = type(source.system).model_validate(source.system.model_dump(exclude_unset=True) | {"streams": streams})
    source = type(source)(source.name, system, source.settings)
    found = signers(source, Client(source), NoVault())
    assert found["plain"] is found["same"]
    assert len({id(signer) for signer in found.values()}) == 3
    assert found["other"].private == {"key"}
    assert found["plain"].private == frozenset()
    assert found["other"].check == "SHOP_TOKEN"


def test_a_stream_that_needs_no_credential_sends_none(api: Any, make_source: Any, ask: Any) -> None:
    ask(make_source({"auth": None}))
    assert "authorization" not in api.requests[0].headers


HMACS = [
    pytest.param(
        {"signed": "{timestamp}{method}{path}?{query}{body}", "timestamp": "X-Time"},
        lambda r, body: r.headers["x-time"] + "POST/v1/things?a=1&b=%C3%BC" + body,
        id="time-method-path-query-body",
    ),
    pytest.param(
        {"signed": r"{method}\n{url}\n{nonce}\n${key}", "nonce": "X-Nonce", "encoding": "base64"},
        lambda r, body: f"POST\n{r.url}\n{r.headers['x-nonce']}\n{{body}}",
        id="lines-url-nonce-and-a-setting-that-looks-like-a-word",
    ),
    pytest.param(
        {"signed": "{body}", "algorithm": "sha512", "prefix": "v1="}, lambda r, body: body, id="sha512-prefix"
    ),
]


@pytest.mark.parametrize(("said", "expected"), HMACS)
def test_a_request_is_signed_over_what_is_really_sent(
    api: Any, make_source: Any, ask: Any, said: Any, expected: Any
) -> None:
    auth = {"hmac": {"secret": "${token}", "header": "X-Signature", "key": {"X-Key": "${user}"}, **said}}
    source = make_source(http={"auth": auth}, settings={"user": "us", "key": "{body}"})
    ask(source, Sending("POST", f"{api.base_url}/v1/things?a=1&b=ü", JSON, b'{"x":1}'))
    request, block = api.requests[0], source.system.http.auth.hmac
    text = expected(request, api.bodies[0].decode())
    mac = hmac.new(HIDDEN.encode(), text.encode(), getattr(hashlib, block.algorithm))
    sent = request.headers["x-signature"].removeprefix(block.prefix)
    assert (b64decode(sent) if block.encoding == "base64" else bytes.fromhex(sent)) == mac.digest()
    assert request.headers["x-key"] == "us"


def test_each_attempt_is_signed_with_a_word_of_its_own(api: Any, make_source: Any, ask: Any) -> None:
    auth = {"hmac": {"secret": "${token}", "signed": "{nonce}", "header": "X-S", "nonce": "X-N"}}
    ask(make_source(http={"auth": auth}), *[Sending("GET", "/things", {})] * 2)
    assert len({request.headers["x-n"] for request in api.requests}) == 2


@pytest.mark.parametrize(("way", "looks"), [("epoch_s", r"\d{10}"), ("epoch_ms", r"\d{13}"), ("iso", r"\d{4}-.*Z")])
def test_the_time_of_signing_is_written_as_said(api: Any, make_source: Any, ask: Any, way: str, looks: str) -> None:
    said = {"secret": "${token}", "signed": "{timestamp}", "header": "X-S", "timestamp": "X-T", "timestamp_as": way}
    ask(make_source(http={"auth": {"hmac": said}}))
    assert re.fullmatch(looks, api.requests[0].headers["x-t"])


def test_a_secret_that_cannot_be_used_names_its_variable(make_source: Any, ask: Any) -> None:
    auth = {"hmac": {"secret": "${token}", "signed": "{body}", "header": "X-S"}}
    with pytest.raises(Unauthorized, match=r"shop: the credential is empty; check SHOP_TOKEN"):
        ask(make_source(http={"auth": auth}, settings={"token": ""}))


CARRIED = [
    pytest.param("body.args.1", "", {"args": [1, None, 3]}, {"args": [1, 7, 3]}, id="item-replaced"),
    pytest.param("body.args.2", "", {"args": [1, 2]}, {"args": [1, 2, 7]}, id="item-behind-the-last"),
    pytest.param("body.a.b.c", "", {"a": {}}, {"a": {"b": {"c": 7}}}, id="objects-on-the-way-made"),
    pytest.param("body.token", "T ", {}, {"token": "T 7"}, id="prefix-makes-a-text"),
    pytest.param("body.token", "", None, {"token": 7}, id="no-body-yet"),
]


@pytest.mark.parametrize(("place", "prefix", "before", "after"), CARRIED)
def test_a_credential_in_a_json_body_keeps_its_type(place: str, prefix: str, before: Any, after: Any) -> None:
    body = None if before is None else json.dumps(before).encode()
    sent = carrier("shop", place, prefix)(Sending("POST", "/", JSON, body), 7)
    assert json.loads(sent.body or b"") == after


def test_a_credential_in_a_form_is_one_more_field() -> None:
    carry = carrier("shop", "body.token")
    assert parse_qs((carry(Sending("POST", "/", FORM, b"a=1"), "x&y").body or b"").decode()) == {
        "a": ["1"],
        "token": ["x&y"],
    }
    assert carry(Sending("POST", "/", FORM), "x").body == b"token=x"


@pytest.mark.parametrize("place", ["body.args.5", "body.args.x", "body.word.deeper"])
def test_a_place_that_is_not_in_the_body_is_said(place: str) -> None:
    with pytest.raises(Rejected, match="no place `body"):
        carrier("shop", place)(Sending("POST", "/", JSON, b'{"args": [1], "word": "x"}'), 7)


def test_putting_leaves_the_rest_as_it_is() -> None:
    tree = {"a": [{"b": 1}, {"b": 2}], "c": 3}
    assert put(tree, "a.1.b", 9)
    assert tree == {"a": [{"b": 1}, {"b": 9}], "c": 3}
