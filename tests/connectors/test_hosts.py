"""Which hosts are asked and what they are told: credentials at home only, nothing to this machine's own services."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import Response

from connectors.address import forbidden
from connectors.errors import Refused, Rejected
from connectors.http import Client, Sending

HIDDEN = "s3cret-t0ken"
SECRET = {"Authorization": f"Bearer {HIDDEN}", "X-Key": HIDDEN, "Accept-Language": "de", "X-Plain": "1"}


def _host(server: Any) -> str:
    return str(server.base_url).removeprefix("http://")


def _own(source: Any, url: str, beside: str) -> str:
    async def own() -> str:
        async with Client(source) as client:
            return client.own("shop.things", url, beside)

    return asyncio.run(own())


def _send(source: Any, sending: Sending) -> Any:
    async def send() -> Any:
        async with Client(source) as client:
            return await client.send("shop.things", sending)

    return asyncio.run(send())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_listed_host_is_followed_without_credentials(
    api: Any, foreign: Any, make_source: Any, status: int
) -> None:
    api.handler = lambda r: Response("", status, {"Location": f"{foreign.base_url}/file?key={HIDDEN}&sig=a%2Fb"})
    foreign.handler = lambda request: Response("there")
    assert _send(make_source(http={"hosts": [_host(foreign)]}), Sending("GET", "/things", SECRET)).body == b"there"
    (request,) = foreign.requests
    assert request.url.query == "sig=a%2Fb"
    assert HIDDEN not in str(request.headers.raw)
    assert (request.headers["accept-language"], request.headers.get("x-plain")) == ("de", None)


def test_a_next_page_on_a_listed_host_is_asked_without_credentials(
    api: Any, foreign: Any, make_source: Any, pull: Any
) -> None:
    api.handler = lambda r: Response(f'{{"data": [{{"id": 1}}], "next": "{foreign.base_url}/more?key={HIDDEN}&p=2"}}')
    foreign.handler = lambda r: Response('{"data": [{"id": 2}]}')
    http = {"hosts": [_host(foreign)], "auth": {"api_key": {"query": "key", "value": "${token}"}}}
    came = pull(make_source({"pages": {"next": "next"}}, http | {"headers": {"X-Key": "${token}"}}))
    assert [page.records[0].key for page in came] == ["1", "2"]
    assert foreign.requests[0].url.query == "p=2"
    assert HIDDEN not in str(foreign.requests[0].headers.raw)


def test_a_stream_with_a_base_url_of_its_own_is_signed_there(
    api: Any, foreign: Any, make_source: Any, pull: Any, answer: Any
) -> None:
    following = {"": "?p=2"}
    foreign.handler = lambda r: answer({"data": [{"id": 1}], "next": following.get(r.url.query)})
    pull(make_source({"base_url": f"{foreign.base_url}/v2", "pages": {"next": "next"}}))
    assert [r.headers["authorization"] for r in foreign.requests] == [f"Bearer {HIDDEN}"] * 2
    assert [r.url.path for r in foreign.requests] == ["/v2/things"] * 2
    assert api.requests == []


def test_a_redirect_to_another_base_url_loses_the_credentials(api: Any, foreign: Any, make_source: Any) -> None:
    api.handler = lambda r: Response("", 302, {"Location": f"{foreign.base_url}/things"})
    _send(make_source({"base_url": foreign.base_url}), Sending("GET", "/x", SECRET))
    assert "authorization" not in foreign.requests[0].headers


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirected_post_keeps_method_and_body(api: Any, make_source: Any, status: int) -> None:
    api.handler = lambda r: Response("there") if r.url.path == "/b" else Response("", status, {"Location": "/b"})
    assert _send(make_source(), Sending("POST", "/a", SECRET, b"x=1")).body == b"there"
    assert [(r.method, r.url.path) for r in api.requests] == [("POST", "/a"), ("POST", "/b")]
    assert api.bodies == [b"x=1", b"x=1"]


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_post_is_not_made_a_get(api: Any, make_source: Any, status: int) -> None:
    api.handler = lambda r: Response("", status, {"Location": "/b"})
    with pytest.raises(
        Rejected, match=f"{status} from .*: a redirect that would make a GET of a POST; .* leads to .*/b"
    ):
        _send(make_source(), Sending("POST", "/a", {}, b"x=1"))
    assert len(api.requests) == 1


@pytest.mark.parametrize("through", ["redirect", "at-once"])
def test_a_body_is_sent_to_no_listed_host(api: Any, foreign: Any, make_source: Any, through: str) -> None:
    api.handler = lambda r: Response("", 307, {"Location": f"{foreign.base_url}/b"})
    url = "/a" if through == "redirect" else f"{foreign.base_url}/b"
    with pytest.raises(Refused, match="a body would go to"):
        _send(make_source(http={"hosts": [_host(foreign)]}), Sending("POST", url, {}, b"x=1"))
    assert foreign.requests == []


AWAY = [
    pytest.param("file:///etc/passwd", id="file"),
    pytest.param("ftp://127.0.0.1/x", id="ftp"),
    pytest.param("//example.com/x", id="another-host-without-scheme"),
    pytest.param("https://example.com@evil.example/", id="userinfo-that-looks-like-a-listed-host"),
    pytest.param("https://me:pw@example.org/", id="userinfo"),
    pytest.param("http://example.org/", id="listed-but-not-https"),
    pytest.param("https://example.org:444/", id="listed-but-another-port"),
    pytest.param("https://sub.example.org/", id="below-a-listed-host"),
    pytest.param("https://example.org.evil.example/", id="listed-as-a-beginning"),
    pytest.param("http://169.254.169.254/latest/meta-data", id="metadata"),
    pytest.param("http://[::ffff:169.254.169.254]/", id="metadata-written-otherwise"),
]


@pytest.mark.parametrize("location", AWAY)
def test_nothing_leads_anywhere_else(api: Any, make_source: Any, location: str) -> None:
    source = make_source(http={"hosts": ["example.org", "169.254.169.254", "[::ffff:169.254.169.254]"]})
    api.handler = lambda request: Response("", 302, {"Location": location})
    with pytest.raises(Refused) as caught:
        _send(source, Sending("GET", "/things", {}))
    assert "pw" not in str(caught.value)
    with pytest.raises(Refused):
        _own(source, location, f"{api.base_url}/things")


OWN = [
    pytest.param("?page=2", "/v1/things?page=2", id="query"),
    pytest.param("/else?a=%2F", "/else?a=%2F", id="path"),
    pytest.param("{base}/v1/b#part", "/v1/b", id="absolute"),
    pytest.param("https://example.org/b?c=1", "https://example.org/b?c=1", id="listed"),
    pytest.param("{other}/b", "{other}/b", id="another-base-url"),
]


@pytest.mark.parametrize(("url", "expected"), OWN)
def test_an_own_url_is_a_path_and_one_of_another_known_host_is_whole(
    api: Any, foreign: Any, make_source: Any, url: str, expected: str
) -> None:
    source = make_source({"base_url": foreign.base_url}, {"hosts": ["example.org"]})
    names = {"base": api.base_url, "other": foreign.base_url}
    assert _own(source, url.format(**names), f"{api.base_url}/v1/things") == expected.format(**names)


FORBIDDEN = [
    "169.254.169.254", "169.254.0.1", "fe80::1", "[fe80::1]", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200",
    "::ffff:169.254.169.254", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
    "metadata.google.internal", "Metadata.Google.Internal.",
]  # fmt: skip
ALLOWED = [
    "127.0.0.1",
    "::1",
    "10.0.0.1",
    "192.168.1.1",
    "fd12::1",
    "8.8.8.8",
    "2001:db8::1",
    "crm.example",
    "fe80.example",
]


@pytest.mark.parametrize(("host", "refused"), [*((h, True) for h in FORBIDDEN), *((h, False) for h in ALLOWED)])
def test_link_local_and_metadata_addresses_are_refused_in_any_notation(host: str, refused: bool) -> None:
    assert forbidden(host) is refused


def test_a_base_url_at_such_an_address_is_refused_before_anything_is_sent(make_source: Any) -> None:
    source = make_source(http={"base_url": "http://169.254.169.254/"})
    with pytest.raises(Refused, match="this machine's own address"):
        _send(source, Sending("GET", "/latest", {}))


def test_a_name_that_leads_to_such_an_address_is_refused_before_anything_is_sent(
    api: Any, make_source: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loopback stands for the metadata service here: no test has a name that leads there."""
    source = make_source(http={"base_url": api.base_url.replace("127.0.0.1", "localhost")})
    monkeypatch.setattr("connectors.http.forbidden", lambda host: host == "127.0.0.1")
    with pytest.raises(Refused, match=r"localhost:.* leads to this machine's own address"):
        _send(source, Sending("GET", "/things", SECRET))
    assert api.requests == []


def test_nothing_of_a_request_shows_in_its_repr() -> None:
    assert repr(Sending("GET", f"/{HIDDEN}", SECRET, HIDDEN.encode())) == "Sending()"
