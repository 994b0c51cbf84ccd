"""Every way of paging against a real server: all records once, the right end, and the rest from every cursor."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from connectors.asking.paginate import Watch
from connectors.errors import BadAnswer, NotFound, Refused
from connectors.pull import Page

ALL = [{"id": f"r{number:02}"} for number in range(25)]
Handler = Callable[[Request], Response]


def listing(part: list[dict[str, str]], **beside: Any) -> Response:
    return Response(json.dumps({"data": part, **beside}), media_type="application/json")


def start_after(records: list[dict[str, str]], last: str | None) -> int:
    return next((at + 1 for at, record in enumerate(records) if record["id"] == last), 0)


def by_number(size: int, first: int = 1, *, past: int = 200, flag: str | None = None) -> Handler:
    """Pages by number, `size` each whatever is asked; past the end an empty list or a 404."""

    def handle(request: Request) -> Response:
        at = (int(request.query_params["page"]) - first) * size
        if at >= len(ALL) and past == 404:
            return Response("{}", 404)
        flags = {} if flag is None else {"more": at + size < len(ALL), "done": at + size >= len(ALL)}
        return listing(ALL[at : at + size], **flags)

    return handle


def by_number_with_totals(size: int, first: int = 1) -> Handler:
    """Pages by number with totals beside them; a page past the end is an error."""

    def handle(request: Request) -> Response:
        at = (int(request.query_params["page"]) - first) * size
        if at >= len(ALL):
            return Response("{}", 400)
        return listing(ALL[at : at + size], meta={"pages": -(-len(ALL) // size), "count": str(len(ALL))})

    return handle


def by_offset(size: int) -> Handler:
    def handle(request: Request) -> Response:
        at = int(request.query_params["skip"])
        return listing(ALL[at : at + size], count=len(ALL), pages="many", none=None)

    return handle


def by_cursor(size: int, *, flag: bool = False) -> Handler:
    def handle(request: Request) -> Response:
        at = int(request.query_params.get("after", "0").removeprefix("c"))
        left = at + size < len(ALL)
        paging = {"next": {"after": f"c{at + size}"}} if left else None
        return listing(ALL[at : at + size], paging=paging, **({"more": left} if flag else {}))

    return handle


def by_last_id(size: int, *, flag: bool) -> Handler:
    def handle(request: Request) -> Response:
        at = start_after(ALL, request.query_params.get("starting_after"))
        return listing(ALL[at : at + size], **({"has_more": at + size < len(ALL)} if flag else {}))

    return handle


def by_next(size: int, url: Callable[[Request, int], str]) -> Handler:
    def handle(request: Request) -> Response:
        at = int(request.query_params.get("from", "0"))
        left = at + size < len(ALL)
        return listing(ALL[at : at + size], links={"next": url(request, at + size) if left else None})

    return handle


def absolute(request: Request, at: int) -> str:
    return f"{request.base_url}things?from={at}&keep=a%2Fb"


WAYS = [
    pytest.param({"page": "page", "size": {"n": 10}}, by_number(10), 3, id="number-ends-on-short-page"),
    pytest.param({"page": "page", "size": {"n": 5}}, by_number(5), 6, id="number-ends-on-empty-page"),
    pytest.param({"page": "page", "size": {"n": 100}}, by_number(10), 3, id="number-capped-silently"),
    pytest.param({"page": "page", "size": {"n": 5}}, by_number(5, past=404), 6, id="number-ends-with-404"),
    pytest.param({"page": "page", "start": 0, "size": {"n": 10}}, by_number(10, 0), 3, id="number-from-0"),
    pytest.param({"page": "page", "while": "more"}, by_number(5, flag="more"), 5, id="number-while"),
    pytest.param({"page": "page", "until": "done"}, by_number(5, flag="done"), 5, id="number-until"),
    pytest.param({"page": "page", "total_pages": "meta.pages"}, by_number_with_totals(5), 5, id="number-total-pages"),
    pytest.param(
        {"page": "page", "start": 0, "total_pages": "meta.pages"},
        by_number_with_totals(5, 0),
        5,
        id="number-from-0-total-pages",
    ),
    pytest.param({"page": "page", "total": "meta.count"}, by_number_with_totals(5), 5, id="number-total"),
    pytest.param(
        {"page": "page", "total": "meta.count", "size": {"n": 100}},
        by_number_with_totals(5),
        5,
        id="number-total-capped",
    ),
    pytest.param({"offset": "skip", "total": "count"}, by_offset(5), 5, id="offset-total"),
    pytest.param({"offset": "skip", "total": "none"}, by_offset(5), 6, id="offset-total-unknown"),
    pytest.param({"offset": "skip", "size": {"n": 10}}, by_offset(10), 3, id="offset"),
    pytest.param({"offset": "skip", "size": {"n": 100}}, by_offset(7), 4, id="offset-capped-silently"),
    pytest.param({"offset": "skip"}, by_offset(5), 6, id="offset-ends-on-empty-page"),
    pytest.param({"cursor": "after", "value": "paging.next.after"}, by_cursor(10), 3, id="cursor"),
    pytest.param(
        {"cursor": "after", "value": "paging.next.after", "while": "more"},
        by_cursor(5, flag=True),
        5,
        id="cursor-while",
    ),
    pytest.param(
        {"after": "starting_after", "value": "last.id", "while": "has_more"},
        by_last_id(10, flag=True),
        3,
        id="last-id-while",
    ),
    pytest.param({"after": "starting_after", "value": "last.id"}, by_last_id(10, flag=False), 3, id="last-id-short"),
    pytest.param({"after": "starting_after", "value": "last.id"}, by_last_id(5, flag=False), 6, id="last-id-empty"),
    pytest.param({"next": "links.next"}, by_next(10, absolute), 3, id="next-absolute"),
    pytest.param({"next": "links.next"}, by_next(10, lambda _, at: f"/things?from={at}"), 3, id="next-relative-path"),
    pytest.param({"next": "links.next"}, by_next(10, lambda _, at: f"?from={at}"), 3, id="next-relative-query"),
    pytest.param(None, lambda request: listing(ALL), 1, id="one-page"),
]


def keys(pages: list[Page]) -> list[str | None]:
    return [record.key for page in pages for record in page.records]


@pytest.mark.parametrize(("pages", "handler", "requests"), WAYS)
def test_each_record_comes_once_with_no_request_too_many(
    api: Any, make_source: Any, pull: Any, pages: Any, handler: Handler, requests: int
) -> None:
    api.handler = handler
    came = pull(make_source({"pages": pages}))
    assert keys(came) == [record["id"] for record in ALL]
    assert [page.last for page in came] == [False] * (len(came) - 1) + [True]
    assert len(api.requests) == requests


@pytest.mark.parametrize(("pages", "handler", "requests"), WAYS)
def test_the_cursor_of_every_page_leads_to_exactly_the_rest(
    api: Any, make_source: Any, pull: Any, pages: Any, handler: Handler, requests: int
) -> None:
    api.handler = handler
    source = make_source({"pages": pages})
    came = pull(source)
    for done in range(1, len(came)):
        kept = json.loads(json.dumps(came[done - 1].cursor))
        assert keys(came[:done]) + keys(pull(source, kept)) == [record["id"] for record in ALL]


def test_the_cursor_of_the_last_page_starts_anew_where_nothing_tells_changes(
    api: Any, make_source: Any, pull: Any
) -> None:
    api.handler = by_number(10)
    source = make_source({"pages": {"page": "page"}})
    end = pull(source)[-1].cursor
    assert keys(pull(source, end)) == [record["id"] for record in ALL]


def test_a_total_that_is_no_number_is_named(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = by_offset(5)
    with pytest.raises(BadAnswer, match=r"`pages` holds no count; check `pages` in the mapping"):
        pull(make_source({"pages": {"offset": "skip", "total": "pages"}}))


def test_a_stream_may_say_that_it_has_no_pages(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: listing(ALL)
    came = pull(make_source({"pages": None}, {"pages": {"page": "page"}}))
    assert len(came) == len(api.requests) == 1


def test_size_and_parameters_are_asked_for_on_each_page(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = by_number(10)
    stream = {"params": {"archived": False, "none": None, "q": "a b&c"}, "pages": {"page": "page", "size": {"n": 10}}}
    pull(make_source(stream, {"params": {"q": "other", "lang": "de"}}))
    assert api.asked("page") == ["1", "2", "3"]
    for name, value in (("n", "10"), ("archived", "false"), ("none", None), ("q", "a b&c"), ("lang", "de")):
        assert api.asked(name) == [value] * 3


STUCK = [
    pytest.param({"page": "page"}, lambda r: listing(ALL), "does not move on", id="number-ignored-by-the-system"),
    pytest.param({"offset": "skip"}, lambda r: listing(ALL), "does not move on", id="offset-ignored-by-the-system"),
    pytest.param(
        {"cursor": "after", "value": "next"}, lambda r: listing(ALL, next="x"), "does not move on", id="same-cursor"
    ),
    pytest.param(
        {"cursor": "after", "value": "next"},
        lambda r: listing(ALL, next={"a": "b", "b": "c", "c": "a"}[r.query_params.get("after", "a")]),
        "does not move on",
        id="cursors-in-a-circle",
    ),
    pytest.param(
        {"cursor": "after", "value": "next", "while": "more"},
        lambda r: listing(ALL, more=True),
        "no cursor leads to them",
        id="more-without-cursor",
    ),
    pytest.param(
        {"after": "starting_after", "value": "last.id", "while": "has_more"},
        lambda r: listing(ALL[:5], has_more=True),
        "does not move on",
        id="last-id-ignored-by-the-system",
    ),
    pytest.param(
        {"after": "starting_after", "value": "last.number"},
        lambda r: listing(ALL),
        "last record has no id",
        id="last-record-without-the-id",
    ),
    pytest.param(
        {"next": "next"}, lambda r: listing(ALL, next="/things"), "does not move on", id="next-is-the-same-page"
    ),
    pytest.param({"next": "next"}, lambda r: listing(ALL, next=7), "is no text", id="next-is-no-url"),
]


@pytest.mark.parametrize(("pages", "handler", "says"), STUCK)
def test_a_list_that_does_not_move_on_is_an_error_and_no_endless_loop(
    api: Any, make_source: Any, pull: Any, pages: Any, handler: Handler, says: str
) -> None:
    api.handler = handler
    with pytest.raises(BadAnswer, match=says):
        pull(make_source({"pages": pages}))
    assert len(api.requests) < 10


def test_a_404_on_the_first_page_is_not_the_end(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: Response("{}", 404)
    with pytest.raises(NotFound, match=r"shop\.things: 404 from http://127\.0\.0\.1:\d+/things"):
        pull(make_source({"pages": {"page": "page"}}))


NEXT_ELSEWHERE = [
    pytest.param(lambda url: f"{url}/things", id="other-port"),
    pytest.param(lambda url: url.replace("http:", "") + "/things", id="other-host-without-scheme"),
    pytest.param(lambda url: "https" + url.removeprefix("http") + "/things", id="other-scheme"),
    pytest.param(lambda url: url.replace("://", "://user:pass@") + "/things", id="with-a-login"),
]


@pytest.mark.parametrize("elsewhere", NEXT_ELSEWHERE)
def test_a_next_page_on_another_host_is_refused_and_not_asked(
    api: Any, foreign: Any, make_source: Any, pull: Any, elsewhere: Callable[[str], str]
) -> None:
    api.handler = lambda request: listing(ALL, next=elsewhere(foreign.base_url))
    with pytest.raises(Refused, match="leads to"):
        pull(make_source({"pages": {"next": "next"}}))
    assert foreign.requests == []


def test_a_next_page_named_on_the_last_page_does_not_matter(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: listing(ALL, more=False, next="https://elsewhere.example/things")
    came = pull(make_source({"pages": {"next": "next", "while": "more"}}))
    assert (keys(came), came[-1].cursor) == ([record["id"] for record in ALL], {})


def test_a_next_path_that_looks_like_a_host_stays_on_the_own_host(
    api: Any, foreign: Any, make_source: Any, pull: Any
) -> None:
    host = foreign.base_url.removeprefix("http:")
    api.handler = lambda r: listing(ALL, next=f"{api.base_url}{host}/x" if r.url.path == "/things" else None)
    pull(make_source({"pages": {"next": "next"}}))
    assert foreign.requests == []
    assert [request.url.path for request in api.requests] == ["/things", f"{host}/x"]


def test_a_position_of_another_way_of_paging_starts_anew(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = by_offset(10)
    came = pull(make_source({"pages": {"offset": "skip"}}), {"at": {"cursor": "c10"}})
    assert keys(came) == [record["id"] for record in ALL]


@pytest.mark.parametrize("circle", [1, 2, 3, 7, 50])
def test_a_circle_is_noticed_whatever_its_length(circle: int) -> None:
    watch = Watch(None)
    signs = [*range(100, 120), *[at % circle for at in range(10 * circle + 200)]]
    assert not all(watch.moved(sign) for sign in signs)


def test_a_list_without_a_circle_is_never_taken_for_one() -> None:
    watch = Watch(None)
    assert all(watch.moved(sign) for sign in range(10_000))
