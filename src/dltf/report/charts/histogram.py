"""How values are spread."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltf.report.charts.drawing import LETTER, WIDTH, Drawing
from dltf.report.charts.scale import Scale, skewed, widened
from dltf.report.wording import counted, number

if TYPE_CHECKING:
    from markupsafe import Markup

_BINS = 24
_LABEL, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 28, WIDTH - 12, 26, 196, 236


def histogram(values: Sequence[float], *, axis: str, of: str = "finding", alt: str) -> Markup:
    """Draw how many values lie where, and their median; whole numbers get bins of whole numbers."""
    log = skewed(values)
    whole = all(float(value).is_integer() for value in values)
    edges = _edges(min(values), max(values), log=log, whole=whole)
    counts = np.histogram(np.asarray(values, dtype=np.float64), bins=edges)[0].tolist()
    drawing = Drawing(_HEIGHT, alt)
    y = Scale(0, max(counts), _BOTTOM, _TOP)
    left = _LABEL + LETTER * max(len(number(tick)) for tick in y.ticks(5))
    x = Scale(edges[0], edges[-1], left, _RIGHT, log)
    drawing.y_axis(y, left, _RIGHT, f"{of}s", whole=True)
    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
        if count:
            told = f"{_between(low, high, whole=whole)}: {counted(count, of)}"
            start, top, wide = x(low) + 0.5, y(count), max(x(high) - x(low) - 1, 0.8)
            drawing.add("rect", told, x=start, width=wide, y=top, height=_BOTTOM - top, css="bar")
    drawing.x_axis(x, _BOTTOM, axis)
    _median(drawing, x, statistics.median(values))
    return drawing.markup()


def _median(drawing: Drawing, x: Scale, median: float) -> None:
    at = x(median)
    drawing.add("line", x1=at, x2=at, y1=_TOP - 6, y2=_BOTTOM, css="median")
    # The words stand where there is room for them.
    shift, anchor = (-5, "end") if at > WIDTH * 0.6 else (5, "start")
    drawing.text(at + shift, _TOP - 10, f"median {number(median)}", css="tick", anchor=anchor)


def _between(low: float, high: float, *, whole: bool) -> str:
    if not whole:
        return f"{number(low)} to {number(high)}"
    return number(low) if high - low <= 1 else f"{number(low)} to {number(high - 1)}"


def _edges(low: float, high: float, *, log: bool, whole: bool) -> list[float]:
    """Return the bins' edges: some two dozen, evenly apart along the axis."""
    if whole and not log:
        step = max(1, -(-int(high - low + 1) // _BINS))
        return [float(edge) for edge in range(int(low), int(high) + 1 + step, step)]
    if whole:
        edges = np.geomspace(low, high + 1, _BINS + 1)
        return sorted({float(np.floor(edge)) for edge in edges} | {low, high + 1})
    if log:
        return [float(edge) for edge in np.geomspace(low, high, _BINS + 1)]
    return [float(edge) for edge in np.linspace(*widened(0.0 if 0 < low < high / 2 else low, high), _BINS + 1)]
