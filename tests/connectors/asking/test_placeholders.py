"""Texts with placeholders: what goes into a text as it is, what between quotes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.asking.links import target
from connectors.asking.placeholders import ABSENT, Text, Unfit, compiled


def filled(text: str, **values: Any) -> Any:
    made = compiled(text, lambda said: said.replace("${user}", "O'Brien {since}"))
    return (
        made.value({name.replace("__", "."): value for name, value in values.items()})
        if isinstance(made, Text)
        else made
    )


TEXTS = [
    pytest.param("plain {text}", {}, "plain {text}", id="no-placeholder"),
    pytest.param("{since}", {"since": 1772366400}, 1772366400, id="alone-a-number-stays-a-number"),
    pytest.param("{last.ids}", {"last__ids": [1, 2]}, [1, 2], id="alone-a-list-stays-a-list"),
    pytest.param("{since}", {}, ABSENT, id="alone-without-a-value"),
    pytest.param("x > {since}", {}, ABSENT, id="within-a-text-without-a-value"),
    pytest.param("x > {last.id}", {"last__id": ""}, ABSENT, id="an-empty-value-is-none"),
    pytest.param("x > {since}", {"since": "2026-03-01T12:00:00Z"}, "x > 2026-03-01T12:00:00Z", id="a-time"),
    pytest.param("x > {since}", {"since": "01.03.2026 12:00"}, "x > 01.03.2026 12:00", id="a-time-as-the-mapping-says"),
    pytest.param("id:{last.id}", {"last__id": "a-b_c.d:e+1"}, "id:a-b_c.d:e+1", id="a-plain-word"),
    pytest.param("id:{last.id}", {"last__id": True}, "id:true", id="a-flag"),
    pytest.param("n = '{last.n}'", {"last__n": "a b) or 1=1"}, "n = 'a b) or 1=1'", id="between-quotes"),
    pytest.param("n = '{last.n}'", {"last__n": "x' or '1"}, r"n = 'x\' or \'1'", id="a-quote-is-escaped"),
    pytest.param('n = "{last.n}"', {"last__n": "x\" it's"}, 'n = "x\\" it\'s"', id="only-the-own-quote-is-escaped"),
    pytest.param("n = '{last.n}'", {"last__n": "x\\"}, r"n = 'x\\'", id="a-backslash-is-escaped"),
    pytest.param(r"n = 'it\'s {last.n}'", {"last__n": "a b"}, r"n = 'it\'s a b'", id="an-escaped-quote-closes-none"),
    pytest.param("a = 'x' and n = {last.n}", {"last__n": "7"}, "a = 'x' and n = 7", id="quotes-that-are-closed"),
    pytest.param(
        "o = '${user}', n = '{last.n}'",
        {"last__n": "a b"},
        "o = 'O'Brien {since}', n = 'a b'",
        id="a-setting-is-no-part",
    ),
]


@pytest.mark.parametrize(("text", "values", "said"), TEXTS)
def test_a_text_takes_its_values(text: str, values: Any, said: Any) -> None:
    assert filled(text, **values) == said


REFUSED = [
    pytest.param("n = {last.n}", "a b", "is no plain word; write it between quotes", id="not-between-quotes"),
    pytest.param("a = 'x' and n = {last.n}", "1) or (1", "is no plain word", id="behind-quotes"),
    pytest.param("n = '{last.n}'", "a\nb", "line break", id="a-line-break"),
    pytest.param("n = {last.n}", {"a": 1}, "is no text or number", id="an-object"),
]


@pytest.mark.parametrize(("text", "value", "says"), REFUSED)
def test_a_value_that_would_become_part_of_a_query_is_refused(text: str, value: Any, says: str) -> None:
    with pytest.raises(Unfit, match=says):
        filled(text, last__n=value)


def path(text: str, value: Any) -> str:
    made = compiled(text, str)
    assert isinstance(made, Text)
    return made.path({"parent.id": value})


def test_a_value_in_a_path_is_quoted() -> None:
    assert path("/a/{parent.id}/b", "x/y z?&#") == "/a/x%2Fy%20z%3F%26%23/b"
    assert path("/a/{parent.id}", 7) == "/a/7"


@pytest.mark.parametrize(
    ("value", "says"), [("..", "out of the path"), (".", "out of"), (None, "has no value"), ("", "no value")]
)
def test_a_value_that_leads_elsewhere_makes_no_path(value: Any, says: str) -> None:
    with pytest.raises(Unfit, match=says):
        path("/a/{parent.id}", value)


LINKS = [
    pytest.param('<https://a.example/x?page=2>; rel="next"', "https://a.example/x?page=2", id="quoted"),
    pytest.param("</x?page=2>;rel=next", "/x?page=2", id="bare-and-relative"),
    pytest.param('</1>; rel="prev", </2>; rel="next", </9>; rel="last"', "/2", id="several"),
    pytest.param('</2>; rel="last  NEXT"', "/2", id="a-list-of-relations-in-any-case"),
    pytest.param('</a,b;c>; title="x, <y>; rel=next"; rel="next"', "/a,b;c", id="commas-and-titles"),
    pytest.param('</2>; title="a \\" b"; REL=next', "/2", id="an-escaped-quote"),
    pytest.param('</2>; rel="nextish", </3>; rel=prev; rel=next', None, id="only-the-first-rel-counts"),
    pytest.param('</2>; rel=next; anchor="/other"', None, id="of-another-page"),
    pytest.param("</2>; crossorigin; rel=next", "/2", id="a-parameter-without-value"),
    pytest.param("nothing of the kind", None, id="no-link"),
    pytest.param("", None, id="empty"),
]


@pytest.mark.parametrize(("header", "found"), LINKS)
def test_a_link_header_names_the_next_page(header: str, found: str | None) -> None:
    assert target(header, "next") == found
