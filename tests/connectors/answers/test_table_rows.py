"""Answers that are tables, rows of values under names of columns; and lists that know only "at or after"."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from connectors.errors import BadAnswer

TABLE = {"records": "rows", "columns": "columns", "key": "id"}


def records(pages: Any) -> list[Any]:
    return [json.loads(record.payload) for page in pages for record in page.records]


NAMED = [
    pytest.param(["id", "at"], id="names"),
    pytest.param([{"name": "id", "type": "String"}, {"name": "at"}], id="objects-with-a-name"),
]


@pytest.mark.parametrize("columns", NAMED)
def test_a_row_is_a_record_of_its_columns(
    api: Any, make_source: Any, pull: Any, answer: Any, columns: list[Any]
) -> None:
    api.handler = lambda request: answer({"columns": columns, "rows": [["a", 1.50], ["b", None]]})
    pages = pull(make_source(TABLE))
    assert [record.key for page in pages for record in page.records] == ["a", "b"]
    assert records(pages) == [{"id": "a", "at": 1.5}, {"id": "b", "at": None}]


def test_no_rows_need_no_columns(api: Any, make_source: Any, pull: Any, answer: Any) -> None:
    api.handler = lambda request: answer({"columns": None, "rows": []})
    assert records(pull(make_source(TABLE))) == []


WRONG = [
    pytest.param(None, [[1]], "records without names of their columns", id="no-names"),
    pytest.param(["id", 7], [[1, 2]], "records without names of their columns", id="a-name-that-is-none"),
    pytest.param(["id", "at"], [[1]], "a record of 1 values, and there are 2 columns", id="ragged"),
    pytest.param(["id", "id"], [[1, 2]], "the column `id` stands there twice", id="twice"),
    pytest.param(["id"], [{"id": 1}], "a record that is no list of values", id="an-object"),
]


@pytest.mark.parametrize(("columns", "rows", "said"), WRONG)
def test_a_table_that_cannot_be_read_says_why(
    api: Any, make_source: Any, pull: Any, answer: Any, columns: Any, rows: Any, said: str
) -> None:
    api.handler = lambda request: answer({"columns": columns, "rows": rows})
    with pytest.raises(BadAnswer, match=said):
        pull(make_source(TABLE))


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_a_list_that_begins_with_the_last_record_again_ends(
    api: Any, make_source: Any, pull: Any, answer: Any, count: int
) -> None:
    def handler(request: Request) -> Response:
        first = int(request.query_params.get("from", 1))
        made: Response = answer({"data": [{"id": number} for number in range(first, count + 1)][:3]})
        return made

    api.handler = handler
    pages = pull(make_source({"pages": {"keyset": ["id"], "then": {"from": "{last.id}"}, "size": {"limit": 3}}}))
    assert sorted({record["id"] for record in records(pages)}) == list(range(1, count + 1))


def test_a_list_that_stands_still_is_an_error(api: Any, make_source: Any, pull: Any, answer: Any) -> None:
    api.handler = lambda request: answer({"data": [{"id": 1}, {"id": 2}]})
    with pytest.raises(BadAnswer, match="does not move on"):
        pull(make_source({"pages": {"keyset": ["id"], "then": {"from": "{last.id}"}, "size": {"limit": 2}}}))
