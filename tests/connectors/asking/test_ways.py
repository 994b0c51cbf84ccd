"""Pages by bodies, headers, by Link header and keyset; their ends, capped sizes, lists at a standstill."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from starlette.requests import Request
from starlette.responses import Response

from connectors.answers.answer import Slice
from connectors.asking.paginate import Repeats
from connectors.errors import BadAnswer, NotFound, Rejected
from connectors.pull import Page, Record

ALL = [{"id": number, "at": number // 3} for number in range(25)]
KEYS = [str(record["id"]) for record in ALL]
Handler = Callable[[Request], Response]


def listing(part: list[dict[str, int]], headers: dict[str, str] | None = None, **beside: Any) -> Response:
    return Response(json.dumps({"data": part, **beside}), headers=headers, media_type="application/json")


def keys(pages: list[Page]) -> list[str | None]:
    return [record.key for page in pages for record in page.records]


def body_of(request: Request) -> Any:
    return json.loads(request["body"])


def rpc_offset(request: Request) -> Response:
    """search_read of a JSON-RPC server: offset and limit are members of an item of a list."""
    said = body_of(request)["params"]["args"][1]
    return listing(ALL[said["offset"] : said["offset"] + said["limit"]])


def search(request: Request) -> Response:
    """A search that is paged in the body by a cursor."""
    at = int(body_of(request)["pagination"].get("starting_after", "c0").removeprefix("c"))
    size = body_of(request)["pagination"]["per_page"]
    left = at + size < len(ALL)
    return listing(ALL[at : at + size], pages={"next": {"starting_after": f"c{at + size}"} if left else None})


def graphql(request: Request) -> Response:
    at = int(body_of(request)["variables"].get("after") or 0)
    return listing(ALL[at : at + 10], info={"end": str(at + 10), "more": at + 10 < len(ALL)})


def form_pages(request: Request) -> Response:
    page = int(parse_qs(request["body"].decode())["paging[page]"][0])
    return listing(ALL[page * 10 : page * 10 + 10])


def header_cursor(request: Request) -> Response:
    at = int(request.headers.get("X-Cursor", "0"))
    left = at + 10 < len(ALL)
    return listing(ALL[at : at + 10], {"X-Next": str(at + 10)} if left else {})


def links(request: Request) -> Response:
    page = int(request.query_params.get("page", "1"))
    named = {"first": 1, "next": page + 1 if page < 3 else 0, "last": 3}
    said = ", ".join(f'<{request.base_url}things?x=a,b&page={n}>; rel="{rel}"' for rel, n in named.items() if n)
    return listing(ALL[page * 10 - 10 : page * 10], {"Link": said})


def next_header(request: Request) -> Response:
    at = int(request.query_params.get("offset", "0"))
    return listing(ALL[at : at + 10], {"X-Next-Uri": f"/things?offset={at + 10}"} if at + 10 < len(ALL) else {})


def posted_next(request: Request) -> Response:
    assert body_of(request) == {"query": "all"}
    at = int(request.query_params.get("at", "0"))
    return listing(ALL[at : at + 10], next=f"?at={at + 10}" if at + 10 < len(ALL) else None)


def keyset(size: int) -> Handler:
    """Sorted by (at, id): what comes after the last of both."""

    def handle(request: Request) -> Response:
        asked = request.query_params
        after = (int(asked.get("after_at", "-1")), int(asked.get("after_id", "-1")))
        return listing([record for record in ALL if (record["at"], record["id"]) > after][:size])

    return handle


def query_keyset(request: Request) -> Response:
    """A query language: the condition stands in a text."""
    said = request.query_params.get("q", "id > -1")
    return listing([record for record in ALL if record["id"] > int(said.removeprefix("id > "))][:10])


def from_one(request: Request) -> Response:
    at = int(request.query_params["row"]) - 1
    return listing(ALL[at : at + 10])


RPC = {"post": "/jsonrpc", "body": {"json": {"params": {"args": ["search_read", {"fields": ["id"]}]}}}}
WAYS = [
    pytest.param(
        {**RPC, "pages": {"offset": "body.params.args.1.offset", "size": {"body.params.args.1.limit": 10}}},
        rpc_offset,
        3,
        id="offset-in-a-body",
    ),
    pytest.param(
        {
            "post": "/search",
            "body": {"json": {"query": {}}},
            "pages": {
                "cursor": "body.pagination.starting_after",
                "value": "pages.next.starting_after",
                "size": {"body.pagination.per_page": 10},
            },
        },
        search,
        3,
        id="cursor-in-a-body",
    ),
    pytest.param(
        {
            "post": "/graphql",
            "body": {"json": {"query": "{x}", "variables": {}}},
            "pages": {"cursor": "body.variables.after", "value": "info.end", "while": "info.more"},
        },
        graphql,
        3,
        id="graphql",
    ),
    pytest.param(
        {"post": "/form", "body": {"form": {"method": "list"}}, "pages": {"page": "body.paging[page]", "start": 0}},
        form_pages,
        3,
        id="number-in-a-form-from-0",
    ),
    pytest.param(
        {"pages": {"cursor": "header.X-Cursor", "value": "header.X-Next"}}, header_cursor, 3, id="cursor-in-headers"
    ),
    pytest.param({"pages": {"link": "next"}}, links, 3, id="link-header"),
    pytest.param({"pages": {"next": "header.X-Next-Uri"}}, next_header, 3, id="next-in-a-header"),
    pytest.param(
        {"post": "/things", "body": {"json": {"query": "all"}}, "pages": {"next": "next"}},
        posted_next,
        3,
        id="next-of-a-post",
    ),
    pytest.param(
        {"pages": {"keyset": ["at", "id"], "then": {"after_at": "{last.at}", "after_id": "{last.id}"}}},
        keyset(10),
        3,
        id="keyset-of-two",
    ),
    pytest.param(
        {"pages": {"keyset": ["at", "id"], "then": {"after_at": "{last.at}", "after_id": "{last.id}"}}},
        keyset(5),
        6,
        id="keyset-empty",
    ),
    pytest.param(
        {"pages": {"keyset": ["id"], "then": {"q": "id > {last.id}"}}}, query_keyset, 3, id="keyset-in-a-text"
    ),
    pytest.param({"pages": {"offset": "row", "start": 1}}, from_one, 3, id="offset-from-1"),
]


@pytest.mark.parametrize(("stream", "handler", "requests"), WAYS)
def test_each_record_comes_once_and_each_cursor_leads_to_the_rest(
    api: Any, make_source: Any, pull: Any, stream: Any, handler: Handler, requests: int
) -> None:
    api.handler = handler
    source = make_source(stream)
    came = pull(source)
    assert (keys(came), len(api.requests)) == (KEYS, requests)
    for done in range(1, len(came)):
        kept = json.loads(json.dumps(came[done - 1].cursor))
        assert keys(came[:done]) + keys(pull(source, kept)) == KEYS


def test_the_place_of_a_page_goes_over_what_the_body_says(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = rpc_offset
    pages = {"offset": "body.params.args.1.offset", "size": {"body.params.args.1.limit": 10}}
    pull(make_source({**RPC, "pages": pages}))
    assert [body["params"]["args"][1] for body in api.sent()] == [
        {"fields": ["id"], "limit": 10, "offset": offset} for offset in (0, 10, 20)
    ]


def past(status: int) -> Handler:
    def handle(request: Request) -> Response:
        page = int(request.query_params["page"])
        return listing(ALL[page * 5 - 5 : page * 5]) if page <= 5 else Response("{}", status)

    return handle


@pytest.mark.parametrize("status", [400, 404, 422])
def test_statuses_that_the_mapping_names_are_the_end(api: Any, make_source: Any, pull: Any, status: int) -> None:
    api.handler = past(status)
    came = pull(make_source({"pages": {"page": "page", "ends_with": [status]}}))
    assert (keys(came), came[-1].last, len(api.requests)) == (KEYS, True, 6)


def test_a_status_that_the_mapping_does_not_name_is_an_error(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = past(404)
    with pytest.raises(NotFound):
        pull(make_source({"pages": {"page": "page", "ends_with": [400]}}))


def test_an_error_body_may_mean_the_end(api: Any, make_source: Any, pull: Any) -> None:
    def handle(request: Request) -> Response:
        page = int(request.query_params["page"])
        return listing(ALL[page * 5 - 5 : page * 5]) if page <= 5 else Response('{"error": "no such page"}')

    api.handler = handle
    error = {"when": {"error": "no such page"}, "means": "end"}
    came = pull(make_source({"pages": {"page": "page"}, "error": error}))
    assert (keys(came), came[-1].last) == (KEYS, True)


def capped(most: int) -> Handler:
    def handle(request: Request) -> Response:
        at, size = int(request.query_params["skip"]), min(most, int(request.query_params["n"]))
        return listing(ALL[at : at + size])

    return handle


SIZES = [
    pytest.param(10, 7, "page size capped: asked 10, got 7", id="capped"),
    pytest.param(10, 10, None, id="as-asked"),
    pytest.param(30, 30, None, id="all-on-one-page"),
]


@pytest.mark.parametrize(("asked", "most", "note"), SIZES)
def test_a_page_size_that_is_silently_capped_is_said(
    api: Any, make_source: Any, pull: Any, asked: int, most: int, note: str | None
) -> None:
    api.handler = capped(most)
    notes: dict[str, str] = {}
    assert keys(pull(make_source({"pages": {"offset": "skip", "size": {"n": asked}}}), notes=notes)) == KEYS
    assert notes == ({"things": note} if note else {})


def test_a_list_that_is_read_from_the_last_record_on_says_nothing_of_page_sizes(
    api: Any, make_source: Any, pull: Any
) -> None:
    def from_the_last_on(request: Request) -> Response:
        least = int(request.query_params.get("from_id", "0"))
        return listing([record for record in ALL[:3] if record["id"] >= least])

    api.handler = from_the_last_on
    notes: dict[str, str] = {}
    pages = {"keyset": ["id"], "then": {"from_id": "{last.id}"}, "size": {"n": 10}}
    assert set(keys(pull(make_source({"pages": pages}), notes=notes))) == set(KEYS[:3])
    assert notes == {}


class Counter:
    """A server that gives a new cursor each time it is asked, whatever comes with it."""

    def __init__(self, part: list[dict[str, int]]) -> None:
        self.part, self.asked = part, 0

    def __call__(self, request: Request) -> Response:
        self.asked += 1
        return listing(self.part, next=f"c{self.asked}", more=True)


def test_new_cursors_that_bring_the_same_records_are_an_error(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = Counter(ALL[:5])
    with pytest.raises(BadAnswer, match=r"shop\.things: the list does not move on.*; check `pages` in the mapping"):
        pull(make_source({"pages": {"cursor": "after", "value": "next", "while": "more"}}))
    assert len(api.requests) == 3


def test_empty_pages_are_gone_through_but_not_for_ever() -> None:
    repeats = Repeats()
    assert sum(repeats.new(Slice([], [])) for _ in range(2_000)) == 999
    assert repeats.new(Slice([Record("1", b"{}")], []))


def with_a_gap(request: Request) -> Response:
    """Pages of ten of which the second is empty: what was on it is filtered out after paging."""
    page = int(request.query_params.get("page") or request.query_params.get("after", "c1").removeprefix("c"))
    part = [] if page == 2 else ALL[page * 10 - 10 : page * 10]
    return listing(part, more=page < 3, pages=3, next=f"c{page + 1}" if page < 3 else None)


GAPS = [
    pytest.param({"cursor": "after", "value": "next"}, id="cursor"),
    pytest.param({"cursor": "after", "value": "next", "while": "more"}, id="cursor-while"),
    pytest.param({"page": "page", "while": "more"}, id="number-while"),
    pytest.param({"page": "page", "total_pages": "pages"}, id="number-total-pages"),
]


@pytest.mark.parametrize("pages", GAPS)
def test_an_empty_page_ends_no_list_that_says_how_it_goes_on(api: Any, make_source: Any, pull: Any, pages: Any) -> None:
    api.handler = with_a_gap
    source, rest = make_source({"pages": pages}), [*KEYS[:10], *KEYS[20:]]
    came = pull(source)
    assert keys(came) == rest
    for done in (1, 2):
        assert keys(came[:done]) + keys(pull(source, json.loads(json.dumps(came[done - 1].cursor)))) == rest


SCROLLS = [
    pytest.param(lambda page: "c-same", 2, id="the-same-cursor"),
    pytest.param(lambda page: f"c{page + 1}", 11, id="ever-new-cursors"),
]


@pytest.mark.parametrize(("cursor", "requests"), SCROLLS)
def test_a_scroll_that_always_gives_a_cursor_ends_with_empty_pages(
    api: Any, make_source: Any, pull: Any, cursor: Callable[[int], str], requests: int
) -> None:
    api.handler = lambda request: listing(ALL if len(api.requests) == 1 else [], next=cursor(len(api.requests)))
    assert keys(pull(make_source({"pages": {"cursor": "after", "value": "next"}}))) == KEYS
    assert len(api.requests) == requests


STUCK = [
    pytest.param(
        {"keyset": ["id"], "then": {"x": "{last.id}"}},
        lambda r: listing(ALL[:5]),
        "does not move on",
        id="keyset-ignored",
    ),
    pytest.param(
        {"keyset": ["none"], "then": {"x": "{last.none}"}},
        lambda r: listing(ALL),
        "last record has no `none`",
        id="keyset-without-value",
    ),
    pytest.param(
        {"link": "next"},
        lambda r: listing(ALL, {"Link": '</things>; rel="next"'}),
        "does not move on",
        id="link-to-itself",
    ),
    pytest.param(
        {"next": "header.X-Next"},
        lambda r: listing(ALL, {"X-Next": "/things"}),
        "does not move on",
        id="header-to-itself",
    ),
]


@pytest.mark.parametrize(("pages", "handler", "says"), STUCK)
def test_a_list_that_does_not_move_on_is_an_error(
    api: Any, make_source: Any, pull: Any, pages: Any, handler: Handler, says: str
) -> None:
    api.handler = handler
    with pytest.raises(BadAnswer, match=says):
        pull(make_source({"pages": pages}))
    assert len(api.requests) < 10


def test_a_value_of_a_record_never_becomes_part_of_a_query(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: Response(json.dumps({"data": [{"id": "1 or 1=1"}]}))
    with pytest.raises(Rejected, match=r"\{last\.id\} is no plain word; write it between quotes"):
        pull(make_source({"pages": {"keyset": ["id"], "then": {"q": "id > {last.id}"}}}))
    assert len(api.requests) == 1
