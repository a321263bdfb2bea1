"""One figure against another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from dltf.report.charts.drawing import LETTER, WIDTH, Drawing
from dltf.report.charts.scale import Scale, skewed, widened

if TYPE_CHECKING:
    from markupsafe import Markup

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 48, WIDTH - 12, 40, 206, 246


@frozen
class Series:
    """Points of one kind; `css` is the class that colours them."""

    name: str
    css: str
    points: Sequence[tuple[float, float]]


def scatter(series: Sequence[Series], *, x_axis: str, y_axis: str, alt: str) -> Markup:
    """Draw points, those of the last series above the others, and a legend."""
    xs = [x for one in series for x, _ in one.points]
    ys = [y for one in series for _, y in one.points]
    log = skewed(xs)
    drawing = Drawing(_HEIGHT, alt)
    x = Scale(*widened(min(xs) if log else min(0.0, *xs), max(xs)), _LEFT + 6, _RIGHT - 6, log)
    y = Scale(*widened(min(0.0, *ys), max(ys)), _BOTTOM - 6, _TOP + 4)
    drawing.y_axis(y, _LEFT, _RIGHT, y_axis)
    drawing.x_axis(x, _BOTTOM, x_axis)
    for one in series:
        # One path of dots of no length, which a round cap makes visible: a tenth of the bytes of as many circles.
        path = "".join(f"M{x(a):.1f} {y(b):.1f}h0" for a, b in one.points)
        drawing.add("path", d=path, css=f"dots {one.css}")
    _legend(drawing, series)
    return drawing.markup()


def _legend(drawing: Drawing, series: Sequence[Series]) -> None:
    at, line = float(_LEFT), 10.0
    for one in reversed(series):
        told = f"{one.name} ({len(one.points)})"
        wide = 20 + LETTER * len(told)
        if at + wide > _RIGHT:
            at, line = float(_LEFT), line + 16
        drawing.add("path", d=f"M{at + 4:g} {line:g}h0", css=f"dots {one.css}")
        drawing.text(at + 11, line + 4, told, css="tick", anchor="start")
        at += wide
