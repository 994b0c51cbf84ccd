"""Changes only: how marks are read, when they count, and how they are asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from connectors.incremental import instant, newest, params
from mappings.spec import Since

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANTS = [
    pytest.param("2026-03-01T12:00:00Z", NOON, id="iso-z"),
    pytest.param("2026-03-01T13:00:00+01:00", NOON, id="iso-offset"),
    pytest.param("2026-03-01 12:00:00", NOON.replace(tzinfo=None), id="iso-without-zone"),
    pytest.param(1772366400, NOON, id="epoch-s"),
    pytest.param("1772366400", NOON, id="epoch-s-as-text"),
    pytest.param(1772366400000, NOON, id="epoch-ms"),
    pytest.param(1772366400000000, NOON, id="epoch-us"),
    pytest.param(1772366400.0, NOON, id="epoch-with-a-fraction"),
    pytest.param("yesterday", None, id="words"),
    pytest.param("", None, id="empty"),
    pytest.param(None, None, id="null"),
    pytest.param(True, None, id="bool"),
    pytest.param(10**30, None, id="beyond-time"),
    pytest.param([NOON.isoformat()], None, id="list"),
]


@pytest.mark.parametrize(("value", "moment"), INSTANTS)
def test_a_changed_at_is_read_in_any_usual_form(value: Any, moment: datetime | None) -> None:
    assert instant(value) == moment


WRITTEN = [
    pytest.param("epoch_s", None, "1772366400", id="epoch-s"),
    pytest.param("epoch_ms", None, "1772366400250", id="epoch-ms"),
    pytest.param("iso", None, "2026-03-01T12:00:00Z", id="iso"),
    pytest.param("date", None, "2026-03-01", id="date"),
    pytest.param("epoch_s", "10m", "1772365800", id="ten-minutes-earlier"),
    pytest.param("iso", "2h", "2026-03-01T10:00:00Z", id="two-hours-earlier"),
    pytest.param("date", "7d", "2026-02-22", id="seven-days-earlier"),
]


@pytest.mark.parametrize(("form", "look_back", "text"), WRITTEN)
def test_a_mark_is_asked_for_in_the_systems_form(form: str, look_back: str | None, text: str) -> None:
    since = Since.model_validate({"param": "from", "field": "changed", "as": form, "look_back": look_back})
    assert params(since, "2026-03-01T13:00:00.250000+01:00") == {"from": text}


def test_a_mark_without_zone_is_asked_for_without_zone() -> None:
    since = Since(param="from", field="changed")
    assert params(since, newest(["2026-03-01 12:00:00"], None, None)) == {"from": "2026-03-01T12:00:00"}


def test_the_newest_mark_never_goes_back_nor_beyond_the_systems_own_time() -> None:
    assert newest([], None, NOON) is None
    assert newest([1, None, "x"], NOON.isoformat(), NOON) == "2026-03-01T12:00:00.000000+00:00"
    assert newest(["2099-01-01T00:00:00Z", 1772366399], None, NOON) == "2026-03-01T12:00:00.000000+00:00"


CHANGED = {"a": 1772366400, "b": 1772366500, "c": 1772366600, "d": 1772366450}


def newest_first(request: Request) -> Response:
    """Two records a page, newest first, and those only that changed since."""
    since = int(request.query_params.get("from", "0"))
    rows = sorted(((at, key) for key, at in CHANGED.items() if at >= since), reverse=True)
    skip = int(request.query_params["skip"])
    part = [{"id": key, "meta": {"changed": at}} for at, key in rows[skip : skip + 2]]
    return Response(json.dumps({"data": part, "more": skip + 2 < len(rows)}))


NEWEST_FIRST = {
    "pages": {"offset": "skip", "while": "more"},
    "since": {"param": "from", "field": "meta.changed", "as": "epoch_s"},
}


def ids(pages: Any) -> list[str]:
    return [record.key for page in pages for record in page.records]


def test_the_second_run_asks_for_changes_only(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = newest_first
    source = make_source(NEWEST_FIRST)
    first = pull(source)
    assert ids(first) == ["c", "b", "d", "a"]
    assert ids(pull(source, first[-1].cursor)) == ["c"]
    assert api.asked("from") == [None, None, str(CHANGED["c"])]


def test_a_run_broken_off_goes_on_with_the_mark_it_began_with(api: Any, make_source: Any, pull: Any) -> None:
    """The first page of a list that is newest first holds the highest mark: it may not count before the end."""
    api.handler = newest_first
    source = make_source(NEWEST_FIRST)
    middle = pull(source, {"since": "2026-03-01T12:00:50+00:00"}, most=1)[0].cursor
    api.reset()
    rest = pull(source, middle)
    assert ids(rest) == ["d"]
    assert set(api.asked("from")) == {"1772366450"}
    assert rest[-1].cursor == {"since": "2026-03-01T12:03:20.000000+00:00"}


def test_a_run_without_records_keeps_its_mark(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: Response('{"data": [], "more": false}')
    end = {"since": "2026-03-01T12:00:00.000000+00:00"}
    assert pull(make_source(NEWEST_FIRST), end)[-1].cursor == end


def feed(request: Request) -> Response:
    """An export that hands out a cursor on each page and never forgets it, as incremental exports do."""
    at = int(request.query_params.get("cursor", "0"))
    rows = [{"id": str(number)} for number in range(LENGTH[0])]
    end = min(at + 4, len(rows))
    return Response(json.dumps({"data": rows[at:end], "after": str(end), "end": end == len(rows)}))


LENGTH = [10]
FEED = {
    "pages": {"cursor": "cursor", "value": "after", "until": "end"},
    "since": {"keep_cursor": True, "first": {"start_time": 0}},
}


def test_a_kept_cursor_goes_on_where_the_last_run_ended(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = feed
    source = make_source(FEED)
    LENGTH[0] = 10
    first = pull(source)
    assert ids(first) == [str(number) for number in range(10)]
    again = pull(source, first[-1].cursor)
    assert ids(again) == []
    LENGTH[0] = 13
    assert ids(pull(source, again[-1].cursor)) == ["10", "11", "12"]
    assert api.asked("start_time") == ["0", None, None, None, None]
    assert api.asked("cursor") == [None, "4", "8", "10", "10"]
