"""Named amounts, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from dltf.report.charts.drawing import LETTER, WIDTH, Drawing
from dltf.report.wording import short

if TYPE_CHECKING:
    from markupsafe import Markup

_ROW = 22
_TOP, _FOOT = 8, 24
_MOST_NAME = 26  # letters


@frozen
class Bar:
    """One bar: its name, how long it is, and what is written beside it."""

    name: str
    value: float
    told: str


def bars(rows: Sequence[Bar], *, axis: str, alt: str) -> Markup:
    """Draw the rows in their order, from zero on."""
    named = [short(row.name, _MOST_NAME) for row in rows]
    left = 12 + LETTER * min(max(map(len, named)), _MOST_NAME)
    room = WIDTH - left - 12 - LETTER * max(len(row.told) for row in rows)
    most = max(row.value for row in rows) or 1.0
    drawing = Drawing(_TOP + _ROW * len(rows) + _FOOT, alt)
    for place, (row, name) in enumerate(zip(rows, named, strict=True)):
        top = _TOP + _ROW * place
        long = max(room * row.value / most, 1.0)
        drawing.text(left - 6, top + 14, name, css="name", anchor="end")
        drawing.add(
            "rect", f"{short(row.name)}: {row.told}", x=left, y=top + 3, width=long, height=_ROW - 7, rx=1.5, css="bar"
        )
        drawing.text(left + long + 5, top + 14, row.told, css="tick", anchor="start")
    drawing.text(left, drawing.height - 6, axis, css="label", anchor="start")
    return drawing.markup()
