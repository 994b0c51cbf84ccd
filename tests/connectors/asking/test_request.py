"""What goes over the wire: methods, bodies, places, placeholders, as a real server sees them; and what never stays."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from starlette.requests import Request
from starlette.responses import Response

from connectors.errors import Rejected

HIDDEN = "s3cret-t0ken"
MARK = {"since": "2026-03-01T12:00:00.000000+00:00"}
NOTHING = Response('{"data": []}')


def asked(api: Any, make_source: Any, pull: Any, stream: Any, cursor: Any = None, **more: Any) -> Request:
    """The only request of a stream that brings nothing."""
    api.handler = lambda request: NOTHING
    pull(make_source(stream, **more), cursor)
    request: Request = api.requests[-1]
    assert len(api.requests) == 1
    return request


def test_a_get_has_no_body(api: Any, make_source: Any, pull: Any) -> None:
    request = asked(api, make_source, pull, {})
    assert (request.method, request["body"], request.headers.get("content-type")) == ("GET", b"", None)


def test_a_post_sends_json_with_settings_filled_in_at_any_depth(api: Any, make_source: Any, pull: Any) -> None:
    body = {"jsonrpc": "2.0", "params": {"args": ["db", 2, "${token}", [], {"limit": 5, "active": True, "none": None}]}}
    request = asked(api, make_source, pull, {"post": "/rpc", "body": {"json": body}})
    assert (request.method, request.url.path, request.headers["content-type"]) == ("POST", "/rpc", "application/json")
    args = ["db", 2, HIDDEN, [], {"limit": 5, "active": True, "none": None}]
    assert json.loads(request["body"]) == {"jsonrpc": "2.0", "params": {"args": args}}


def test_a_post_sends_a_form(api: Any, make_source: Any, pull: Any) -> None:
    form = {"method": "list", "key": "${token}", "flag": True, "none": None, "filter[a]": "x&y"}
    request = asked(api, make_source, pull, {"post": "/api", "body": {"form": form}})
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    said = [("method", "list"), ("key", HIDDEN), ("flag", "true"), ("filter[a]", "x&y")]
    assert parse_qsl(request["body"].decode()) == said


def test_a_post_may_have_no_body_and_its_own_content_type(api: Any, make_source: Any, pull: Any) -> None:
    assert asked(api, make_source, pull, {"post": "/search"})["body"] == b""
    api.reset()
    stream = {"post": "/search", "body": {"json": {}}, "headers": {"content-type": "application/vnd.api+json"}}
    assert asked(api, make_source, pull, stream).headers.getlist("content-type") == ["application/vnd.api+json"]


QUERIES = [
    pytest.param(
        {"filter[updated][gte]": "{since}"}, [("filter[updated][gte]", "2026-03-01T12:00:00Z")], id="brackets"
    ),
    pytest.param({"@page_size": 5, "$top": 5}, [("@page_size", "5"), ("$top", "5")], id="signs"),
    pytest.param(
        {"q": "at >= {since} and x = '${token}'"}, [("q", f"at >= 2026-03-01T12:00:00Z and x = '{HIDDEN}'")], id="query"
    ),
    pytest.param({"status[]": ["a", "b"], "none": []}, [("status[]", "a"), ("status[]", "b")], id="several-of-a-name"),
]


@pytest.mark.parametrize(("params", "said"), QUERIES)
def test_parameters_arrive_as_the_mapping_writes_them(
    api: Any, make_source: Any, pull: Any, params: Any, said: Any
) -> None:
    source = make_source({"params": params, "since": {"field": "at"}, "pages": None})
    api.handler = lambda request: NOTHING
    pull(source, MARK)
    assert parse_qsl(api.requests[0].url.query) == said


def test_a_path_may_hold_a_query(api: Any, make_source: Any, pull: Any) -> None:
    request = asked(api, make_source, pull, {"get": "/things?status[]=a&status[]=b", "params": {"x": 1}})
    assert parse_qsl(request.url.query) == [("status[]", "a"), ("status[]", "b"), ("x", "1")]


def test_a_stream_may_have_a_base_url_of_its_own(api: Any, foreign: Any, make_source: Any, pull: Any) -> None:
    foreign.handler = lambda r: Response('{"data": [], "next": null}')
    pull(make_source({"base_url": f"{foreign.base_url}/v2/", "get": "things"}))
    assert [request.url.path for request in foreign.requests] == ["/v2/things"]
    assert api.requests == []


def test_the_next_page_of_a_stream_with_its_own_base_url_is_asked_there(
    api: Any, foreign: Any, make_source: Any, pull: Any
) -> None:
    foreign.handler = lambda r: Response(json.dumps({"data": [], "next": None if r.url.query else "?page=2"}))
    pages = pull(make_source({"base_url": f"{foreign.base_url}/v2", "get": "/things", "pages": {"next": "next"}}))
    assert [str(request.url) for request in foreign.requests] == [
        f"{foreign.base_url}/v2/things{q}" for q in ("", "?page=2")
    ]
    assert len(pages) == 2
    assert api.requests == []


def test_a_list_may_go_on_at_a_listed_host_which_learns_no_credential(
    api: Any, foreign: Any, make_source: Any, pull: Any
) -> None:
    """The second page is on the other host, the third is named there by a relative URL."""
    away = f"{foreign.base_url}/files?page=2"
    api.handler = lambda r: Response(json.dumps({"data": [{"id": 1}], "next": away}))
    foreign.handler = lambda r: Response(
        json.dumps({"data": [{"id": 2}], "next": "/files?page=3" if r.query_params["page"] == "2" else None})
    )
    http = {"hosts": [foreign.base_url.removeprefix("http://")], "params": {"key": "${token}"}}
    source = make_source({"pages": {"next": "next"}, "headers": {"X-Key": "${token}"}}, http)
    came = pull(source)
    assert foreign.asked("page") == ["2", "3"]
    assert [page.cursor.get("at") for page in came] == [{"next": away}, {"next": away[:-1] + "3"}, None]
    assert len(pull(source, came[1].cursor)) == 1
    told = "".join(f"{request.url}{request.headers}" for request in foreign.requests)
    assert (HIDDEN in told, len(foreign.requests), len(api.requests)) == (False, 3, 1)


PLACES = [
    pytest.param("from", lambda r: r.query_params.get("from"), id="parameter"),
    pytest.param("header.X-Since", lambda r: r.headers.get("x-since"), id="header"),
    pytest.param("body.filter.from", lambda r: json.loads(r["body"])["filter"].get("from"), id="member"),
    pytest.param("body.args.1.from", lambda r: json.loads(r["body"])["args"][1].get("from"), id="member-of-an-item"),
]


@pytest.mark.parametrize(("place", "found"), PLACES)
def test_the_mark_goes_to_its_place(api: Any, make_source: Any, pull: Any, place: str, found: Any) -> None:
    stream = {"post": "/search", "body": {"json": {"filter": {"x": 1}, "args": [0, {}]}}}
    stream["since"] = {"param": place, "field": "at"}
    assert found(asked(api, make_source, pull, stream, MARK)) == "2026-03-01T12:00:00Z"
    api.reset()
    assert found(asked(api, make_source, pull, stream)) is None


def test_an_epoch_is_a_number_in_a_body_and_text_elsewhere(api: Any, make_source: Any, pull: Any) -> None:
    stream = {"post": "/s", "body": {"json": {"at": "{since}", "text": "at > {since}"}}, "headers": {"X-At": "{since}"}}
    stream["since"] = {"field": "at", "as": "epoch_s", "param": "at"}
    request = asked(api, make_source, pull, stream, MARK)
    assert json.loads(request["body"]) == {"at": 1772366400, "text": "at > 1772366400"}
    assert (request.headers["x-at"], request.query_params["at"]) == ("1772366400", "1772366400")


BODIES = [
    pytest.param({"a": 1, "from": "{since}"}, {"a": 1}, id="a-member"),
    pytest.param({"filter": {"from": "{since}"}}, {"filter": {}}, id="a-member-of-a-member"),
    pytest.param([["x", "=", 1], ["at", ">", "{since}"]], [["x", "=", 1]], id="a-condition-as-a-list"),
    pytest.param(
        {"and": [{"f": "x"}, {"f": "at", "v": "{since}"}]}, {"and": [{"f": "x"}]}, id="a-condition-as-an-object"
    ),
    pytest.param({"must": [{"range": {"at": {"gte": "{since}"}}}]}, {"must": []}, id="a-condition-with-depth"),
    pytest.param(
        {"args": [1, {"domain": [["at", ">", "{since}"]], "limit": 5}]},
        {"args": [1, {"domain": [], "limit": 5}]},
        id="a-list-within",
    ),
    pytest.param({"query": "select x where at > '{since}'"}, {}, id="a-query-whole"),
]


@pytest.mark.parametrize(("body", "first"), BODIES)
def test_what_has_no_value_yet_is_left_out_with_all_that_belongs_to_it(
    api: Any, make_source: Any, pull: Any, body: Any, first: Any
) -> None:
    stream = {"post": "/search", "body": {"json": body}, "since": {"field": "at", "param": "x"}}
    assert json.loads(asked(api, make_source, pull, stream)["body"]) == first
    api.reset()
    whole = json.loads(json.dumps(body).replace("{since}", "2026-03-01T12:00:00Z"))
    assert json.loads(asked(api, make_source, pull, stream, MARK)["body"]) == whole


WRONG = [
    pytest.param({"pages": {"page": "body.args.7"}}, r"`body\.args\.7` leads nowhere in the body", id="no-such-item"),
    pytest.param({"pages": {"page": "body.text.x"}}, r"`body\.text\.x` leads nowhere", id="a-text-has-no-members"),
    pytest.param({"get": "/things", "pages": {"page": "body.page"}}, r"`body\.page` leads nowhere", id="no-body"),
    pytest.param(
        {"headers": {"X": "{since}"}, "since": {"field": "a", "param": "x", "as": "%d ü"}},
        "header X holds what",
        id="header",
    ),
]


@pytest.mark.parametrize(("said", "says"), WRONG)
def test_a_place_that_is_none_is_named_before_anything_is_asked(
    api: Any, make_source: Any, pull: Any, said: Any, says: str
) -> None:
    stream = {"post": "/s", "body": {"json": {"args": [], "text": "x"}}, **said}
    if "get" in said:
        stream = said
    with pytest.raises(Rejected, match=rf"shop\.things: {says}"):
        pull(make_source(stream), MARK)
    assert api.requests == []


def secret_pages(request: Request) -> Response:
    """Names the next page with the credentials in it, as systems do that repeat what they were asked."""
    following = f"/bot{HIDDEN}/things?page=2&key={HIDDEN}&x=a%2Cb"
    return Response(json.dumps({"data": [{"id": 1}], "next": None if "page" in request.query_params else following}))


def test_a_secret_in_the_path_of_a_next_page_is_not_kept_and_is_asked_again(
    api: Any, make_source: Any, pull: Any
) -> None:
    api.handler = secret_pages
    source = make_source({"get": "/bot${token}/things", "pages": {"next": "next"}, "params": {"key": "${token}"}})
    came = pull(source)
    assert HIDDEN not in json.dumps([page.cursor for page in came])
    assert [request.url.path for request in api.requests] == [f"/bot{HIDDEN}/things"] * 2
    assert (api.asked("key"), api.asked("x")) == ([HIDDEN] * 2, [None, "a,b"])
    api.reset()
    assert len(pull(source, came[0].cursor)) == 1
    assert str(api.requests[0].url).endswith(f"/bot{HIDDEN}/things?page=2&x=a%2Cb&key={HIDDEN}")
