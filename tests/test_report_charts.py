"""The drawings of a report: axes that hold what is shown, and SVG that is well-formed whatever the names are."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from dltf.report.charts import Bar, Series, bars, heat_map, histogram, scatter
from dltf.report.charts.scale import Scale, skewed, widened

SVG = "{http://www.w3.org/2000/svg}"
amounts = st.floats(min_value=1e-6, max_value=1e9)
names = st.text(max_size=40)


def told(svg: str) -> list[str]:
    """What the shapes of a drawing say when they are pointed at."""
    return [title.text or "" for title in ET.fromstring(svg).iter("title")]


def written(svg: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(svg).iter("text")]


@given(low=amounts, high=amounts, log=st.booleans())
def test_ticks_lie_within_the_axis_in_order_and_are_few(low: float, high: float, log: bool) -> None:
    low, high = widened(*sorted((low, high)))
    scale = Scale(low, high, 50, 350, log)
    ticks = scale.ticks()
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= 9
    assert all(low * 0.998 <= tick <= high * 1.002 or math.isclose(tick, low, abs_tol=high * 1e-6) for tick in ticks)


def test_an_axis_has_round_ticks() -> None:
    assert Scale(0, 63, 0, 1).ticks() == [0, 20, 40, 60]
    assert Scale(1, 10_000, 0, 1, log=True).ticks() == [1, 10, 100, 1000, 10000]
    assert Scale(3, 60, 0, 1, log=True).ticks() == [5, 10, 20, 50]


@given(low=amounts, middle=amounts, high=amounts, log=st.booleans())
def test_a_larger_value_lies_further_along(low: float, middle: float, high: float, log: bool) -> None:
    low, middle, high = sorted((low, middle, high))
    scale = Scale(*widened(low, high), 0, 100, log)
    assert -1e-6 <= scale(low) <= scale(middle) <= scale(high) <= 100 + 1e-6


def test_a_long_tail_is_shown_by_its_logarithm() -> None:
    assert skewed([1, 2, 3, 500])
    assert not skewed([0, 2, 3, 500])
    assert not skewed([8, 9, 10])


@given(st.lists(st.one_of(amounts, st.integers(0, 10_000)), min_size=1, max_size=60))
def test_a_histogram_counts_every_value_once(values: list[float]) -> None:
    counts = [int(re.findall(r": ([\d,]+) finding", title)[0].replace(",", "")) for title in told(svg_of(values))]
    assert sum(counts) == len(values)


def svg_of(values: list[float]) -> str:
    return histogram(values, axis="queries", alt="all of them")


def test_a_histogram_of_whole_numbers_names_whole_numbers() -> None:
    assert told(svg_of([1, 1, 2, 4])) == ["1: 2 findings", "2: 1 finding", "4: 1 finding"]
    assert "median 1.5" in written(svg_of([1, 1, 2, 4]))


@given(st.lists(st.tuples(amounts, st.floats(0, 20)), min_size=1, max_size=30), names)
def test_a_scatter_plot_has_a_dot_for_each_point(points: list[tuple[float, float]], name: str) -> None:
    svg = scatter([Series(name, "unsure", points)], x_axis="rms", y_axis="nats", alt=name)
    dots = [path.get("d", "") for path in ET.fromstring(svg).iter("path")]
    assert sum(path.count("h0") for path in dots) == len(points) + 1, "and one in the legend"


@given(st.lists(st.tuples(names, amounts), min_size=1, max_size=12))
def test_bars_are_as_long_as_their_values(rows: list[tuple[str, float]]) -> None:
    svg = bars([Bar(name, value, "much") for name, value in rows], axis="findings", alt="bars")
    lengths = [float(rect.get("width", "")) for rect in ET.fromstring(svg).iter("rect")]
    longest = max(value for _, value in rows)
    for length, (_, value) in zip(lengths, rows, strict=True):
        assert math.isclose(length, max(max(lengths) * value / longest, 1.0), rel_tol=1e-3)


@given(st.lists(names, min_size=2, max_size=10, unique=True), st.integers(1, 10**6))
def test_a_heat_map_tells_the_count_of_each_cell(classes: list[str], count: int) -> None:
    svg = heat_map({(classes[0], classes[1]): count}, classes, axes=("reference", "candidate"), alt="pairs")
    assert [title.rpartition(": ")[2] for title in told(svg)] == [f"{count:,} finding{'s' * (count > 1)}"]
    cells = [rect for rect in ET.fromstring(svg).iter("rect") if "empty" not in rect.get("class", "")]
    assert len(cells) == 1


def test_drawings_have_no_colours_of_their_own() -> None:
    svg = svg_of([1.0, 2.5, 7.0]) + bars([Bar("a", 1, "1")], axis="x", alt="y")
    assert not re.search(r"fill=|stroke=|style=|#[0-9a-f]{3}", svg), "the style sheet has them, for light and dark"
