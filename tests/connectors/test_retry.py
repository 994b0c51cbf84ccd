"""Asking again: what for, how often, how long after, and what comes of it in the end."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import stamina
from starlette.responses import Response

from connectors.errors import BadAnswer, ConnectorError, NotFound, RateLimited, Rejected, Unauthorized, Unavailable
from connectors.pull import Connection
from connectors.retry import wait_asked

GOOD = Response('{"data": [{"id": 1}]}')
HTTP_DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.fixture
def no_waits() -> Iterator[None]:
    """The library's own testing mode: as many attempts as asked for, without the time between."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def answers(api: Any, *given: Response) -> None:
    """The server gives these in turn, then the last one for ever."""
    left = list(given)
    api.handler = lambda request: left.pop(0) if len(left) > 1 else left[0]


AGAIN = [pytest.param(status, id=str(status)) for status in (429, 502, 503, 504)]


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize("status", AGAIN)
def test_a_passing_failure_is_asked_again(api: Any, make_source: Any, pull: Any, status: int) -> None:
    answers(api, Response("busy", status), Response("busy", status), GOOD)
    assert [record.key for page in pull(make_source()) for record in page.records] == ["1"]
    assert len(api.requests) == 3


@pytest.mark.usefixtures("no_waits")
def test_a_failure_that_lasts_is_given_up_after_the_attempts(api: Any, make_source: Any, pull: Any) -> None:
    answers(api, Response("busy", 503))
    with pytest.raises(Unavailable, match=r"shop\.things: 503 from http://127\.0\.0\.1:\d+/things: the system failed"):
        pull(make_source(), attempts=4)
    assert len(api.requests) == 4


ONCE = [
    pytest.param(400, Rejected, "the request was not accepted; check `params`", id="400"),
    pytest.param(401, Unauthorized, "the credentials were refused; check SHOP_TOKEN", id="401"),
    pytest.param(403, Unauthorized, "the credentials do not allow this; check SHOP_TOKEN", id="403"),
    pytest.param(404, NotFound, "nothing is there", id="404"),
    pytest.param(422, Rejected, "the request was not accepted", id="422"),
    pytest.param(500, Unavailable, "the system failed", id="500"),
]


@pytest.mark.parametrize(("status", "kind", "says"), ONCE)
def test_a_lasting_refusal_is_asked_once(
    api: Any, make_source: Any, pull: Any, status: int, kind: type[ConnectorError], says: str
) -> None:
    answers(api, Response("no", status))
    with pytest.raises(kind, match=says):
        pull(make_source())
    assert len(api.requests) == 1


def test_the_wait_that_the_system_asks_for_is_kept(api: Any, make_source: Any, pull: Any) -> None:
    answers(api, Response("", 429, {"Retry-After": "0"}), Response("", 429, {"Retry-After": "1"}), GOOD)
    began = time.monotonic()
    pull(make_source())
    assert 1.0 <= time.monotonic() - began < 30.0
    assert len(api.requests) == 3


def test_a_wait_longer_than_the_time_allowed_is_not_begun(api: Any, make_source: Any, pull: Any) -> None:
    answers(api, Response("", 429, {"Retry-After": "3600"}))
    began = time.monotonic()
    with pytest.raises(RateLimited, match="too many requests, wait 3600 s; lower `rate`"):
        pull(make_source(), retry_for_s=60)
    assert time.monotonic() - began < 30.0


def test_how_long_to_ask_again_outranks_how_often(api: Any, make_source: Any, pull: Any) -> None:
    answers(api, *[Response("", 503, {"Retry-After": "0"})] * 9, GOOD)
    assert len(pull(make_source({}, {"retry_for": "30s"}))) == 1
    assert len(api.requests) == 10
    api.reset()
    answers(api, *[Response("", 503, {"Retry-After": "0"})] * 9, GOOD)
    with pytest.raises(Unavailable):
        pull(make_source())
    assert len(api.requests) == 6


WAITS = [
    pytest.param("7", None, 7.0, id="seconds"),
    pytest.param("0", None, 0.0, id="at-once"),
    pytest.param("1.5", None, 1.5, id="a-fraction"),
    pytest.param("Wed, 21 Oct 2026 07:28:30 GMT", HTTP_DATE, 30.0, id="date-by-the-systems-clock"),
    pytest.param("Wed, 21 Oct 2026 07:27:00 GMT", HTTP_DATE, 0.0, id="date-gone-by"),
    pytest.param("Wed, 21 Oct 2015 07:28:00 GMT", None, 0.0, id="date-by-our-clock"),
    pytest.param("soon", HTTP_DATE, None, id="words"),
    pytest.param("-3", HTTP_DATE, None, id="negative"),
    pytest.param(None, HTTP_DATE, None, id="nothing"),
]


@pytest.mark.parametrize(("header", "date", "wait_s"), WAITS)
def test_retry_after_is_read_in_seconds_or_as_a_date(
    header: str | None, date: str | None, wait_s: float | None
) -> None:
    assert wait_asked(header, date) == wait_s


@pytest.mark.usefixtures("no_waits")
def test_an_error_with_status_200_is_asked_again_only_where_the_mapping_says_so(
    api: Any, make_source: Any, pull: Any
) -> None:
    busy = Response('{"result": "error", "message": "too busy"}')
    error = {"when": {"result": "error"}, "message": "message"}
    answers(api, busy, GOOD)
    with pytest.raises(BadAnswer, match="answered with an error: too busy"):
        pull(make_source(http={"error": error}))
    answers(api, busy, GOOD)
    assert len(pull(make_source(http={"error": {**error, "means": "retry"}}))[0].records) == 1


@pytest.mark.usefixtures("no_waits")
def test_a_system_that_is_down_is_named_with_its_address(make_source: Any, pull: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(Unavailable, match=rf"{url}/things cannot be reached .*; check the base URL"):
        pull(make_source(http={"base_url": url}))


def test_a_system_that_never_answers_times_out(make_source: Any, pull: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unavailable, match=r"no answer from .* within 0\.1 s; raise `timeout_s`"):
            pull(make_source(http={"base_url": url, "timeout_s": 0.1}), attempts=1)


@contextmanager
def trickling() -> Iterator[str]:
    """A server that sends one byte of its answer every 20 ms."""
    stop = threading.Event()

    def trickle(listening: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not stop.wait(0.02):
                    connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=trickle, args=(listening,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


def test_a_system_that_trickles_times_out_too(make_source: Any, pull: Any) -> None:
    with trickling() as url, pytest.raises(Unavailable, match="no answer from"):
        pull(make_source(http={"base_url": url, "timeout_s": 0.05}), attempts=1)


def test_a_wait_asked_of_one_stream_holds_for_its_siblings(api: Any, make_source: Any) -> None:
    times: list[float] = []

    def handle(request: Any) -> Response:
        times.append(time.monotonic())
        return GOOD if len(times) > 1 else Response("", 429, {"Retry-After": "1"})

    async def both() -> None:
        async with Connection(make_source(http={"concurrency": 1})) as connection:
            await asyncio.gather(*(anext(connection.pull("things")) for _ in range(2)))

    api.handler = handle
    asyncio.run(both())
    assert len(times) == 3
    assert times[1] - times[0] >= 0.95
