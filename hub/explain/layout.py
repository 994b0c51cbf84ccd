"""Where everything stands in the picture. In: the evidence of one customer. Out: what is drawn of it, box by box.

Three columns: judgements, profiles by source, the golden record. A customer of hundreds of profiles is drawn by those
that its strongest joins and its golden values lead to; the rest of each source is one box with their number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.explain.evidence import Evidence, Judged
from hub.explain.svg import LINE
from hub.identity.steward.review import Side

MARGIN, TOP = 32.0, 132.0
LEFT, MIDDLE, RIGHT = MARGIN, 468.0, 936.0  # where the columns begin
NARROW, BROAD = 336.0, 400.0  # how wide judgements and profiles are, and the golden record
WIDE = RIGHT + BROAD + MARGIN
GAP, PAD = 14.0, 14.0  # between boxes, and within them
MOST_PROFILES, MOST_APART, MOST_FACTS = 14, 8, 5


@dataclass(frozen=True, slots=True)
class Placed:
    """A box: from `y` down to `y + high`."""

    y: float
    high: float

    @property
    def middle(self) -> float:
        """Its height in the middle."""
        return self.y + self.high / 2

    @property
    def end(self) -> float:
        """Where it ends."""
        return self.y + self.high


@dataclass(slots=True)
class Sheet:
    """What has been drawn so far: lines lie below boxes. `boxes` are of profiles, or of the rest of a source."""

    hues: Mapping[str, str]
    lines: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    boxes: dict[int | str, Placed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is drawn: profiles by source, and how many more each source has."""

    profiles: tuple[Side, ...]
    hidden: dict[str, int]

    def box_of(self, side: Side) -> int | str:
        """The box in which a profile is found: its own, or that of the rest of its source."""
        return side.number if side in self.profiles else source_of(side)


def source_of(side: Side) -> str:
    """The source that a profile is of."""
    return side.place.split("/", 1)[0]


def choose(found: Evidence, winners: Collection[str]) -> Chosen:
    """The profiles to draw: `winners` (places whose values are golden) and those joined most strongly, all if few."""
    if len(found.profiles) <= MOST_PROFILES:
        return Chosen(found.profiles, {})
    order: dict[int, None] = {}
    for side in found.profiles:
        if side.place in winners:
            order[side.number] = None
    for one in found.joins:
        order |= {one.left: None, one.right: None}
    order |= dict.fromkeys(side.number for side in found.profiles)
    kept = set(list(order)[:MOST_PROFILES])
    shown = tuple(side for side in found.profiles if side.number in kept)
    return Chosen(shown, dict(Counter(source_of(s) for s in found.profiles if s.number not in kept)))


def drawn(judged: Iterable[Judged], chosen: Chosen) -> list[Judged]:
    """The judgements of which every profile of the customer's own has a box."""
    numbers = {side.number for side in chosen.profiles}
    return [one for one in judged if one.left in numbers and one.right in numbers]


def stack(heights: Sequence[tuple[float, float]], top: float) -> list[Placed]:
    """Boxes one below the other, none over another, each as near as may be to where it wants its middle.

    `heights` are (middle, height) in the order of the boxes. Those that want the same place share the way.
    """
    groups: list[tuple[float, float, int]] = []  # where a run of boxes wants to begin, its height, its boxes
    for middle, high in heights:
        groups.append((max(top, middle - high / 2), high, 1))
        while len(groups) > 1 and groups[-2][0] + groups[-2][1] + GAP > groups[-1][0]:
            (first, above, count), (second, below, more) = groups[-2], groups[-1]
            wished = (first * count + (second - above - GAP) * more) / (count + more)
            groups[-2:] = [(max(top, wished), above + GAP + below, count + more)]
    placed: list[Placed] = []
    for y, _, count in groups:
        for _, high in heights[len(placed) : len(placed) + count]:
            placed.append(Placed(y, high))
            y += high + GAP
    return placed


def ports(box: Placed, count: int) -> list[float]:
    """Heights at which `count` lines reach a box, from the top down."""
    return [box.y + box.high * (at + 1) / (count + 1) for at in range(count)]


def lines_high(count: int) -> float:
    """How high a box of so many lines is."""
    return count * LINE + 16.0
