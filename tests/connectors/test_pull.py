"""The public surface: what a consumer may rely on while it takes pages."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import aclosing
from http.client import HTTPConnection
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from connectors.errors import Rejected, Unauthorized, Unavailable
from connectors.pull import Connection
from mappings.loader import Settings, Source

NUMBERED = {"pages": {"page": "page", "while": "more"}}


def ten_pages(request: Request) -> Response:
    page = int(request.query_params["page"])
    return Response(json.dumps({"data": [{"id": page}], "more": page < 10}))


def failing_at(broken: int) -> Any:
    def handle(request: Request) -> Response:
        return Response("", 500) if request.query_params["page"] == str(broken) else ten_pages(request)

    return handle


def round_trip(api: Any) -> None:
    """One request of our own, as long as any other takes: time in which an eager fetch would run ahead."""
    own = HTTPConnection(api.base_url.removeprefix("http://"))
    own.request("GET", "/?page=1")
    own.getresponse().read()
    own.close()


def test_at_most_one_page_is_fetched_ahead(api: Any, make_source: Any) -> None:
    api.handler = ten_pages

    async def slow_consumer() -> None:
        async with Connection(make_source(NUMBERED)) as connection:
            handled = 0
            async for _ in connection.pull("things"):
                handled += 1
                for _ in range(3):
                    await asyncio.to_thread(round_trip, api)
                assert connection.requests <= handled + 1
            assert handled == connection.requests == 10

    asyncio.run(slow_consumer())


def test_the_next_page_is_fetched_while_one_is_handled(api: Any, make_source: Any) -> None:
    second = threading.Event()

    def handle(request: Request) -> Response:
        if request.query_params["page"] == "2":
            second.set()
        return ten_pages(request)

    async def consume() -> bool:
        async with Connection(make_source(NUMBERED)) as connection, aclosing(connection.pull("things")) as walk:
            await anext(walk)
            return await asyncio.to_thread(second.wait, 5)

    api.handler = handle
    assert asyncio.run(consume())


@pytest.mark.parametrize("close", [True, False], ids=["closed", "dropped"])
def test_a_consumer_that_stops_leaves_nothing_running(api: Any, make_source: Any, close: bool) -> None:
    api.handler = ten_pages

    async def consume() -> set[asyncio.Task[Any]]:
        async with Connection(make_source(NUMBERED)) as connection:
            walk = connection.pull("things")
            await anext(walk)
            if close:
                await walk.aclose()
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(consume()) == set()


def test_pages_before_a_failure_are_whole_and_the_next_run_asks_only_for_the_rest(api: Any, make_source: Any) -> None:
    source = make_source(NUMBERED)

    async def consume(cursor: Any) -> tuple[list[str | None], Any]:
        keys: list[str | None] = []
        async with Connection(source, attempts=1) as connection:
            try:
                async for page in connection.pull("things", cursor):
                    keys += [record.key for record in page.records]
                    cursor = page.cursor
            except Unavailable:
                return keys, cursor
        return keys, cursor

    api.handler = failing_at(7)
    keys, cursor = asyncio.run(consume(None))
    assert keys == [str(page) for page in range(1, 7)]
    api.handler = ten_pages
    api.reset()
    assert asyncio.run(consume(cursor))[0] == ["7", "8", "9", "10"]
    assert api.asked("page") == ["7", "8", "9", "10"]


def test_streams_run_side_by_side_over_one_connection(api: Any, make_source: Any) -> None:
    api.handler = ten_pages

    async def consume() -> tuple[list[int], int]:
        async def count(connection: Connection) -> int:
            return len([page async for page in connection.pull("things")])

        async with Connection(make_source(NUMBERED, {"concurrency": 2})) as connection:
            return await asyncio.gather(*(count(connection) for _ in range(4))), connection.requests

    assert asyncio.run(consume()) == ([10] * 4, 40)
    assert len({request.client for request in api.requests}) <= 2


def test_an_unknown_stream_names_those_there_are(make_source: Any) -> None:
    async def consume() -> None:
        async with Connection(make_source()) as connection:
            await anext(connection.pull("thing"))

    with pytest.raises(Rejected, match=r"shop\.thing: no such stream in the mapping; there is things"):
        asyncio.run(consume())


def test_a_missing_setting_names_its_variable(make_source: Any) -> None:
    whole: Source = make_source()
    with pytest.raises(Unauthorized, match="shop: a setting is missing; set SHOP_TOKEN"):
        Connection(Source("shop", whole.system, Settings({}), ("SHOP_TOKEN",)))


def test_headers_of_the_mapping_are_sent(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: Response('{"data": []}')
    pull(make_source({"headers": {"X-Version": "2"}}, {"headers": {"X-Version": "1", "X-Account": "${token}"}}))
    assert [api.requests[0].headers[name] for name in ("X-Version", "X-Account")] == ["2", "s3cret-t0ken"]


def test_a_header_that_cannot_be_sent_is_named_without_its_value(make_source: Any, pull: Any) -> None:
    source = make_source(http={"headers": {"X-Account": "${account}"}}, settings={"account": "häus\n"})
    with pytest.raises(
        Rejected, match=r"header X-Account holds what no request can carry; check .*SHOP_ACCOUNT"
    ) as caught:
        pull(source)
    assert "häus" not in str(caught.value)
