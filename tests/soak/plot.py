"""Series over time as an SVG of a few hundred bytes: enough to see whether a line is level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 720, 240, 60, 30, 30
_COLOURS: Final = ("#0b6e99", "#b4551d", "#4a7a2c", "#7a3e9d")

Series = Sequence[tuple[float, float]]  # x, y


def svg(title: str, x_name: str, unit: str, series: Mapping[str, Series]) -> str:
    """One line for each series, in one frame whose y axis begins at 0."""
    right = max(x for points in series.values() for x, _ in points) or 1.0
    top = max(y for points in series.values() for _, y in points) * 1.1 or 1.0
    wide, high = _WIDTH - _LEFT - 10, _HEIGHT - _TOP - _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">',
        f"<title>{escape(title)}</title>",
        "<style>text {font: 11px sans-serif}</style>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{_LEFT}" y="16" font-size="13">{escape(title)}</text>',
    ]
    for n in range(5):
        y = _TOP + high * n / 4
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_LEFT + wide}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{top * (4 - n) / 4:.3g}</text>')
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 10}">{escape(unit)}; 0 to {right:,.0f} {escape(x_name)}</text>')
    for place, (name, points) in enumerate(series.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        drawn = " ".join(f"{_LEFT + wide * x / right:.1f},{_TOP + high * (1 - y / top):.1f}" for x, y in points)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<text x="{_WIDTH - 10 - 90 * place}" y="16" text-anchor="end" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])
