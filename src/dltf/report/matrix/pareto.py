"""What an answer costs: accuracy against time and size, and the variants that none is better than in both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from dltf.report.charts.drawing import WIDTH, Drawing
from dltf.report.charts.scale import Scale, skewed, widened
from dltf.report.matrix.rows import Row
from dltf.report.wording import short

if TYPE_CHECKING:
    from markupsafe import Markup

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 58, WIDTH - 14, 14, 206, 246


@frozen
class Point:
    """One variant: what it costs, how good it is, and how both are written."""

    row: Row
    cost: float
    worth: float
    told: str


@frozen
class Tradeoff:
    """A drawing, and the front: the variants with nothing cheaper that is as good."""

    title: str
    svg: Markup
    front: tuple[Point, ...]
    below: int  # points that lie below what is drawn


def tradeoff(points: Sequence[Point], *, title: str, x_axis: str, y_axis: str) -> Tradeoff | None:
    """Draw worth against cost, the front marked and joined; None where there are no two variants to choose from."""
    if len(points) < 2:
        return None
    front = front_of(points)
    names = ", ".join(short(point.row.name, 40) for point in front)
    drawing = Drawing(_HEIGHT, f"{title}, {len(points)} variants. None is better in both than: {names}.")
    costs, worths = [point.cost for point in points], [point.worth for point in points]
    log = skewed([*costs]) or (min(costs) > 0 and max(costs) > 8 * min(costs))
    low, high = widened(min(costs) if log else 0.0, max(costs))
    x = Scale(low, high, _LEFT + 10, _RIGHT - 10, log)
    y = Scale(*_room(_least(worths), max(worths)), _BOTTOM - 8, _TOP + 8)
    drawing.y_axis(y, _LEFT, _RIGHT, y_axis)
    drawing.x_axis(x, _BOTTOM, x_axis)
    _steps(drawing, x, y, front)
    for point in sorted(points, key=lambda one: one in front):
        css = f"point front {point.row.css}" if point in front else f"point {point.row.css}"
        told = f"{point.row.number} {short(point.row.name, 60)}: {point.told}"
        if point.worth < y.low:  # an arrow says that it lies further down
            drawing.add("path", told, d=f"M{x(point.cost) - 5:.1f} {_BOTTOM - 9}h10l-5 8z", css=css)
        else:
            radius = 5.5 if point in front else 4.0
            drawing.add("circle", told, cx=x(point.cost), cy=y(point.worth), r=radius, css=css)
    _numbers(drawing, x, y, [point for point in front if point.worth >= y.low])
    return Tradeoff(title, drawing.markup(), tuple(front), sum(worth < y.low for worth in worths))


def front_of(points: Sequence[Point]) -> list[Point]:
    """Return the points that none is better than in one way and no worse in the other, the cheapest first."""
    front: list[Point] = []
    for point in sorted(points, key=lambda one: (one.cost, -one.worth, one.row.number)):
        if not front or point.worth > front[-1].worth:
            front.append(point)
    return front


def _least(worths: Sequence[float]) -> float:
    """Return the least worth that is drawn in its place: a few that are far worse do not press the others together."""
    ordered = sorted(worths)
    best, quarter = ordered[-1], ordered[len(ordered) // 4]
    reach = best - 3 * max(best - quarter, 0.5)
    return ordered[0] if ordered[0] >= reach else min(one for one in ordered if one >= reach)


def _room(low: float, high: float) -> tuple[float, float]:
    """Return limits with some room; what differs by next to nothing is not drawn as if it were far apart."""
    room = max(high - low, 0.1) * 0.08
    return low - room, high + room


def _steps(drawing: Drawing, x: Scale, y: Scale, front: Sequence[Point]) -> None:
    """Draw the edge of what can be had: the best worth up to each cost."""
    path = f"M{x(front[0].cost):.1f} {_BOTTOM}"
    for point in front:
        path += f"H{x(point.cost):.1f}V{min(y(point.worth), _BOTTOM):.1f}"
    drawing.add("path", d=f"{path}H{_RIGHT}", css="edge")


def _numbers(drawing: Drawing, x: Scale, y: Scale, front: Sequence[Point]) -> None:
    """Write the numbers of the front above and left of its points, those without room for theirs left out."""
    taken: list[tuple[float, float]] = []
    for point in reversed(front):
        at = x(point.cost) - 7, y(point.worth) - 7
        if all(abs(at[0] - left) > 14 or abs(at[1] - top) > 12 for left, top in taken):
            drawing.text(*at, str(point.row.number), css="place", anchor="end")
            taken.append(at)
