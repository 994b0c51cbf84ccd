"""Children: a request for each parent, several parents at once, each parent's pages in order."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from connectors.errors import ConnectorError, Rejected, Unavailable
from connectors.pull import Connection, Page

LINES = {
    "get": "/orders/{parent.id}/lines",
    "records": "data",
    "key": ["order", "n"],
    "parent": {"stream": "things", "keep": {"order": "id", "currency": "total.currency"}},
    "pages": {"page": "page", "while": "more"},
}
ORDERS = [
    (number, {"id": f"o{number}", "total": {"currency": "EUR"}, "open": number % 2 == 0}) for number in range(1, 13)
]


def lines(request: Request) -> Response:
    """Two lines a page, as many pages as the order's number says, three at most."""
    order, page = request.url.path.split("/")[2], int(request.query_params["page"])
    last = int(order.removeprefix("o")) % 3 + 1
    return Response(json.dumps({"data": [{"n": page * 2 - 1}, {"n": page * 2}], "more": page < last}))


@pytest.fixture
def children(make_source: Any) -> Any:
    """All pages of the children of these parents, and the error that ended them."""

    def run(
        parents: Any, stream: dict[str, Any] | None = None, http: Any = None, notes: dict[str, str] | None = None
    ) -> tuple[list[Page], ConnectorError | None]:
        source = make_source(http=http, others={"lines": {**LINES, **(stream or {})}})

        async def collect() -> tuple[list[Page], ConnectorError | None]:
            pages: list[Page] = []
            async with Connection(source, attempts=1) as connection:
                try:
                    async with aclosing(connection.pull_children("lines", parents)) as walk:
                        async for page in walk:
                            pages.append(page)
                except ConnectorError as error:
                    return pages, error
                finally:
                    if notes is not None:
                        notes.update(connection.notes)
            return pages, None

        return asyncio.run(collect())

    return run


def by_parent(pages: list[Page]) -> dict[int, list[Page]]:
    found: dict[int, list[Page]] = {}
    for page in pages:
        assert page.parent is not None
        found.setdefault(page.parent, []).append(page)
    return found


def test_each_parent_is_asked_and_its_pages_come_in_order(api: Any, children: Any) -> None:
    api.handler = lines
    pages, error = children(ORDERS)
    assert error is None
    found = by_parent(pages)
    assert set(found) == set(range(1, 13))
    for number, own in found.items():
        assert [page.last for page in own] == [False] * (number % 3) + [True]
        keys = [record.key for page in own for record in page.records]
        assert keys == [f"o{number}/{n}" for n in range(1, 2 * len(own) + 1)]
    assert {json.dumps(page.cursor) for page in pages} == {"{}"}


def test_what_is_kept_of_the_parent_stands_in_each_record(api: Any, children: Any) -> None:
    api.handler = lambda request: Response('{"data": [{"n": 1, "x": [1]}, {}, { }], "more": false}')
    (page,), _ = children([(7, {"id": 'a"ü', "total": {}})])
    kept = {"order": 'a"ü', "currency": None}
    assert [json.loads(record.payload) for record in page.records] == [{**kept, "n": 1, "x": [1]}, kept, kept]
    assert [record.key for record in page.records] == ['a"ü/1', None, None]


def test_a_parents_value_is_quoted_in_the_path(api: Any, children: Any) -> None:
    api.handler = lambda request: Response('{"data": [], "more": false}')
    children([(1, {"id": "a/b?c=1"})])
    assert api.requests[0].scope["raw_path"] == b"/orders/a%2Fb%3Fc%3D1/lines"


BODY = {"get": None, "post": "/lines", "body": {"json": {"order": "{parent.n}", "q": "order = '{parent.id}'"}}}


def test_a_parents_value_goes_into_parameters_headers_and_bodies(api: Any, children: Any) -> None:
    api.handler = lambda request: Response('{"data": [], "more": false}')
    more = {"params": {"order": "{parent.id}", "none": "{parent.none}"}, "headers": {"X-Order": "{parent.n}"}}
    children([(1, {"id": "it's", "n": 5})], {**BODY, **more})
    (request,) = api.requests
    assert json.loads(request["body"]) == {"order": 5, "q": r"order = 'it\'s'"}
    assert (request.query_params["order"], request.headers["x-order"]) == ("it's", "5")
    assert "none" not in request.query_params


WHENS = [
    pytest.param({"open": True}, {2, 4, 6, 8, 10, 12}, id="is"),
    pytest.param({"total.currency": {"not": "EUR"}}, set(), id="is-not"),
    pytest.param({"id": ["o1", "o2"]}, {1, 2}, id="is-among"),
    pytest.param({"id": {"same_as": "total.currency"}}, set(), id="is-the-same-as"),
]


@pytest.mark.parametrize(("when", "asked"), WHENS)
def test_a_parent_of_which_the_condition_does_not_hold_is_done_without_a_request(
    api: Any, children: Any, when: Any, asked: set[int]
) -> None:
    api.handler = lines
    pages, _ = children(ORDERS, {"parent": {**LINES["parent"], "when": when}})  # type: ignore[dict-item]
    found = by_parent(pages)
    assert {number for number, own in found.items() if own[0].records} == asked
    assert [number for number, own in found.items() if own[-1].last] == list(found)
    assert len(found) == 12
    assert {int(request.url.path.split("/")[2][1:]) for request in api.requests} == asked


def gone(request: Request) -> Response:
    return Response("{}", 404) if request.url.path.split("/")[2] in ("o2", "o5") else lines(request)


def test_a_parent_that_is_gone_has_no_children(api: Any, children: Any) -> None:
    api.handler = gone
    notes: dict[str, str] = {}
    pages, error = children(ORDERS, notes=notes)
    found = by_parent(pages)
    assert (error, [page.records for page in found[2] + found[5]]) == (None, [[], []])
    assert len(found) == 12
    assert notes == {"lines": "2 parents are not there any more (404)"}


def failing(status: int, *orders: str) -> Any:
    def handle(request: Request) -> Response:
        return Response("{}", status) if request.url.path.split("/")[2] in orders else lines(request)

    return handle


@pytest.mark.parametrize("status", [400, 403, 422])
def test_a_parent_that_fails_by_itself_keeps_no_other_from_being_asked(api: Any, children: Any, status: int) -> None:
    api.handler = failing(status, "o3")
    pages, error = children(ORDERS)
    assert str(error).startswith(f"shop.lines: {status} from ")
    assert {number for number, own in by_parent(pages).items() if own[-1].last} == set(range(1, 13)) - {3}


def test_a_system_that_is_down_ends_it_after_those_under_way(api: Any, children: Any) -> None:
    api.handler = failing(500, "o1")
    pages, error = children(((number, {"id": f"o{number}"}) for number in range(1, 1_000)), http={"concurrency": 3})
    assert isinstance(error, Unavailable)
    done = {number for number, own in by_parent(pages).items() if own[-1].last}
    assert 1 not in done
    assert 2 <= len(done) < 20


def test_a_fault_of_all_is_noticed_before_all_are_asked(api: Any, children: Any) -> None:
    api.handler = lambda request: Response("{}", 400)
    notes: dict[str, str] = {}
    _, error = children(((number, {"id": f"o{number}"}) for number in range(1, 1_000)), notes=notes)
    assert isinstance(error, Rejected)
    assert 20 <= len(api.requests) <= 24


def test_parents_are_under_way_side_by_side_and_bounded(api: Any, children: Any) -> None:
    """Each answer waits until as many requests as are allowed have come: one after the other would never end."""
    meeting = threading.Barrier(3, timeout=10)
    at_once: list[int] = []

    async def wait(request: Request) -> Response:
        at_once.append(meeting.n_waiting)
        await asyncio.to_thread(meeting.wait)
        return Response('{"data": [], "more": false}')

    class Meeting:
        def __init__(self, request: Request) -> None:
            self.request = request

        async def __call__(self, *args: Any) -> None:
            await (await wait(self.request))(*args)

    api.handler = Meeting
    pages, error = children(ORDERS, http={"concurrency": 3})
    assert (len(pages), error, max(at_once)) == (12, None, 2)


def test_parents_may_come_while_children_are_asked_and_errors_of_theirs_are_passed_on(
    api: Any, make_source: Any
) -> None:
    api.handler = lines
    source = make_source(others={"lines": LINES})

    async def parents() -> AsyncIterator[tuple[int, Any]]:
        for order in ORDERS[:3]:
            yield order
            await asyncio.sleep(0)
        raise RuntimeError("the store is gone")

    async def collect() -> None:
        async with Connection(source) as connection:
            async for page in connection.pull_children("lines", parents()):
                seen.append(page)

    seen: list[Page] = []
    with pytest.raises(RuntimeError, match="the store is gone"):
        asyncio.run(collect())
    assert {page.parent for page in seen if page.last} == {1, 2, 3}


def test_a_consumer_that_stops_leaves_nothing_running(api: Any, make_source: Any) -> None:
    api.handler = lines
    source = make_source(others={"lines": LINES})

    async def consume() -> set[asyncio.Task[Any]]:
        async with Connection(source) as connection:
            walk = connection.pull_children("lines", ORDERS)
            await anext(walk)
            await walk.aclose()
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(consume()) == set()


def test_each_stream_is_pulled_its_own_way(make_source: Any) -> None:
    source = make_source(others={"lines": LINES})

    async def wrong(connection: Connection, stream: str) -> None:
        walk = connection.pull_children(stream, []) if stream == "things" else connection.pull(stream)
        await anext(walk)

    async def both() -> Any:
        async with Connection(source) as connection:
            return await asyncio.gather(wrong(connection, "things"), wrong(connection, "lines"), return_exceptions=True)

    said = [str(error) for error in asyncio.run(both())]
    assert said == [
        "shop.things: a list of its own, not asked for parent by parent; check `parent`",
        "shop.lines: asked for parent by parent, not as a whole; pull its parents",
    ]
