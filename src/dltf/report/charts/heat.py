"""How often two things go together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dltf.report.charts.drawing import LETTER, WIDTH, Drawing
from dltf.report.wording import counted, number, short

if TYPE_CHECKING:
    from markupsafe import Markup

_MOST_NAME = 14  # letters
_FAINT = 0.10
_LIGHT_FROM = 0.71  # the shade from which on text of the page's own colour is read better


def heat_map(
    counts: Mapping[tuple[str, str], int],
    names: Sequence[str],
    *,
    axes: tuple[str, str],
    alt: str,
    noun: str = "finding",
) -> Markup:
    """Draw a square of `names` by `names`, rows and columns named by `axes`; a darker cell stands for more findings."""
    written = [short(name, _MOST_NAME) for name in names]
    margin = 28 + LETTER * max(map(len, written))
    cell = (WIDTH - margin - 8) / len(names)
    drawing = Drawing(margin + cell * len(names) + 8, alt)
    most = max(counts.values())
    for place, name in enumerate(written):
        middle = margin + cell * (place + 0.5)
        drawing.text(margin - 6, middle + 4, name, css="tick", anchor="end")
        # Names above the columns run upwards from the square.
        drawing.text(middle + 4, margin - 6, name, css="tick", anchor="start", turned=True)
    drawing.text(12, margin + cell * len(names) / 2, axes[0], css="label", turned=True)
    drawing.text(margin + cell * len(names) / 2, 12, axes[1], css="label")
    for i, ours in enumerate(names):
        for j, theirs in enumerate(names):
            count = counts.get((ours, theirs), 0)
            told = f"{axes[0]} {ours}, {axes[1]} {theirs}: {counted(count, noun)}"
            _cell(
                drawing,
                margin + cell * j,
                margin + cell * i,
                cell,
                math.sqrt(count / most),
                count,
                told if count else "",
            )
    return drawing.markup()


def _cell(drawing: Drawing, x: float, y: float, side: float, share: float, count: int, told: str) -> None:
    shade = _FAINT + (1 - _FAINT) * share if count else 1.0
    css = "cell" if count else "cell empty"
    drawing.add("rect", told, x=x + 0.5, y=y + 0.5, width=side - 1, height=side - 1, css=css, fill_opacity=shade)
    if count and side >= LETTER * len(number(count)) + 6:
        css = "count on" if shade >= _LIGHT_FROM else "count"
        drawing.text(x + side / 2, y + side / 2 + 4, number(count), css=css)
