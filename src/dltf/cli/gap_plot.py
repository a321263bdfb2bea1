"""Candidates by their gaps, each with its interval: one SVG that stands by itself."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from dltf.report.charts.drawing import LETTER, WIDTH, Drawing
from dltf.report.charts.scale import Scale
from dltf.report.wording import short

_ROW = 26
_TOP, _FOOT = 10, 46
_MOST_NAME = 22  # letters
_STYLE = """
svg { font: 11.5px system-ui, sans-serif; background: #fff; }
text { fill: #1a1a1a; } .tick, .label { fill: #5a5a5a; } .axis { stroke: #8a8a8a; } .grid { stroke: #e4e4e4; }
.interval { stroke: #1f6feb; stroke-width: 2; } .mean { fill: #1f6feb; }
"""


@frozen
class Interval:
    """One candidate: its mean, the interval, and what is written beside it."""

    name: str
    mean: float
    interval: tuple[float, float]
    told: str


def intervals(rows: Sequence[Interval], *, axis: str) -> str:
    """Draw the rows in their order, from zero on."""
    names = [short(row.name, _MOST_NAME) for row in rows]
    left = 14 + LETTER * max(map(len, names))
    right = WIDTH - 14 - LETTER * max(len(row.told) for row in rows)
    bottom = _TOP + _ROW * len(rows)
    alt = f"Intervals: {axis}; " + "; ".join(f"{row.name} {row.told}" for row in rows)
    drawing = Drawing(bottom + _FOOT, alt)
    scale = Scale(0.0, max(row.interval[1] for row in rows) or 1.0, left, right)
    for tick in scale.ticks():
        drawing.add("line", x1=scale(tick), x2=scale(tick), y1=_TOP, y2=bottom, css="grid")
    for place, (row, name) in enumerate(zip(rows, names, strict=True)):
        y = _TOP + _ROW * (place + 0.5)
        drawing.text(left - 8, y + 4, name, css="name", anchor="end")
        start, end = map(scale, row.interval)
        drawing.add("line", row.told, x1=start, x2=end, y1=y, y2=y, css="interval")
        drawing.add("circle", f"{row.name}: {row.told}", cx=scale(row.mean), cy=y, r=4, css="mean")
        drawing.text(right + 8, y + 4, row.told, css="tick", anchor="start")
    drawing.x_axis(scale, bottom, axis)
    # In a page its style sheet and the page itself give what a file of its own has to bring.
    head, rest = str(drawing.markup()).split(">", 1)
    return f'{head} xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}"><style>{_STYLE}</style>{rest}'
