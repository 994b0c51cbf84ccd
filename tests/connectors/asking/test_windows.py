"""Changes asked for by windows, up to a system's limit, in a query, until they are known; and taken up again."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from connectors.errors import BadAnswer, Rejected, Unavailable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAYS = [datetime(2026, 2, 1, tzinfo=UTC) + timedelta(days=day, minutes=day) for day in range(28)]
ROWS = [{"id": f"r{number:02}", "at": moment.strftime("%Y-%m-%dT%H:%M:%SZ")} for number, moment in enumerate(DAYS)]
KEYS = [row["id"] for row in ROWS]
WINDOWS = {
    "pages": {"page": "page", "size": {"n": 3}},
    "since": {"param": "from", "until": "to", "field": "at", "step": "7d", "from": "2026-01-20"},
}


def ids(pages: Any) -> list[str]:
    return [record.key for page in pages for record in page.records]


def windowed(request: Request) -> Response:
    """Rows between two times, the upper one not included, three a page; never more than a week at once."""
    asked = request.query_params
    low, high = (datetime.fromisoformat(asked[name]) for name in ("from", "to"))
    if high - low > timedelta(days=7):
        return Response('{"error": "too long"}', 400)
    found = [row for row in ROWS if low <= datetime.fromisoformat(row["at"]) < high]
    page = int(asked["page"])
    return Response(json.dumps({"data": found[page * 3 - 3 : page * 3]}))


def test_each_window_is_read_up_to_now(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = windowed
    came = pull(make_source(WINDOWS), now=NOW)
    assert ids(came) == KEYS
    bounds = list(dict.fromkeys(zip(api.asked("from"), api.asked("to"), strict=True)))
    assert (bounds[0], bounds[-1][1]) == (("2026-01-20T00:00:00Z", "2026-01-27T00:00:00Z"), "2026-03-01T12:00:00Z")
    assert len(bounds) == 6
    assert [page.last for page in came] == [False] * (len(came) - 1) + [True]


def test_the_next_run_begins_at_the_newest_seen_or_the_last_window(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = windowed
    source = make_source(WINDOWS)
    end = pull(source, now=NOW)[-1].cursor
    assert end == {"since": "2026-02-28T00:27:00.000000+00:00"}
    api.reset()
    later = pull(source, end, now=NOW + timedelta(days=30))
    assert ids(later) == ["r27"]
    assert (api.asked("from")[0], api.asked("to")[-1]) == ("2026-02-28T00:27:00Z", "2026-03-31T12:00:00Z")
    assert later[-1].cursor["since"] > "2026-03-22"  # nothing changed for weeks: they are not asked for again


def test_every_cursor_of_a_walk_through_windows_leads_to_the_rest(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = windowed
    source = make_source(WINDOWS)
    came = pull(source, now=NOW)
    for done in range(1, len(came)):
        kept = json.loads(json.dumps(came[done - 1].cursor))
        rest = pull(source, kept, now=NOW)
        assert ids(came[:done]) + ids(rest) == KEYS
        assert rest[-1].cursor == came[-1].cursor


def test_without_steps_an_end_is_asked_for_and_kept(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda r: Response(json.dumps({"data": ROWS[:2], "more": r.query_params["page"] == "1"}))
    stream = {"pages": {"page": "page", "while": "more"}, "params": {"q": "at:[{since} TO {until}]"}}
    stream["since"] = {"field": "at", "from": "2026-02-01"}
    source = make_source(stream)
    first = pull(source, now=NOW, most=1)[0]
    api.reset()
    api.handler = lambda r: Response(json.dumps({"data": ROWS[2:4], "more": False}))
    pull(source, first.cursor, now=NOW + timedelta(hours=1))
    assert api.asked("q") == ["at:[2026-02-01T00:00:00Z TO 2026-03-01T12:00:00Z]"]


def limited(most: int) -> Any:
    """A search by time that gives at most so many rows in all, two a page, and refuses what lies behind."""

    def handle(request: Request) -> Response:
        said = json.loads(request["body"])
        found = [row for row in ROWS if row["at"] > said.get("since", "")]
        after = int(said.get("after", 0))
        if after + 2 > most:
            return Response('{"error": "beyond the limit"}', 400)
        following = str(after + 2) if after + 2 < len(found) else None
        return Response(json.dumps({"data": found[after : after + 2], "next": following}))

    return handle


LIMITED = {
    "post": "/search",
    "body": {"json": {"sort": "at"}},
    "pages": {"cursor": "body.after", "value": "next", "size": {"body.limit": 2}},
    "since": {"param": "body.since", "field": "at", "at_most": 10},
}


@pytest.mark.parametrize("most", [10, 11])
def test_behind_the_systems_limit_is_searched_anew(api: Any, make_source: Any, pull: Any, most: int) -> None:
    api.handler = limited(most)
    notes: dict[str, str] = {}
    came = pull(make_source(LIMITED), notes=notes)
    assert sorted(set(ids(came))) == KEYS
    assert max(Counter(ids(came)).values()) <= 2  # a search overlaps the one before by the last record
    assert notes == {"things": "search limit of 10 reached: searched anew behind it"}
    assert came[-1].cursor == {"since": "2026-02-28T00:27:00.000000+00:00"}


def test_a_search_anew_goes_on_after_a_break(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = limited(10)
    source = make_source(LIMITED)
    came = pull(source)
    for done in range(1, len(came)):
        assert set(ids(came[:done]) + ids(pull(source, json.loads(json.dumps(came[done - 1].cursor))))) == set(KEYS)


def test_more_changes_at_one_time_than_a_search_gives_are_an_error(api: Any, make_source: Any, pull: Any) -> None:
    def handle(request: Request) -> Response:
        after = int(json.loads(request["body"]).get("after", 0))
        return Response(json.dumps({"data": [{"id": after, "at": ROWS[0]["at"]}] * 2, "next": str(after + 2)}))

    api.handler = handle
    with pytest.raises(BadAnswer, match=r"shop\.things: the search limit of 10 is reached, .*; let the list be sorted"):
        pull(make_source(LIMITED))
    assert len(api.requests) == 10


def newest_first(request: Request) -> Response:
    rows = sorted(ROWS, key=lambda row: row["at"], reverse=True)
    page = int(request.query_params["page"])
    return Response(json.dumps({"data": rows[page * 3 - 3 : page * 3]}))


NEWEST = {"pages": {"page": "page"}, "since": {"field": "at", "newest_first": True, "look_back": "2d"}}


def test_a_list_that_comes_newest_first_is_read_until_it_is_known(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = newest_first
    source = make_source(NEWEST)
    whole = pull(source)
    assert ids(whole) == KEYS[::-1]
    assert whole[-1].cursor == {"since": "2026-02-28T00:27:00.000000+00:00"}
    api.reset()
    assert ids(pull(source, {"since": "2026-02-24T12:00:00+00:00"})) == KEYS[:18:-1]
    assert api.asked("page") == ["1", "2", "3"]


def test_the_mark_of_a_list_that_comes_newest_first_moves_at_its_end(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = newest_first
    source = make_source(NEWEST)
    broken = pull(source, {"since": "2026-02-20T00:00:00+00:00"}, most=1)[0].cursor
    assert broken["since"] == "2026-02-20T00:00:00+00:00"
    api.reset()
    rest = pull(source, broken)
    assert api.asked("page")[0] == "2"
    assert rest[-1].cursor == {"since": "2026-02-28T00:27:00.000000+00:00"}


def test_a_record_without_time_does_not_end_a_list(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda r: Response(
        json.dumps({"data": [{"id": 1}, {"id": 2, "at": None}] if r.query_params["page"] == "1" else []})
    )
    pull(make_source(NEWEST), {"since": "2026-02-20T00:00:00+00:00"})
    assert api.asked("page") == ["1", "2"]


def test_the_mark_never_passes_the_moment_the_walk_began(api: Any, make_source: Any, pull: Any) -> None:
    """What changed meanwhile on a page already read is dated before the newest record of a later page."""
    now = datetime.now(UTC).replace(microsecond=0)
    said = {None: ([{"id": "a", "at": ROWS[0]["at"]}], "2"), "2": ([{"id": "b", "at": now.isoformat()}], None)}
    api.handler = lambda r: Response(
        json.dumps(dict(zip(("data", "next"), said[r.query_params.get("after")], strict=True)))
    )
    source = make_source(STALE)
    (first,) = pull(source, most=1)
    assert datetime.fromisoformat(first.cursor["began"]) <= datetime.now(UTC)
    began = now - timedelta(minutes=5)  # the walk was broken off for five minutes
    end = pull(source, {**first.cursor, "began": began.isoformat()})[-1].cursor
    assert end == {"since": began.isoformat(timespec="microseconds")}


def query(request: Request) -> Response:
    said = request.query_params["q"]
    assert said.startswith("SELECT * FROM x WHERE at > ")
    return Response(json.dumps({"data": [row for row in ROWS if row["at"] > said.rpartition(" ")[2]]}))


def test_a_query_language_takes_the_mark(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = query
    stream = {"params": {"q": "SELECT * FROM x WHERE at > {since}"}, "since": {"field": "at", "from": "1970-01-01"}}
    source = make_source(stream)
    first = pull(source)
    assert ids(first) == KEYS
    assert ids(pull(source, first[-1].cursor)) == []
    assert api.asked("q")[0] == "SELECT * FROM x WHERE at > 1970-01-01T00:00:00Z"


STALE = {"pages": {"cursor": "after", "value": "next"}, "since": {"param": "from", "field": "at"}}
OLD = {"at": {"cursor": "old"}, "since": "2026-02-20T00:00:00+00:00", "seen": "2026-02-21T00:00:00+00:00"}


def forgets(status: int, body: str = "{}") -> Any:
    """Knows the cursors that it gave and no others."""

    def handle(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if after == "old":
            return Response(body, status)
        left = ROWS[int(after) :]
        return Response(json.dumps({"data": left[:10], "next": str(int(after) + 10) if len(left) > 10 else None}))

    return handle


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_a_position_that_the_system_has_forgotten_is_left_and_said(
    api: Any, make_source: Any, pull: Any, status: int
) -> None:
    api.handler = forgets(status)
    notes: dict[str, str] = {}
    came = pull(make_source(STALE), OLD, notes=notes)
    assert ids(came) == KEYS
    assert set(api.asked("from")) == {"2026-02-20T00:00:00Z"}
    assert notes == {"things": f"the system refused the kept position ({status}): its list was read again"}
    assert came[-1].cursor == {"since": "2026-02-28T00:27:00.000000+00:00"}


def test_a_position_may_be_refused_in_an_error_body(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = forgets(200, '{"ok": false, "error": "invalid_cursor"}')
    assert ids(pull(make_source({**STALE, "error": {"when": {"ok": False}, "message": "error"}}), OLD)) == KEYS


@pytest.mark.parametrize(("status", "error"), [(403, Exception), (500, Unavailable)])
def test_another_failure_is_no_forgotten_position(
    api: Any, make_source: Any, pull: Any, status: int, error: type[Exception]
) -> None:
    api.handler = forgets(status)
    with pytest.raises(error, match=str(status)):
        pull(make_source(STALE), OLD, attempts=1)
    assert api.asked("after") == ["old"]


def test_a_position_is_left_once_and_only_where_a_walk_is_taken_up(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: Response("{}", 400)
    with pytest.raises(Rejected):
        pull(make_source(STALE), OLD)
    with pytest.raises(Rejected):
        pull(make_source(STALE), {"since": OLD["since"]})
    assert api.asked("after") == ["old", None, None]


def test_a_kept_cursor_that_has_expired_starts_the_feed_anew(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = forgets(410)
    since = {"keep_cursor": True, "first": {"begin": 0}}
    came = pull(make_source({"pages": STALE["pages"], "since": since}), {"at": {"cursor": "old"}})
    assert ids(came) == KEYS
    assert api.asked("begin")[:2] == [None, "0"]
