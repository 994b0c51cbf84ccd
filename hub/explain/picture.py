"""The picture. In: the evidence of one customer and its golden values. Out: an SVG, the same for the same store.

Judgements stand on the left, the profiles that they join in the middle by source, what the hub shows on the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from hub.explain.cards import draw_judgements, percent
from hub.explain.evidence import Evidence
from hub.explain.figures import Golden
from hub.explain.layout import (
    GAP,
    LEFT,
    MARGIN,
    MIDDLE,
    MOST_FACTS,
    NARROW,
    PAD,
    RIGHT,
    TOP,
    WIDE,
    Chosen,
    Placed,
    Sheet,
    choose,
    lines_high,
    source_of,
)
from hub.explain.record import draw_record
from hub.explain.strip import strip
from hub.explain.svg import HUES, HUGE, LARGE, LINE, PLAIN, SMALL, bar, box, curve, dot, drawing, fit, write
from hub.explain.tree import name_of, says
from hub.identity.steward.review import Side


def picture(found: Evidence, card: Row[Any], golden: Sequence[Golden], trust: Sequence[str]) -> str:
    """The customer's evidence as an SVG: profiles, joins, what was not joined, golden values with their origin."""
    shown = [row.values[0] for row in golden if row.shown]
    chosen = choose(found, {f"{row.source}/{row.stream}/{row.key}" for row in shown})
    sources = sorted({source_of(side) for side in found.profiles}, key=lambda s: (_rank(s, trust), s))
    sheet = Sheet({source: f"hue{at % HUES}" for at, source in enumerate(sources)})
    low = max(
        _profiles(sheet, chosen, sources),
        draw_judgements(sheet, found, chosen),
        draw_record(sheet, card, golden, {side.place: chosen.box_of(side) for side in found.profiles}),
    )
    events, high = strip(found.history, low + 2 * GAP)
    name = card.display_name or "(no name)"
    about = summary(found)
    head = [
        write(MARGIN, 48, fit(f"Why {name} is one customer", HUGE, WIDE - 2 * MARGIN, bold=True), size=HUGE, bold=True),
        write(MARGIN, 74, fit(about, PLAIN, WIDE - 2 * MARGIN), "mute"),
        *(write(x, TOP - 16, words, size=LARGE, bold=True) for x, words in _columns(found)),
    ]
    parts = [*head, *sheet.lines, *sheet.parts, *events, *_legend(high)]
    return drawing(WIDE, high + 44, f"{name}, {card.public_id}", about, parts)


def summary(found: Evidence) -> str:
    """The picture in a sentence."""
    sources = len({source_of(side) for side in found.profiles})
    words = f"{_count(len(found.profiles), 'profile')} of {_count(sources, 'source')}"
    if found.joins:
        weakest = percent(min(one.score for one in found.joins))
        words += f", held together by {_count(len(found.joins), 'judgement')} of {weakest} or more"
        words += f" and confirmed by {len(found.further)} more" if found.further else ""
    if found.apart:
        words += f"; {_count(len(found.apart), 'other')} compared and kept apart"
    return words + "."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number != 1 else "")


def _rank(source: str, trust: Sequence[str]) -> int:
    return trust.index(source) if source in trust else len(trust)


def _columns(found: Evidence) -> list[tuple[float, str]]:
    left = [(LEFT, "Why they are one")] if found.joins else []
    return [*left, (MIDDLE, "Who says what"), (RIGHT, "What the hub shows")]


def _profiles(sheet: Sheet, chosen: Chosen, sources: Sequence[str]) -> float:
    """Draws the profiles below the names of their sources; says how far down that goes."""
    y = TOP
    for source in sources:
        hue = sheet.hues[source]
        sheet.parts += [dot(MIDDLE + 6, y + 9, 5, hue), write(MIDDLE + 18, y + 14, source, hue, PLAIN, bold=True)]
        y += 22
        for side in (one for one in chosen.profiles if source_of(one) == source):
            y = _profile(sheet, side, y, hue) + GAP
        if rest := chosen.hidden.get(source):
            sheet.boxes[source] = placed = Placed(y, 34)
            sheet.parts += [box(MIDDLE, y, NARROW, placed.high, dashed=True)]
            sheet.parts += [write(MIDDLE + PAD, y + 22, f"and {rest:,} more of {source}", "mute")]
            y = placed.end + GAP
        y += GAP / 2
    return y


def _profile(sheet: Sheet, side: Side, y: float, hue: str) -> float:
    room = NARROW - 2 * PAD
    said = says(side) or ["nothing but a device or an id"]
    facts = said if len(said) <= MOST_FACTS else [*said[: MOST_FACTS - 1], f"and {len(said) - MOST_FACTS + 1} more"]
    placed = Placed(y, lines_high(len(facts) + 2))
    _, stream, key = side.place.split("/", 2)
    sheet.boxes[side.number] = placed
    sheet.parts += [
        box(MIDDLE, y, NARROW, placed.high),
        bar(MIDDLE, y + 5, 5, placed.high - 10, hue),
        write(MIDDLE + PAD, y + 22, fit(name_of(side), PLAIN, room, bold=True), bold=True),
        *(
            write(MIDDLE + PAD, y + 22 + (at + 1) * LINE, fit(fact, SMALL, room), size=SMALL)
            for at, fact in enumerate(facts)
        ),
        write(MIDDLE + PAD, placed.end - 10, fit(f"{stream} {key}", SMALL, room), "mute", SMALL),
    ]
    return placed.end


def _legend(y: float) -> list[str]:
    y += 22
    samples = (
        ("yes", 5.0, False, "joined, sure"),
        ("yes", 1.6, False, "joined, less sure"),
        ("maybe", 1.6, True, "not sure, not joined"),
        ("no", 1.6, True, "somebody else"),
        ("hue0", 1.4, False, "a value comes from here"),
    )
    parts: list[str] = []
    for at, (ink, thick, dashed, words) in enumerate(samples):
        x = MARGIN + at * 250
        parts += [curve((x, y - 4), (x + 40, y - 4), ink, thick, dashed), write(x + 50, y, words, "mute", SMALL)]
    return parts
