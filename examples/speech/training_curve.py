"""How a training went, as an SVG file: the loss, and what is right of what was held out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from attrs import astuple, frozen

from dltf.report.charts.scale import Scale

LEFT, RIGHT, HEIGHT = 60, 580, 420
LOSS, SHARE = (180, 30), (380, 230)  # bottom and top of the two charts
STYLE = """text { font: 12px sans-serif; fill: #333 } .grid { stroke: #ddd } .line { fill: none; stroke-width: 2 }
.loss { stroke: #555 } .words { stroke: #2a78b5 } .strings { stroke: #c2571a }"""


@frozen
class Point:
    """Where a training stands: the mean loss since the last point, and shares of held-out words and strings."""

    step: int
    loss: float
    words: float
    strings: float

    def as_list(self) -> list[float]:
        return list(astuple(self))


def draw(points: Sequence[Point], title: str) -> str:
    """Return the curve of one point or more."""
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 600 {HEIGHT}"})
    ET.SubElement(root, "style").text = STYLE
    ET.SubElement(root, "rect", {"width": "600", "height": str(HEIGHT), "fill": "white"})
    _text(root, LEFT, 18, title)
    x = Scale(0, points[-1].step, LEFT, RIGHT)
    losses = [max(point.loss, 1e-4) for point in points]
    loss = Scale(min(*losses, max(losses) / 2), max(losses), *LOSS, log=True)
    share = Scale(0, 1, *SHARE)
    _grid(root, loss, "")
    _grid(root, share, "%")
    for tick in x.ticks():
        _text(root, x(tick), SHARE[0] + 18, f"{tick:g}", anchor="middle")
    _text(root, RIGHT, HEIGHT - 4, "steps", anchor="end")
    _line(root, "loss", "loss (log scale)", [(x(p.step), loss(v)) for p, v in zip(points, losses, strict=True)])
    _line(root, "strings", "whole strings right, held out", [(x(p.step), share(p.strings)) for p in points])
    _line(root, "words", "words right, held out", [(x(p.step), share(p.words)) for p in points])
    for row, (css, name) in enumerate((("words", "words right"), ("strings", "whole strings right"))):
        _text(root, RIGHT, SHARE[0] - 30 + 16 * row, f"— {name}, held out", anchor="end", css=css)
    _text(root, RIGHT, LOSS[1] + 28, "— loss, log scale", anchor="end", css="loss")
    return ET.tostring(root, encoding="unicode")


def write(points: Sequence[Point], title: str, out: Path) -> None:
    """Draw the curve into a file, at once or not at all."""
    unfinished = out.with_suffix(".part")
    unfinished.write_text(draw(points, title), encoding="utf-8")
    unfinished.replace(out)


def _grid(root: ET.Element, scale: Scale, unit: str) -> None:
    for tick in scale.ticks(5):
        at = f"{scale(tick):.1f}"
        ET.SubElement(root, "line", {"x1": str(LEFT), "x2": str(RIGHT), "y1": at, "y2": at, "class": "grid"})
        _text(root, LEFT - 6, scale(tick) + 4, f"{tick:.0%}" if unit else f"{tick:g}", anchor="end")


def _line(root: ET.Element, css: str, told: str, places: Sequence[tuple[float, float]]) -> None:
    line = ET.SubElement(
        root, "polyline", {"class": f"line {css}", "points": " ".join(f"{x:.1f},{y:.1f}" for x, y in places)}
    )
    ET.SubElement(line, "title").text = told


def _text(root: ET.Element, x: float, y: float, words: str, *, anchor: str = "start", css: str = "") -> None:
    colours = {"loss": "#555", "words": "#2a78b5", "strings": "#c2571a"}
    style = {"style": f"fill: {colours[css]}"} if css else {}
    ET.SubElement(root, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, **style}).text = words
