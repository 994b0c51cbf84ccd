"""How time grows with the estate. In: points of each contender. Out: an SVG text, both axes by powers of ten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 800, 420, 70, 230, 50, 50
_COLORS = ("#0a7d5a", "#c2571a", "#5b6cc9", "#a0408c", "#7a7a7a")
_STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#222}.g{stroke:#ddd}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.g{stroke:#444}rect{fill:#1b1b1b}}</style>"
)
_LEAST = 0.01  # what is less is drawn as this
Points = Sequence[tuple[float, float]]


def curve(title: str, lines: Mapping[str, Points]) -> str:
    """One line a contender through (profiles, seconds), its last point labelled."""
    points = [point for line in lines.values() for point in line]
    spans = [_span([x for x, _ in points]), _span([y for _, y in points])]

    def place(x: float, y: float) -> tuple[float, float]:
        shares = [(log10(max(_LEAST, v)) - low) / (high - low) for v, (low, high) in zip((x, y), spans, strict=True)]
        across, up = shares
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)

    (x_low, x_high), (y_low, y_high) = spans
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        _STYLE,
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="26" font-weight="600">{escape(title)}</text>',
    ]
    for power in range(x_low, x_high + 1):
        x, _ = place(10.0**power, 1)
        parts.append(f'<line class="g" x1="{x:.0f}" x2="{x:.0f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>')
        parts.append(f'<text x="{x:.0f}" y="{_HEIGHT - _BOTTOM + 22}" text-anchor="middle">{10**power:,}</text>')
    for power in range(y_low, y_high + 1):
        _, y = place(1, 10.0**power)
        parts.append(f'<line class="g" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.0f}" y2="{y:.0f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{10.0**power:g} s</text>')
    for color, (name, line) in zip(_COLORS, lines.items(), strict=False):
        parts += _line(color, name, [place(x, y) for x, y in sorted(line)], max(line)[1])
    return "\n".join([*parts, "</svg>\n"])


def _span(values: Sequence[float]) -> tuple[int, int]:
    low = floor(log10(max(_LEAST, min(values))))
    return low, max(low + 1, ceil(log10(max(_LEAST, max(values)))))


def _line(color: str, name: str, points: Points, last: float) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return [
        f'<polyline fill="none" stroke="{color}" stroke-width="2" points="{path}"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>' for x, y in points),
        f'<text x="{x + 10:.1f}" y="{y + 4:.1f}" style="fill:{color}">{escape(name)}, {last:.2g} s</text>',
    ]
