"""The picture of a customer's evidence: whole, tidy, and nobody's code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hub.explain.layout import GAP, LEFT, MIDDLE, MOST_APART, MOST_PROFILES, stack
from hub.explain.page import NoPicture, check_picture, draw
from hub.explain.svg import fit, width, wrap
from hub.settings import SettingError
from hub.store.engine import Store
from mappings.rulebook import Rulebook

SVG = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]  # left, top, right, bottom


def drawn(store: Store, rulebook: Rulebook, file: Path, words: str = "cus_0001") -> str:
    draw(store, rulebook, words, file)
    return file.read_text(encoding="utf-8")


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314  (our own)


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in parsed(svg).iter(f"{SVG}text")]


def boxes(svg: str) -> Iterator[Box]:
    """Everything with round corners of a box."""
    for one in parsed(svg).iter(f"{SVG}rect"):
        if one.get("rx") == "7":
            x, y, wide, high = (float(one.get(name) or 0) for name in ("x", "y", "width", "height"))
            yield x, y, x + wide, y + high


def test_the_picture_shows_profiles_joins_and_golden_values(told: Store, rulebook: Rulebook, tmp_path: Path) -> None:
    svg = drawn(told, rulebook, tmp_path / "anna.svg")
    shown = texts(svg)
    for words in (
        "Why Anna Vogt is one customer", "Vogt, Anna", "users 3", "The same: 99 %, email and name",
        "The same: a steward, ada", "In spite of: 40 %, email and name", "Somebody else: 1 %, email and name",
        "Held back: 70 %, email and name", "Jan Vogt, cus_0002", "Waits for a steward: hub review",
        "billing, verified", "also holm@mail.example (crm)", "never shown", "said 1980-02-03 (crm)",
        "2026-06-01 MERGED",
    ):  # fmt: skip
        assert words in shown, words
    paths = list(parsed(svg).iter(f"{SVG}path"))
    dashed = [one for one in paths if one.get("stroke-dasharray") and one.find(f"{SVG}title") is not None]
    joined = [one for one in paths if not one.get("stroke-dasharray") and one.find(f"{SVG}title") is not None]
    assert (len(joined), len(dashed)) == (8, 4)  # four joins with two ends; one in spite, two to others
    thick = {float(one.get("stroke-width") or 0) for one in joined}
    assert len(thick) == 4


@pytest.mark.parametrize("kind", [".svg", ".html"])
def test_what_sources_say_stays_text_and_nothing_is_fetched(
    told: Store, rulebook: Rulebook, tmp_path: Path, kind: str
) -> None:
    page = drawn(told, rulebook, tmp_path / f"anna{kind}")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert re.findall(r"(?:href|src|url\(|@import|\bon\w+=)", page) == []
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}


def test_a_page_says_it_in_words_too(told: Store, rulebook: Rulebook, tmp_path: Path) -> None:
    page = drawn(told, rulebook, tmp_path / "anna.HTML")
    assert page.startswith("<!doctype html>")
    assert "<h3>why they are one</h3>" in page
    assert "<li>withdrawn 2026-06-01: two people</li>" in page


def test_no_box_lies_on_another_and_all_are_inside(told: Store, rulebook: Rulebook, tmp_path: Path) -> None:
    assert_tidy(drawn(told, rulebook, tmp_path / "one.svg"))


def assert_tidy(svg: str) -> None:
    *_, wide, high = (float(part) for part in (parsed(svg).get("viewBox") or "").split())
    found = list(boxes(svg))
    assert all(0 <= left < right <= wide and 0 <= top < bottom <= high for left, top, right, bottom in found)
    for one, other in combinations(found, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_hundreds_of_profiles_become_a_few_boxes(crowd: Store, rulebook: Rulebook, tmp_path: Path) -> None:
    svg = drawn(crowd, rulebook, tmp_path / "crowd.svg")
    assert_tidy(svg)
    found = list(boxes(svg))
    assert len([one for one in found if one[0] == MIDDLE]) == MOST_PROFILES + 3
    assert len([one for one in found if one[0] == LEFT]) <= MOST_PROFILES + MOST_APART
    shown = texts(svg)
    assert "Ada Guest 290" in shown  # its name is the golden one
    assert f"and {40 - MOST_APART} more" in shown
    assert [words for words in shown if " more of " in words] == [
        "and 95 more of crm", "and 95 more of shop", "and 96 more of web"
    ]  # fmt: skip
    assert len(svg) < 60_000


def test_the_same_store_gives_the_same_picture(told: Store, rulebook: Rulebook, tmp_path: Path) -> None:
    assert drawn(told, rulebook, tmp_path / "a.svg") == drawn(told, rulebook, tmp_path / "b.svg")


def test_a_customer_without_anything_is_drawn(told: Store, rulebook: Rulebook, tmp_path: Path) -> None:
    svg = drawn(told, rulebook, tmp_path / "jan.svg", "cus_0002")
    assert "Why Jan Vogt is one customer" in texts(svg)
    assert "1 profile of 1 source; 1 other compared and kept apart." in texts(svg)


@pytest.mark.parametrize("name", ["anna", "anna.png", "anna.svgz"])
def test_a_name_that_says_no_kind_is_refused(name: str) -> None:
    with pytest.raises(NoPicture, match=r"end the name in \.svg or \.html, as in --picture anna\.svg"):
        check_picture(Path(name))


def test_a_file_that_cannot_be_written_is_one_line(told: Store, rulebook: Rulebook, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"--picture .*no/anna\.svg: cannot be written"):
        draw(told, rulebook, "cus_0001", tmp_path / "no" / "anna.svg")


WISHES: dict[str, list[tuple[float, float]]] = {
    "far apart": [(100, 20), (300, 20), (500, 20)],
    "all at one place": [(200, 50)] * 6,
    "above the top": [(0, 80), (10, 30)],
    "one pushes many": [(100, 20), (110, 200), (120, 20), (600, 10)],
    "out of order": [(500, 20), (100, 20)],
}


@pytest.mark.parametrize("wishes", WISHES.values(), ids=WISHES)
def test_boxes_stand_below_each_other(wishes: list[tuple[float, float]]) -> None:
    placed = stack(wishes, 50)
    assert [one.high for one in placed] == [high for _, high in wishes]
    assert placed[0].y >= 50
    assert all(below.y >= above.end + GAP - 1e-6 for above, below in pairwise(placed))


def test_boxes_with_room_stand_where_they_want() -> None:
    assert [one.middle for one in stack(WISHES["far apart"], 0)] == [100, 300, 500]


@pytest.mark.parametrize(
    "words", ["Anna", "W" * 90, "寿" * 60, "a\u0301" * 80, "", "  two   blanks ", "x" * 500], ids=len
)
def test_text_is_cut_to_its_room(words: str) -> None:
    assert width(fit(words, 13, 200), 13) <= 200
    lines = wrap(words, 13, 200, 3)
    assert len(lines) <= 3
    assert all(width(line, 13) <= 200 for line in lines)
