"""Drawing. In: texts, boxes and lines at places. Out: elements of an SVG that needs nothing else, light or dark.

Sizes are in pixels. How wide a text becomes depends on the reader's fonts, so it is measured by a wide one.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from unicodedata import category, combining, east_asian_width

LINE = 16  # from one line of text to the next
SMALL, PLAIN, LARGE, HUGE = 11, 13, 16, 22
HUES = 8

_NARROW, _WIDE = frozenset(" .,:;|!'ijlItfr()[]/-"), frozenset("mwMWGOQ@%—…=≠")
_LIGHT = ("#1f6feb", "#c2410c", "#15803d", "#9333ea", "#b91c5c", "#0e7490", "#a16207", "#4b5563")
_DARK = ("#6cb0ff", "#ff9a5c", "#5fd38a", "#c79bff", "#ff86b3", "#5cd0e6", "#e6bf55", "#aab4c0")
_INKS = {
    "ground": ("#ffffff", "#12161c"),
    "box": ("#f6f8fa", "#1b212a"),
    "gold": ("#fff8e1", "#2b2614"),
    "ink": ("#17202b", "#eef2f6"),
    "mute": ("#55606d", "#a3aebb"),
    "edge": ("#c3ccd6", "#3b4653"),
    "rim": ("#d4a017", "#c79a2b"),
    "yes": ("#2f855a", "#5fd38a"),
    "maybe": ("#b7791f", "#e6bf55"),
    "no": ("#c53030", "#ff8a8a"),
}


def plain(words: str) -> str:
    """Text of a source without what XML cannot hold or what would turn the line around."""
    return "".join(" " if category(sign)[0] == "C" else sign for sign in words)


def width(words: str, size: int, bold: bool = False) -> float:
    """How wide a text is at most: in a wide sans serif, as DejaVu Sans is."""
    ems = sum(map(_em, words))
    return ems * size * (1.08 if bold else 1.0)


def _em(sign: str) -> float:
    if combining(sign):
        return 0.0
    if east_asian_width(sign) in "WF":
        return 1.05
    if sign in _NARROW:
        return 0.41
    if sign in _WIDE:
        return 1.0
    return 0.70 if sign.isupper() or ord(sign) > 0x24F else 0.635


def fit(words: str, size: int, room: float, bold: bool = False) -> str:
    """The text, or as much of its beginning as there is room for, with an ellipsis."""
    words = " ".join(plain(words).split())
    if width(words, size, bold) <= room:
        return words
    while words and width(words + "…", size, bold) > room:
        words = words[:-1]
    return words.rstrip() + "…"


def wrap(words: str, size: int, room: float, most: int) -> list[str]:
    """The text in lines, `most` of them; what is left over ends in an ellipsis."""
    lines: list[str] = []
    rest = plain(words).split()
    while rest and len(lines) < most:
        taken = 1
        while taken < len(rest) and width(" ".join(rest[: taken + 1]), size) <= room:
            taken += 1
        last = len(lines) == most - 1
        lines.append(fit(" ".join(rest if last else rest[:taken]), size, room))
        rest = [] if last else rest[taken:]
    return lines


def write(x: float, y: float, words: str, ink: str = "ink", size: int = PLAIN, bold: bool = False) -> str:
    """A line of text whose baseline begins at the place. It is escaped here; it fits where `fit` has cut it."""
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}"{weight} class="f-{ink}">{escape(plain(words))}</text>'


def box(
    x: float, y: float, wide: float, high: float, fill: str = "box", edge: str = "edge", dashed: bool = False
) -> str:
    """A box with round corners."""
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="7" class="f-{fill} s-{edge}"{dashes}/>'
    )  # fmt: skip


def bar(x: float, y: float, wide: float, high: float, ink: str) -> str:
    """A filled strip."""
    return f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="2" class="f-{ink}"/>'


def dot(x: float, y: float, radius: float, ink: str) -> str:
    """A filled circle."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" class="f-{ink}"/>'


def curve(
    start: tuple[float, float], end: tuple[float, float], ink: str, thick: float, dashed: bool = False, about: str = ""
) -> str:
    """A line that leaves and arrives level; `about` is shown to who points at it."""
    (x, y), (to_x, to_y) = start, end
    half = (x + to_x) / 2
    dashes = ' stroke-dasharray="6 5"' if dashed else ""
    path = f'd="M{x:g} {y:g}C{half:g} {y:g} {half:g} {to_y:g} {to_x:g} {to_y:g}" fill="none"'
    told = f"<title>{escape(plain(about))}</title>" if about else ""
    return f'<path {path} stroke-width="{thick:.1f}" class="s-{ink}"{dashes} stroke-opacity=".75">{told}</path>'


def drawing(wide: float, high: float, title: str, about: str, parts: Sequence[str]) -> str:
    """The whole SVG; `title` and `about` are what a reader who does not see it is told."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" width="{wide:g}" height="{high:g}" '
        f"role=\"img\" font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\">"
        f"<title>{escape(plain(title))}</title><desc>{escape(plain(about))}</desc><style>{_style()}</style>"
    )
    ground = f'<rect width="{wide:g}" height="{high:g}" class="f-ground"/>'
    return "\n".join([head, ground, *parts, "</svg>\n"])


def _style() -> str:
    inks = _INKS | {f"hue{at}": pair for at, pair in enumerate(zip(_LIGHT, _DARK, strict=True))}
    light, dark = ("".join(f".f-{n}{{fill:{p[s]}}}.s-{n}{{stroke:{p[s]}}}" for n, p in inks.items()) for s in (0, 1))
    return f"{light}@media (prefers-color-scheme:dark){{{dark}}}"
