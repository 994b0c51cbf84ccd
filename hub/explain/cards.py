"""The judgements of the picture. In: what joins the profiles and what was not joined. Out: a card each on the sheet,
and lines to the profiles that it is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hub.explain.evidence import Evidence, Judged, other_end
from hub.explain.layout import (
    LEFT,
    MIDDLE,
    MOST_APART,
    NARROW,
    PAD,
    TOP,
    Chosen,
    Sheet,
    drawn,
    lines_high,
    ports,
    stack,
)
from hub.explain.svg import LARGE, LINE, PLAIN, SMALL, box, curve, fit, wrap, write
from hub.explain.tree import name_of
from hub.identity.evidence.verdict import MATCH, NO_MATCH, WHOLE

_SAID = {MATCH: "The same", NO_MATCH: "Somebody else"}
_INK = {MATCH: "yes", NO_MATCH: "no"}


@dataclass(frozen=True, slots=True)
class _Card:
    """A judgement as it is drawn: its words, and the profiles that it is about and that have a box."""

    judged: Judged
    head: str
    lines: tuple[str, ...]
    ends: tuple[int, ...]

    @property
    def high(self) -> float:
        return lines_high(len(self.lines) + 1)


def percent(millionths: int) -> str:
    """The chance as 98.9 %, never rounded up to certainty."""
    return f"{millionths // 1000 / 10:g} %"


def draw_judgements(sheet: Sheet, found: Evidence, chosen: Chosen) -> float:
    """Draws what joins the profiles, below it what was not joined, and the lines to them."""
    joins = [_card(one, found, sheet) for one in drawn(found.joins, chosen)]
    low, lines = _column(sheet, joins, TOP)
    if rest := len(found.joins) - len(joins):
        sheet.parts.append(write(LEFT, low + 16, f"and {rest:,} joins of the profiles that are not drawn", "mute"))
        low += 24
    against = [*drawn(found.in_spite, chosen), *found.apart]
    if against:
        low += 30 if joins else 0
        sheet.parts.append(
            write(LEFT, low - 16 if not joins else low + 6, "What was not joined", size=LARGE, bold=True)
        )
        low += 22 if joins else 0
        low, more = _column(sheet, [_card(one, found, sheet) for one in against[:MOST_APART]], low)
        lines += more
    if len(against) > MOST_APART:
        sheet.parts.append(write(LEFT, low + 14, f"and {len(against) - MOST_APART:,} more", "mute"))
        low += 20
    _connect(sheet, lines)
    return low


_Line = tuple[float, int, Judged]  # from the middle of a card to a profile


def _card(one: Judged, found: Evidence, sheet: Sheet) -> _Card:
    inside = {side.number for side in found.profiles}
    ends = tuple(number for number in (one.left, one.right) if number in sheet.boxes)
    who = f"a steward, {one.decided_by}" if one.decided_by else f"{percent(one.score)}, {one.rule.replace('_', ' ')}"
    room = NARROW - 2 * PAD
    held = any(reason.startswith("not joined:") for reason in one.reasons)
    head = f"{_SAID.get(one.verdict, 'Held back' if held else 'Not sure')}: {who}"
    reasons = wrap("; ".join(one.reasons), SMALL, room, 3)
    if one.left in inside and one.right in inside:
        return _Card(one, head if one.verdict == MATCH else f"In spite of: {who}", tuple(reasons), ends)
    other = found.sides[other_end(one, inside)]
    whose = f"{name_of(other)}, {other.customer or 'nobody yet'}"
    told = [fit(whose, SMALL, room), *reasons]
    return _Card(one, head, (*told, *(["Waits for a steward: hub review"] if one.waits else [])), ends)


def _column(sheet: Sheet, cards: Sequence[_Card], top: float) -> tuple[float, list[_Line]]:
    """Draws cards, each near its profiles; says where the last one ends, and which lines lead away."""
    middles = {card: sum(sheet.boxes[end].middle for end in card.ends) / (len(card.ends) or 1) for card in cards}
    ordered = sorted(cards, key=middles.__getitem__)
    placed = stack([(middles[card], card.high) for card in ordered], top)
    lines: list[_Line] = []
    for card, at in zip(ordered, placed, strict=True):
        ink = _INK.get(card.judged.verdict, "maybe")
        sheet.parts += [
            box(LEFT, at.y, NARROW, at.high, edge=ink, dashed=card.judged.verdict != MATCH),
            write(LEFT + PAD, at.y + 20, fit(card.head, PLAIN, NARROW - 2 * PAD, bold=True), ink, bold=True),
            *(write(LEFT + PAD, at.y + 20 + (n + 1) * LINE, line, size=SMALL) for n, line in enumerate(card.lines)),
        ]
        lines += [(at.middle, end, card.judged) for end in card.ends]
    return max((at.end for at in placed), default=top), lines


def _connect(sheet: Sheet, lines: Sequence[_Line]) -> None:
    """Lines from the judgements to the profiles, side by side where they arrive; the surer the thicker."""
    arriving: dict[int, list[_Line]] = defaultdict(list)
    for line in lines:
        arriving[line[1]].append(line)
    for number, those in sorted(arriving.items()):
        heights = ports(sheet.boxes[number], len(those))
        for (y, _, one), height in zip(sorted(those, key=lambda line: line[:2]), heights, strict=True):
            ink, thick = _INK.get(one.verdict, "maybe"), 1.2 + 4.8 * max(0.0, one.score / WHOLE - 0.5) / 0.5
            about = f"{percent(one.score)} {one.rule}: {'; '.join(one.reasons)}"
            dashed = one.verdict != MATCH
            start, end = (LEFT + NARROW, y), (MIDDLE, height)
            sheet.lines.append(curve(start, end, ink, 1.6 if dashed else thick, dashed, about))
