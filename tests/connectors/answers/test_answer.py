"""Answers taken apart: the records' own bytes, their keys, and what is said where an answer cannot be used."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import pytest
from starlette.responses import Response

from connectors.answers.shape import Shape
from connectors.errors import BadAnswer

ODD = [
    b'{"id":1}',
    b'{ "id" : "a b",\t"x": [1 , 2] }',
    b'{"id":"\xc3\xbc\\u00fc","n":1.0e5}',
    b'{"n":12345678901234567890}',
]


def test_records_are_landed_byte_for_byte(api: Any, make_source: Any, pull: Any) -> None:
    body = b'\n{"x": {"data": 1}, "data" : [ ' + b" ,\r\n ".join(ODD) + b' ], "more": {} }\n'
    api.handler = lambda request: Response(body)
    assert [record.payload for record in pull(make_source())[0].records] == ODD


KEYS = [
    pytest.param("id", {"id": "a"}, "a", id="text"),
    pytest.param("id", {"id": 7}, "7", id="number"),
    pytest.param("id", {"id": 0}, "0", id="zero"),
    pytest.param("id", {"id": 2**70}, str(2**70), id="large-number"),
    pytest.param("id", {"id": None}, None, id="null"),
    pytest.param("id", {"id": ""}, None, id="empty"),
    pytest.param("id", {"id": True}, None, id="bool"),
    pytest.param("id", {"id": {"a": 1}}, None, id="object"),
    pytest.param("id", {"x": 1}, None, id="absent"),
    pytest.param("id", ["a"], None, id="a-list-for-a-record"),
    pytest.param("id", 5, None, id="a-number-for-a-record"),
    pytest.param("a.b", {"a": {"b": "c"}}, "c", id="nested"),
    pytest.param("a.b", {"a": []}, None, id="nested-in-an-empty-list"),
    pytest.param("a.b", {"a": "text"}, None, id="nested-in-a-text"),
    pytest.param("a.1.b", {"a": [{"b": 1}, {"b": 2}]}, "2", id="picked-from-a-list"),
    pytest.param("1", ["a", "b"], "b", id="record-is-a-list"),
    pytest.param("@id-x", {"@id-x": 3}, "3", id="no-identifier"),
    pytest.param(["a", "b.c"], {"a": 1, "b": {"c": "x"}}, "1/x", id="compound"),
    pytest.param(["a", "b"], {"a": 1}, None, id="compound-with-a-part-missing"),
]


@pytest.mark.parametrize(("path", "record", "key"), KEYS)
def test_the_key_is_found_and_a_record_without_one_is_kept(
    api: Any, make_source: Any, pull: Any, path: Any, record: Any, key: str | None
) -> None:
    api.handler = lambda request: Response(json.dumps({"data": [record]}))
    came = pull(make_source({"key": path}))[0].records
    assert [(one.key, json.loads(one.payload)) for one in came] == [(key, record)]


HALVES = [
    pytest.param(rb'{"id": 1, "t": "\ud83d"}', rb'{"id": 1, "t": "\ufffd"}', id="first-half"),
    pytest.param(rb'{"id": 1, "t": "x\uDE00y"}', rb'{"id": 1, "t": "x\ufffdy"}', id="second-half"),
    pytest.param(
        rb'{"id": 1, "t": "\ud83d\ud83d\ude00"}', rb'{"id": 1, "t": "\ufffd\ud83d\ude00"}', id="half-before-a-pair"
    ),
    pytest.param(rb'{"id": 1, "t": "\\ud83d \ud83d"}', rb'{"id": 1, "t": "\\ud83d \ufffd"}', id="after-a-backslash"),
]


@pytest.mark.parametrize(("sent", "landed"), HALVES)
def test_half_an_emoji_does_not_stop_a_stream(
    api: Any, make_source: Any, pull: Any, sent: bytes, landed: bytes
) -> None:
    whole = rb'{"id": 2, "t": "\ud83d\ude00 \n"}'
    api.handler = lambda request: Response(b'{"data": [' + sent + b", " + whole + b"]}")
    assert [record.payload for record in pull(make_source())[0].records] == [landed, whole]


LISTS = [
    pytest.param(None, "[1, 2]", id="the-answer-is-the-list"),
    pytest.param("data", '\ufeff{"data": [1, 2]}', id="byte-order-mark"),
    pytest.param("data.rows", '{"data": {"rows": [1, 2]}}', id="nested"),
    pytest.param("a-b.@c", '{"a-b": {"@c": [1, 2]}}', id="names-that-are-no-identifiers"),
]


@pytest.mark.parametrize(("path", "body"), LISTS)
def test_the_list_is_found_at_its_path(api: Any, make_source: Any, pull: Any, path: str | None, body: str) -> None:
    api.handler = lambda request: Response(body)
    assert len(pull(make_source({"records": path}))[0].records) == 2


def test_no_content_is_an_empty_list(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: Response(status_code=204)
    assert pull(make_source())[0].records == []


BAD = [
    pytest.param(b"<!DOCTYPE html><p>Log in", "HTML instead of JSON from http.*; check the base URL", id="html"),
    pytest.param(b"", "an empty answer instead of JSON", id="empty"),
    pytest.param(b"  \n", "an empty answer instead of JSON", id="blank"),
    pytest.param(b"Internal error", "something else instead of JSON", id="plain-text"),
    pytest.param(b'{"data": [{"id": 1}', "something else instead of JSON", id="cut-off"),
    pytest.param(b'{"data": [{"id": 1},]}', "something else instead of JSON", id="trailing-comma"),
    pytest.param(b'{"data": {"a": 1}, "b": ', "something else instead of JSON", id="cut-off-behind-no-list"),
    pytest.param(b'{"data": [{"id": "\xff\xfe"}]}', "something else instead of JSON", id="not-utf-8"),
    pytest.param(b'{"items": []}', "no list of records at `data` from .*, but nothing", id="other-name"),
    pytest.param(b'{"data": null}', "no list of records at `data` from .*, but nothing", id="null"),
    pytest.param(b'{"data": {"a": 1}}', "at `data` from .*, but an object; check `records`", id="an-object"),
    pytest.param(b"[1]", "no list of records at `data` from .*, but nothing", id="bare-list"),
    pytest.param(b"null", "no list of records at `data` from .*, but nothing", id="bare-null"),
]


@pytest.mark.parametrize(("body", "says"), BAD)
def test_an_answer_that_cannot_be_used_says_why(api: Any, make_source: Any, pull: Any, body: bytes, says: str) -> None:
    api.handler = lambda request: Response(body)
    with pytest.raises(BadAnswer, match=says):
        pull(make_source())
    assert len(api.requests) == 1


def test_an_object_where_the_answer_should_be_the_list_says_why(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: Response('{"data": []}')
    with pytest.raises(BadAnswer, match=r"no list of records as the answer from .*, but an object"):
        pull(make_source({"records": None}))


ERRORS = [
    pytest.param(None, {"result": "error"}, id="instead-of-a-bare-list"),
    pytest.param("data", {"result": "error"}, id="instead-of-the-list"),
    pytest.param("data", {"result": "error", "data": []}, id="beside-a-list"),
]


@pytest.mark.parametrize(("records", "body"), ERRORS)
def test_an_error_with_status_200_is_an_error(api: Any, make_source: Any, pull: Any, records: Any, body: Any) -> None:
    api.handler = lambda request: Response(json.dumps({**body, "message": "No\nsuch method."}))
    error = {"when": {"result": "error"}, "message": "message"}
    with pytest.raises(BadAnswer, match=r"shop\.things: .*/things answered with an error: No such method\.$"):
        pull(make_source({"records": records}, {"error": error}))


CONDITIONS = [
    pytest.param({"ok": False}, {"ok": False}, True, id="equal"),
    pytest.param({"ok": False}, {"ok": True}, False, id="not-equal"),
    pytest.param({"code": [1, 2]}, {"code": 2}, True, id="one-of"),
    pytest.param({"code": {"not": 0}}, {"code": 5}, True, id="not"),
    pytest.param({"code": {"not": [0, 5]}}, {"code": 5}, False, id="none-of"),
    pytest.param({"error": {"exists": True}}, {"error": ""}, False, id="exists-not-when-empty"),
    pytest.param({"error.code": {"exists": True}}, {"error": {"code": 1}}, True, id="exists"),
    pytest.param({"code": {"at_least": 400}}, {"code": 400}, True, id="at-least"),
    pytest.param({"code": {"at_least": 400}}, {"code": "x"}, False, id="at-least-of-a-text"),
    pytest.param({"code": {"at_most": 3}}, {"code": 4}, False, id="at-most"),
    pytest.param({"status": {"contains": "err"}}, {"status": "an error"}, True, id="contains"),
    pytest.param({"ok": False, "code": 1}, {"ok": False, "code": 2}, False, id="all-must-hold"),
]


@pytest.mark.parametrize(("when", "body", "wrong"), CONDITIONS)
def test_the_mapping_says_what_an_error_looks_like(
    api: Any, make_source: Any, pull: Any, when: Any, body: Any, wrong: bool
) -> None:
    api.handler = lambda request: Response(json.dumps({"data": [], **body}))
    source = make_source(http={"error": {"when": when, "message": "message"}})
    if not wrong:
        assert pull(source)[0].records == []
        return
    with pytest.raises(BadAnswer, match="answered with an error"):
        pull(source)


def test_a_shape_reads_paths_that_cross() -> None:
    shape = Shape(["a", "a.b", "c.d.e", "c.0"])
    decoded = shape.decode(b'{"a": {"b": 1}, "c": [7], "z": {}}')
    assert [shape.reader(path)(decoded) for path in ("a", "a.b", "c.0", "c.d.e")] == [{"b": 1}, 1, 7, None]


FORMATS = [
    pytest.param({"format": "ndjson", "records": None}, b'{"id": 1}\n{"id": 2}\n', id="ndjson"),
    pytest.param({"format": "csv", "records": None, "csv": {"separator": ";"}}, b"id;n\n1;a\n2;b\n", id="csv"),
    pytest.param({"map_key": "id"}, b'{"data": {"1": {}, "2": {}}}', id="a-map"),
    pytest.param({"records": None}, gzip.compress(b'[{"id": 1}, {"id": 2}]'), id="gzip-that-no-header-tells"),
]


@pytest.mark.parametrize(("stream", "body"), FORMATS)
def test_every_format_comes_over_the_wire(api: Any, make_source: Any, pull: Any, stream: Any, body: bytes) -> None:
    api.handler = lambda request: Response(body, media_type="application/octet-stream")
    (page,) = pull(make_source(stream))
    assert [record.key for record in page.records] == ["1", "2"]


def test_a_small_answer_that_unfolds_to_a_huge_one_is_refused(api: Any, make_source: Any, pull: Any) -> None:
    api.handler = lambda request: Response(gzip.compress(b" " * (2 << 20) + b"[]"))
    with pytest.raises(BadAnswer, match="more than 1,048,576 bytes behind gzip"):
        pull(make_source({"records": None}, {"largest_mb": 1}))


def test_where_no_request_is_left_the_next_page_waits_for_the_reset(api: Any, make_source: Any, pull: Any) -> None:
    times: list[float] = []

    def handle(request: Any) -> Response:
        times.append(time.monotonic())
        more = len(times) < 2
        body = json.dumps({"data": [{"id": len(times)}], "more": more})
        return Response(body, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0.4"})

    api.handler = handle
    pull(make_source({"pages": {"page": "page", "while": "more"}}))
    assert times[1] - times[0] >= 0.35
