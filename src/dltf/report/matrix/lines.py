"""Drawings that fill a cell of a table: their places are percents, so that they fit a column of any width."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from attrs import frozen
from markupsafe import Markup

from dltf.report.charts.scale import Scale
from dltf.report.wording import number, readable


@frozen
class Mark:
    """A value with its interval on one line; `css` is the class that colours it, `told` what it says."""

    value: float
    low: float
    high: float
    css: str
    told: str


def axis_line(scale: Scale, unit: str = "×") -> Markup:
    """Draw the ticks of an axis, to stand above its column."""
    svg = _svg("ticks")
    for tick in scale.ticks(5):
        place = scale(tick)
        text = ET.SubElement(svg, "text", {"x": _at(place), "y": "12", "class": f"tick {_anchored(place)}"})
        text.text = f"{unit}{number(tick)}"
    return _markup(svg)


def mark_line(mark: Mark | None, scale: Scale, band: tuple[float, float] | None) -> Markup:
    """Draw one row: the lines of the ticks, the band around 1, and the mark."""
    svg = _svg("line")
    if band is not None:
        left, right = (scale(_within(scale, edge)) for edge in band)
        _add(svg, "rect", {"x": _at(left), "y": "0", "width": _at(right - left), "height": "100%", "class": "band"})
    for tick in scale.ticks(5):
        place = _at(scale(tick))
        css = "one" if tick == 1 else "grid"
        _add(svg, "line", {"x1": place, "x2": place, "y1": "0", "y2": "100%", "class": css})
    if mark is not None:
        low, high, value = (_at(scale(_within(scale, one))) for one in (mark.low, mark.high, mark.value))
        _add(svg, "line", {"x1": low, "x2": high, "y1": "50%", "y2": "50%", "class": f"whisker {mark.css}"})
        _add(svg, "circle", {"cx": value, "cy": "50%", "r": "4.5", "class": f"dot {mark.css}"}, mark.told)
    return _markup(svg)


def bar_line(share: float, css: str = "bar") -> Markup:
    """Draw a bar as long as a share of the column."""
    svg = _svg("amount")
    _add(svg, "rect", {"width": "100%", "height": "100%", "rx": "2", "class": "track"})
    # What is small is still there to be seen.
    wide = _at(100 * min(max(share, 0.008), 1.0) if share > 0 else 0.0)
    _add(svg, "rect", {"width": wide, "height": "100%", "rx": "2", "class": css})
    return _markup(svg)


def scale_of(values: Sequence[float]) -> Scale:
    """Return the scale of ratios, with 1 on it: by the logarithm where they are wide apart."""
    low, high = min((1.0, *values)), max((1.0, *values))
    log = low > 0 and high / low > 4
    if log:
        return Scale(low / 1.12, high * 1.12, 2.0, 98.0, log=True)
    room = max(high - low, 0.02) * 0.06
    return Scale(low - room, high + room, 2.0, 98.0)


def _within(scale: Scale, value: float) -> float:
    return min(max(value, scale.low), scale.high)


def _anchored(place: float) -> str:
    return "first" if place < 8 else "last" if place > 92 else "middle"


def _svg(css: str) -> ET.Element:
    return ET.Element("svg", {"class": css, "aria-hidden": "true", "focusable": "false"})


def _add(svg: ET.Element, name: str, attributes: dict[str, str], told: str = "") -> None:
    shape = ET.SubElement(svg, name, attributes)
    if told:
        ET.SubElement(shape, "title").text = readable(told)


def _at(percent: float) -> str:
    return f"{percent:.4g}%"


def _markup(svg: ET.Element) -> Markup:
    return Markup(ET.tostring(svg, encoding="unicode"))
