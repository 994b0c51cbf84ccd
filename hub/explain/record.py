"""The golden record of the picture. In: its fields with winners and losers. Out: a box, and lines to the profiles that
the values come from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from hub.explain.figures import Golden
from hub.explain.layout import BROAD, MIDDLE, NARROW, PAD, RIGHT, TOP, Sheet, ports
from hub.explain.svg import LARGE, LINE, PLAIN, SMALL, box, curve, dot, fit, wrap, write


def draw_record(sheet: Sheet, card: Row[Any], golden: Sequence[Golden], box_at: Mapping[str, int | str]) -> float:
    """Draws the golden record and a line from each value to the profile that it comes from."""
    inner, room = RIGHT + PAD + 4, BROAD - 2 * PAD - 4
    stands = f"{card.kind} · {card.market_state}" + (f" · {card.stage}" if card.stage else "")
    parts = [
        write(inner, TOP + 30, fit(card.display_name or "(no name)", LARGE, room, bold=True), size=LARGE, bold=True),
        write(inner, TOP + 50, fit(card.public_id, SMALL, room), "mute", SMALL),
        write(inner, TOP + 68, fit(stands, SMALL, room), "mute", SMALL),
    ]
    y, leaving = TOP + 88, defaultdict[int | str, list[tuple[float, str]]](list)
    for row in golden:
        won = row.values[0]
        if row.shown:
            leaving[box_at[f"{won.source}/{won.stream}/{won.key}"]].append((y + 24, won.source))
        drawn_row, y = _row(row, sheet.hues, inner, y, room)
        parts += drawn_row
    high = y - TOP + 4
    sheet.parts += [box(RIGHT, TOP, BROAD, high, "gold", "rim"), *parts]
    for at, rows in leaving.items():
        for (to_y, source), from_y in zip(rows, ports(sheet.boxes[at], len(rows)), strict=True):
            start, end = (MIDDLE + NARROW, from_y), (RIGHT, to_y)
            sheet.lines.append(curve(start, end, sheet.hues[source], 1.4))
    return TOP + high


def _row(row: Golden, hues: Mapping[str, str], x: float, y: float, room: float) -> tuple[list[str], float]:
    """One field: its value, where it comes from and why, and what it won over."""
    won, label = row.values[0], row.field.replace("_", " ").capitalize()
    why = f"{won.source}, {won.strategy.replace('_', ' ')}" if row.shown else "never shown"
    hue = hues.get(won.source, "mute") if row.shown else "mute"
    parts = [
        write(x, y + 12, label, "mute", SMALL),
        write(x + 130, y + 12, fit(why, SMALL, room - 130), hue, SMALL),
        dot(x + 120, y + 8, 4, hue),
    ]
    y += 30
    if row.shown:
        parts.append(write(x, y, fit(won.value, PLAIN, room, bold=True), bold=True))
        y += LINE
    lost = row.values[1:] if row.shown else row.values
    if lost:
        word = "also" if row.listed and row.shown else "instead of" if row.shown else "said"
        listed = ", ".join(f"{one.value} ({one.source})" for one in lost[:6])
        more = f" and {len(lost) - 6} more" if len(lost) > 6 else ""
        for line in wrap(f"{word} {listed}{more}", SMALL, room, 3):
            parts.append(write(x, y, line, "mute", SMALL))
            y += LINE
    return parts, y + 6
