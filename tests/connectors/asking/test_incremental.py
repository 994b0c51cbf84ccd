"""Changes only: how marks are read and written, when they count, what is asked for next."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.requests import Request
from starlette.responses import Response

from connectors.asking.incremental import Changes, Span, instant
from mappings.spec import Since

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANTS = [
    pytest.param("2026-03-01T12:00:00Z", NOON, id="iso-z"),
    pytest.param("2026-03-01T13:00:00+01:00", NOON, id="iso-offset"),
    pytest.param("2026-03-01 12:00:00", NOON.replace(tzinfo=None), id="iso-without-zone"),
    pytest.param("2026-03-01 12:00:00 UTC", NOON, id="iso-with-a-word-for-the-zone"),
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
    pytest.param("9" * 400, None, id="beyond-numbers"),
    pytest.param([NOON.isoformat()], None, id="list"),
]


@pytest.mark.parametrize(("value", "moment"), INSTANTS)
def test_a_changed_at_is_read_in_any_usual_form(value: Any, moment: datetime | None) -> None:
    assert instant(value) == moment


PATTERNS = [
    pytest.param("01.03.2026 12:00", "%d.%m.%Y %H:%M", NOON.replace(tzinfo=None), id="in-the-pattern"),
    pytest.param("20260301", "%Y%m%d", datetime(2026, 3, 1), id="digits-only"),
    pytest.param("2026-03-01T12:00:00Z", "%d.%m.%Y", NOON, id="iso-where-the-pattern-is-for-asking-only"),
    pytest.param("1.3.", "%d.%m.%Y", None, id="neither"),
]


@pytest.mark.parametrize(("value", "pattern", "moment"), PATTERNS)
def test_a_changed_at_is_read_in_the_pattern_it_is_asked_in(value: str, pattern: str, moment: datetime | None) -> None:
    assert instant(value, pattern) == moment


def changes(*, ends: Any = False, **said: Any) -> Changes:
    return Changes(Since.model_validate({"param": "from", "field": "changed", **said}), ends=ends)


BERLIN = "Europe/Berlin"
WRITTEN = [
    pytest.param({"as": "epoch_s"}, 1772366400, id="epoch-s"),
    pytest.param({"as": "epoch_ms"}, 1772366400250, id="epoch-ms"),
    pytest.param({"as": "epoch_us"}, 1772366400250000, id="epoch-us"),
    pytest.param({}, "2026-03-01T12:00:00Z", id="iso"),
    pytest.param({"zone": BERLIN}, "2026-03-01T13:00:00", id="iso-in-a-zone-of-its-own"),
    pytest.param({"as": "date"}, "2026-03-01", id="date"),
    pytest.param({"as": "%d.%m.%Y %H:%M"}, "01.03.2026 12:00", id="pattern"),
    pytest.param({"as": "%d.%m.%Y %H:%M", "zone": BERLIN}, "01.03.2026 13:00", id="pattern-in-a-zone"),
    pytest.param({"as": "%Y-%m-%dT%H:%M:%S%z", "zone": BERLIN}, "2026-03-01T13:00:00+0100", id="pattern-that-names-it"),
    pytest.param({"as": "epoch_s", "look_back": "10m"}, 1772365800, id="ten-minutes-earlier"),
    pytest.param({"look_back": "2h"}, "2026-03-01T10:00:00Z", id="two-hours-earlier"),
    pytest.param({"as": "date", "look_back": "7d"}, "2026-02-22", id="seven-days-earlier"),
]


@pytest.mark.parametrize(("said", "value"), WRITTEN)
def test_a_mark_is_asked_for_in_the_systems_form(said: Any, value: Any) -> None:
    made = changes(**said)
    words = made.words(made.begin("2026-03-01T13:00:00.250000+01:00", NOON))
    assert (words, made.places(words)) == ({"since": value}, {"from": value})


def test_a_mark_without_zone_is_asked_for_without_zone() -> None:
    made = changes()
    assert made.words(made.begin(made.newest(["2026-03-01 12:00:00"], None), NOON)) == {"since": "2026-03-01T12:00:00"}


def test_a_mark_without_zone_is_in_the_zone_that_the_mapping_names() -> None:
    made = changes(**{"as": "epoch_s", "zone": BERLIN})
    mark = made.newest(["2026-03-01 13:00:00", "2026-03-01T11:59:59Z"], None)
    assert made.words(made.begin(mark, NOON)) == {"since": 1772366400}


def test_earlier_is_measured_in_time_that_passed_and_not_by_the_clock_on_the_wall() -> None:
    made = changes(look_back="2h", zone=BERLIN)  # on 29 March 2026 the clocks went from 2 to 3
    assert made.words(made.begin("2026-03-29T04:00:00.000000", NOON)) == {"since": "2026-03-29T01:00:00"}


TURNED = [  # on 25 October 2026 the hour from 2 to 3 came twice, on 29 March it did not come
    pytest.param("2026-10-25T02:30:00", "2026-10-25T01:30:00", id="an-hour-that-comes-twice"),
    pytest.param("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00", id="its-second-time-written-as-its-first"),
    pytest.param("2026-03-29T02:30:00", "2026-03-29T01:30:00", id="an-hour-that-does-not-come"),
    pytest.param("2026-10-25T03:00:00", "2026-10-25T03:00:00", id="the-hour-behind-it"),
]


@pytest.mark.parametrize(("mark", "asked"), TURNED)
def test_where_clocks_are_turned_no_change_hides_behind_a_time_of_the_same_name(mark: str, asked: str) -> None:
    made = changes(zone=BERLIN)
    assert made.words(made.begin(mark, NOON)) == {"since": asked}


@pytest.mark.parametrize(("mark", "known"), [(["2026-10-25 02:10:00"], False), (["2026-10-25 01:29:00"], True)])
def test_a_list_newest_first_is_read_through_the_hour_that_comes_twice(mark: list[str], known: bool) -> None:
    made = Changes(Since(field="at", newest_first=True, zone=BERLIN), ends=False)
    assert made.is_known(mark, "2026-10-25T02:30:00.000000") is known


@pytest.mark.parametrize(
    "day", [datetime(2026, 10, 24, 22, 10), datetime(2026, 3, 28, 22, 10)], ids=["autumn", "spring"]
)
@pytest.mark.parametrize("step", ["30m", "1h", "1d"])
def test_windows_leave_out_no_local_time_where_clocks_are_turned(day: datetime, step: str) -> None:
    moments = [day.replace(tzinfo=UTC) + timedelta(minutes=10 * number) for number in range(36)]
    there = [moment.astimezone(ZoneInfo(BERLIN)).strftime("%Y-%m-%dT%H:%M:%S") for moment in moments]
    made = changes(ends=True, zone=BERLIN, step=step, **{"from": "2015-01-01"})
    span: Span | None = made.begin(there[0], moments[-1])
    asked = []
    while span is not None:
        asked.append(made.words(span))
        span = made.following(span, moments[-1])
    came = {changed for changed in there for words in asked if words["since"] <= changed < words["until"]}
    assert came == set(there[:-1])
    assert len(asked) <= 20


FROM = [
    pytest.param({"from": "2015-01-01"}, {"since": "2015-01-01T00:00:00Z"}, id="a-day"),
    pytest.param({"from": "2015-01-01", "zone": BERLIN, "as": "epoch_s"}, {"since": 1420066800}, id="in-a-zone"),
    pytest.param({"from": "2015-01-01T12:00:00+02:00"}, {"since": "2015-01-01T10:00:00Z"}, id="a-time"),
    pytest.param({}, {}, id="not-said"),
]


@pytest.mark.parametrize(("said", "words"), FROM)
def test_the_first_run_begins_where_the_mapping_says(said: Any, words: Any) -> None:
    assert changes(**said).words(changes(**said).begin(None, NOON)) == words


def test_the_newest_mark_never_goes_back_nor_beyond_the_systems_own_time() -> None:
    made = changes()
    assert made.newest([], None, NOON) is None
    assert made.newest([1, None, "x"], NOON.isoformat(), NOON) == "2026-03-01T12:00:00.000000+00:00"
    assert made.newest(["2099-01-01T00:00:00Z", 1772366399], None, NOON) == "2026-03-01T12:00:00.000000+00:00"
    assert made.newest(["2099-01-01T00:00:00Z"] * 2, None, NOON) == "2026-03-01T12:00:00.000000+00:00"


def test_a_mark_that_is_held_back_stays_without_zone_where_the_system_names_none() -> None:
    assert changes(zone=BERLIN).newest(["2026-03-01 14:00:00"], None, NOON) == "2026-03-01T13:00:00.000000"


ALIKE = [
    pytest.param(["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"], id="alike"),
    pytest.param(["2026-01-03T00:00:00Z", "nothing of the kind Z", "zzzz-zz-zzTzz:zz:zzZ"], id="with-nonsense-beside"),
    pytest.param(["2026-01-03T00:00:00.000Z", "2026-01-02T23:59:59Z"], id="of-several-lengths"),
    pytest.param(["2026-01-03T00:00:00+00:00", "2026-01-03T00:30:00+01:00"], id="of-several-zones"),
]


@pytest.mark.parametrize("values", ALIKE)
def test_the_newest_of_a_page_is_found_however_its_times_are_written(values: list[str]) -> None:
    assert changes().newest(values, None) == "2026-01-03T00:00:00.000000+00:00"


def spans(made: Changes, span: Span, now: datetime) -> list[Span]:
    found = [span]
    while (span := made.following(span, now) or Span()) != Span():
        found.append(span)
    return found


STEPS = [
    pytest.param({"as": "iso"}, timedelta(seconds=1), id="seconds"),
    pytest.param({"as": "epoch_ms"}, timedelta(milliseconds=1), id="milliseconds"),
    pytest.param({"as": "date"}, timedelta(0), id="days"),
]


@pytest.mark.parametrize(("said", "overlap"), STEPS)
def test_windows_leave_no_gap_and_end_now(said: Any, overlap: timedelta) -> None:
    made = changes(step="7d", until="to", **{"from": "2026-02-01"}, **said)
    found = spans(made, made.begin(None, NOON), NOON)
    bounds = [(span.low, span.high) for span in found if span.low and span.high]
    assert [low for low, _ in bounds[1:]] == [high - overlap for _, high in bounds[:-1]]
    assert [high - low for low, high in bounds[:-1]] == [timedelta(days=7)] * (len(bounds) - 1)
    assert (bounds[0][0], bounds[-1][1], len(bounds)) == (datetime(2026, 2, 1, tzinfo=UTC), NOON, 5)


@pytest.mark.parametrize("step", ["1s", "2s", "1d"])
def test_windows_always_move_on(step: str) -> None:
    made = changes(step=step, until="to", **{"from": "2026-03-01T11:59:50Z", "as": "date" if step == "1d" else "iso"})
    assert spans(made, made.begin(None, NOON), NOON)[-1].high == NOON


PASSED = [
    pytest.param(None, NOON, "2026-02-22T00:00:00.000000+00:00", id="nothing-ever-seen"),
    pytest.param("2026-02-25T00:00:00.000000+00:00", NOON, "2026-02-25T00:00:00.000000+00:00", id="newer-seen"),
    pytest.param(None, datetime(2026, 2, 8, tzinfo=UTC), "2026-02-08T00:00:00.000000+00:00", id="systems-clock-behind"),
    pytest.param("2026-02-01T00:00:00.000000+00:00", None, "2026-02-01T00:00:00.000000+00:00", id="no-clock-to-trust"),
]


@pytest.mark.parametrize(("seen", "clock", "mark"), PASSED)
def test_empty_windows_move_the_mark_as_far_as_the_systems_clock_allows(
    seen: str | None, clock: datetime | None, mark: str
) -> None:
    made = changes(step="7d", until="to", **{"from": "2026-02-01"})
    assert made.passed(Span(datetime(2026, 2, 22, tzinfo=UTC), NOON), seen, clock) == mark


def test_a_window_of_marks_without_zone_ends_without_zone() -> None:
    made = changes(ends=True, zone=BERLIN)
    span = made.begin("2026-03-01T12:30:00.000000", NOON)
    assert made.words(span) == {"since": "2026-03-01T12:30:00", "until": "2026-03-01T13:00:00"}


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
