"""The two losses over the epochs, as a small SVG that stands alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from dltf_vae.course import Course

_WIDTH, _HEIGHT = 400, 200  # of one panel
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 388, 34, 164
_TRAIN, _HELD_OUT, _BEST, _TEXT, _GRID = "#8a8f98", "#1f6feb", "#b3261e", "#444950", "#d8dbe0"
_PANELS = {"reconstruction": "squared error of a picture", "kl": "KL divergence, nats"}


def losses_svg(course: Course) -> str:
    """Draw reconstruction and KL divergence, of what was trained on and of what was held out."""
    best = course.best
    told = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_WIDTH} {_HEIGHT * len(_PANELS)}",
            "width": str(_WIDTH * 2),
            "font-family": "system-ui, sans-serif",
            "font-size": "11",
            "role": "img",
            "aria-label": f"Losses of {len(course.epochs)} epochs; kept: {best.number if best else 'none'}.",
        },
    )
    ET.SubElement(told, "rect", {"width": "100%", "height": "100%", "fill": "white"})
    for place, (key, axis) in enumerate(_PANELS.items()):
        group = ET.SubElement(told, "g", {"transform": f"translate(0 {_HEIGHT * place})"})
        _panel(group, course, key, axis)
    return ET.tostring(told, encoding="unicode") + "\n"


def _panel(group: ET.Element, course: Course, key: str, axis: str) -> None:
    trained = [getattr(epoch.train, key) for epoch in course.epochs]
    held_out = [getattr(epoch.held_out, key) for epoch in course.epochs]
    finite: list[float] = [value for value in trained + held_out if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    high = high if high > low else low + 1.0
    last = max(len(course.epochs), 2)

    def x(epoch: float) -> float:
        return _LEFT + (epoch - 1) / (last - 1) * (_RIGHT - _LEFT)

    def y(value: float) -> float:
        return _BOTTOM - (value - low) / (high - low) * (_BOTTOM - _TOP)

    for tick in _ticks(low, high):
        _line(group, [(_LEFT, y(tick)), (_RIGHT, y(tick))], _GRID, 1.0)
        _text(group, _LEFT - 6, y(tick) + 4, f"{tick:g}", "end")
    for tick in [tick for tick in _ticks(1, last) if tick == int(tick)]:
        _text(group, x(tick), _BOTTOM + 16, f"{tick:g}", "middle")
    for values, colour in ((trained, _TRAIN), (held_out, _HELD_OUT)):
        points = [(x(i), y(value)) for i, value in enumerate(values, start=1) if math.isfinite(value)]
        _line(group, points, colour, 1.8)
    if course.best is not None:
        at = {"cx": x(course.best.number), "cy": y(getattr(course.best.held_out, key)), "r": 3.5}
        ET.SubElement(group, "circle", {name: f"{value:.1f}" for name, value in at.items()} | {"fill": _BEST})
    _text(group, _LEFT, 16, axis, "start")
    _text(group, _LEFT + 170, 16, "trained on", "start", _TRAIN)
    _text(group, _LEFT + 232, 16, "held out", "start", _HELD_OUT)
    _text(group, _LEFT + 284, 16, "kept", "start", _BEST)
    _text(group, (_LEFT + _RIGHT) / 2, _BOTTOM + 31, "epoch", "middle")


def _line(group: ET.Element, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
    told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    ET.SubElement(group, "polyline", {"points": told, "fill": "none", "stroke": colour, "stroke-width": f"{width:g}"})


def _text(group: ET.Element, x: float, y: float, words: str, anchor: str, colour: str = _TEXT) -> None:
    at = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "fill": colour}
    ET.SubElement(group, "text", at).text = words


def _ticks(low: float, high: float) -> list[float]:
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= (high - low) / 5 * 0.999)
    return [round(i * step, 10) for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
