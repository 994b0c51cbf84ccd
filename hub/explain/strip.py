"""The history of an id as a strip. In: what happened to it. Out: drawn events from left to right, oldest first."""

from __future__ import annotations

from collections.abc import Sequence

from hub.clock import show
from hub.explain.evidence import Event
from hub.explain.layout import MARGIN, WIDE
from hub.explain.svg import LARGE, LINE, PLAIN, SMALL, curve, dot, fit, wrap, write

_CELLS = 5
_MOST = 2 * _CELLS
_WIDE = (WIDE - 2 * MARGIN) / _CELLS
_INKS = dict.fromkeys(("MINTED", "MERGED", "REVIVED"), "yes") | dict.fromkeys(("SPLIT", "RETIRED", "ERASED"), "no")


def strip(history: Sequence[Event], top: float) -> tuple[list[str], float]:
    """The events below `top`, the first and the last ones where they are many; and where the strip ends."""
    parts = [write(MARGIN, top + 14, "What became of the id", size=LARGE, bold=True)]
    shown = list(history)
    if len(shown) > _MOST:
        left_out = len(shown) - _MOST + 1
        gap = Event(shown[1].at, f"{left_out} MORE", (), "hub explain lists them")
        shown = [shown[0], gap, *shown[-(_MOST - 2) :]]
    y = top + 40
    for start in range(0, len(shown), _CELLS):
        row = shown[start : start + _CELLS]
        parts.append(curve((MARGIN + 5, y), (MARGIN + 5 + (len(row) - 1) * _WIDE, y), "edge", 1.5))
        cells = [_cell(event, MARGIN + at * _WIDE, y) for at, event in enumerate(row)]
        parts += [part for cell in cells for part in cell]
        y += 32 + LINE * max(map(len, cells))
    return parts, y - LINE if shown else top + 24


def _cell(event: Event, x: float, y: float) -> list[str]:
    room = _WIDE - 24
    reason = event.reason if len(event.ids) < 2 else f"{', '.join(event.ids)}: {event.reason}"
    return [
        dot(x + 5, y, 5, _INKS.get(event.event, "maybe")),
        write(x, y + 24, fit(f"{show(event.at)[:10]}  {event.event}", PLAIN, room, bold=True), bold=True),
        *(write(x, y + 42 + n * LINE, line, "mute", SMALL) for n, line in enumerate(wrap(reason, SMALL, room, 3))),
    ]
