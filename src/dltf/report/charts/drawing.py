"""Elements of SVG, and the frame that charts share: a drawing 400 wide, whose text is set by the style sheet."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from markupsafe import Markup

from dltf.report.charts.scale import Scale
from dltf.report.wording import number, readable

WIDTH = 400
LETTER = 6.5  # the width of a letter, about


class Drawing:
    """An SVG that grows element by element; `alt` says in words what it shows."""

    def __init__(self, height: float, alt: str) -> None:
        self.height = height
        self._root = ET.Element(
            "svg", {"viewBox": f"0 0 {WIDTH} {height:g}", "class": "chart", "role": "img", "aria-label": readable(alt)}
        )

    def add(self, name: str, told: str = "", **attributes: float | str) -> None:
        """Add a shape; `told` is shown when it is pointed at."""
        shape = ET.SubElement(self._root, name, _written(attributes))
        if told:
            ET.SubElement(shape, "title").text = readable(told)

    def text(self, x: float, y: float, words: str, *, css: str, anchor: str = "middle", turned: bool = False) -> None:
        """Write words at a place; turned, they run upwards."""
        attributes: dict[str, float | str] = {"x": x, "y": y, "text_anchor": anchor, "css": css}
        if turned:
            attributes["transform"] = f"rotate(-90 {x:g} {y:g})"
        ET.SubElement(self._root, "text", _written(attributes)).text = readable(words)

    def x_axis(self, scale: Scale, bottom: float, label: str) -> None:
        """Draw ticks below the line at `bottom`, and the axis's label below them."""
        self.add("line", x1=scale.start, x2=scale.end, y1=bottom, y2=bottom, css="axis")
        for tick in scale.ticks():
            self.add("line", x1=scale(tick), x2=scale(tick), y1=bottom, y2=bottom + 4, css="axis")
            self.text(scale(tick), bottom + 16, number(tick), css="tick")
        told = f"{label} (log scale)" if scale.log else label
        self.text((scale.start + scale.end) / 2, bottom + 33, told, css="label")

    def y_axis(self, scale: Scale, left: float, right: float, label: str, *, whole: bool = False) -> None:
        """Draw lines across at the ticks, their values at the left, and the axis's label beside them."""
        for tick in scale.ticks(5):
            if whole and tick != int(tick):
                continue
            self.add("line", x1=left, x2=right, y1=scale(tick), y2=scale(tick), css="grid")
            self.text(left - 6, scale(tick) + 4, number(tick), css="tick", anchor="end")
        self.text(12, (scale.start + scale.end) / 2, label, css="label", turned=True)

    def markup(self) -> Markup:
        """Return the SVG, to be put into a page as it is."""
        return Markup(ET.tostring(self._root, encoding="unicode"))


def _written(attributes: dict[str, float | str]) -> dict[str, str]:
    return {
        ("class" if name == "css" else name.replace("_", "-")): value if isinstance(value, str) else f"{value:.5g}"
        for name, value in attributes.items()
    }
