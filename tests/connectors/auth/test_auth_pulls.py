"""Whole pulls with sessions that end on the way: opened anew once, every record once, no credential in a cursor."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from connectors.errors import ConnectorError, Unauthorized
from connectors.pull import Connection

LOGIN = {"post": "/login", "json": {"pass": "${token}"}, "token": "sid", "send": "header.X-Session"}
PAGES = 5


class Sessions:
    """Five pages of one record; each session `session-N` is good for so many pages, then refused as `refusal` says."""

    def __init__(self, api: Any, good_for: int, refusal: Response) -> None:
        self.opened, self.used, self.good_for, self.refusal = 0, 0, good_for, refusal
        self.closed: Response | None = None
        api.handler = self

    def __call__(self, request: Request) -> Response:
        if request.url.path == "/login" and self.opened and self.closed is not None:
            return self.closed
        if request.url.path == "/login":
            self.opened, self.used = self.opened + 1, 0
            return Response(json.dumps({"sid": f"session-{self.opened}"}))
        said = request.headers.get("x-session") or request.query_params.get("sid")
        if said != f"session-{self.opened}" or self.used == self.good_for:
            return self.refusal
        self.used += 1
        page = int(request.query_params.get("page", 1))
        following = f"/things?page={page + 1}&sid={said}" if page < PAGES else None
        return Response(json.dumps({"data": [{"id": page}], "next": following}))


ENDED = [
    pytest.param(Response('{"error": "log in"}', 401), id="401"),
    pytest.param(Response('{"error": "session expired"}'), id="an-error-with-status-200"),
]
ERROR = {"when": {"error": "session expired"}, "message": "error", "means": "unauthorized"}


@pytest.mark.parametrize("refusal", ENDED)
@pytest.mark.parametrize("send", ["header.X-Session", "sid"], ids=["in-a-header", "in-a-parameter"])
def test_a_session_that_ends_on_the_way_is_opened_anew_and_nothing_is_lost(
    api: Any, make_source: Any, pull: Any, refusal: Response, send: str
) -> None:
    sessions = Sessions(api, 3, refusal)
    http = {"auth": {"login": LOGIN | {"send": send}}, "error": ERROR}
    came = pull(make_source({"pages": {"next": "next"}}, http))
    assert [record.key for page in came for record in page.records] == ["1", "2", "3", "4", "5"]
    assert sessions.opened == 2
    assert "session" not in json.dumps([page.cursor for page in came])
    assert all(len(request.query_params.getlist("sid")) <= 1 for request in api.requests)


@pytest.mark.parametrize("refusal", ENDED)
def test_a_session_that_is_never_let_in_is_opened_anew_once(
    api: Any, make_source: Any, pull: Any, refusal: Response
) -> None:
    sessions = Sessions(api, 0, refusal)
    with pytest.raises(Unauthorized) as caught:
        pull(make_source(http={"auth": {"login": LOGIN}, "error": ERROR}))
    assert sessions.opened == 2
    assert "SHOP_TOKEN" in str(caught.value)


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_a_door_that_has_gone_is_not_taken_for_the_end_of_the_list(
    api: Any, make_source: Any, pull: Any, status: int
) -> None:
    sessions = Sessions(api, 3, Response("", 401))
    sessions.closed = Response("", status)
    source = make_source({"pages": {"page": "page", "ends_with": [status]}}, {"auth": {"login": LOGIN}})
    first = pull(source, most=1)
    with pytest.raises(ConnectorError) as caught:
        pull(source, first[0].cursor)
    assert f"{status} from {api.base_url}/login" in str(caught.value)
    assert caught.value.status is None


def test_streams_pulled_at_once_share_one_session(api: Any, make_source: Any) -> None:
    sessions = Sessions(api, 100, Response("", 401))
    one = make_source({"pages": {"next": "next"}}, {"auth": {"login": LOGIN}, "concurrency": 1})
    said = one.system.model_dump(by_alias=True, exclude_unset=True)
    said["streams"] = dict.fromkeys("abcd", said["streams"]["things"])
    source = type(one)(one.name, type(one.system).model_validate(said), one.settings)

    async def count(connection: Connection, stream: str) -> int:
        async with aclosing(connection.pull(stream)) as pages:
            return sum([len(page.records) async for page in pages])

    async def run() -> list[int]:
        async with Connection(source) as connection:
            return await asyncio.gather(*(count(connection, stream) for stream in source.system.streams))

    assert asyncio.run(run()) == [PAGES] * 4
    assert sessions.opened == 1
