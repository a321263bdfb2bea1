"""Which plots a run has: each with a title, a sentence, and words for those who do not see it."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.report import grades
from dltf.report.charts import Bar, Series, bars, heat_map, histogram, scatter
from dltf.report.names import Names
from dltf.report.ranking import Ranked
from dltf.report.wording import FORMS, counted, number, percent, short, tail

if TYPE_CHECKING:
    from markupsafe import Markup

    from dltf.store import Store

_MOST_CLASSES = 16  # of a heat map; beyond it the pairs are listed
_MOST_ROWS = 14
_MOST_DOTS = 3000


@frozen
class Plot:
    """A drawing and what is written around it."""

    title: str
    svg: Markup
    note: str = ""


def plots(
    store: Store, ranked: Sequence[Ranked], summary: Mapping[str, Any], names: Names, units: Mapping[str, str]
) -> list[Plot]:
    """Return the plots that this run has something to show in."""
    searched = [one for one in ranked if one.phase == "search"]
    return [
        *_queries(searched),
        *_distances(searched, units),
        *_severity(searched, units),
        *_refined(store, searched, units),
        *_class_pairs(ranked, names),
        *_operators(summary["operators"]),
        *_natural(store, names),
    ]


def _queries(searched: Sequence[Ranked]) -> Iterator[Plot]:
    values = [one.queries for one in searched if one.kind == "deviation"]
    if len(values) > 1:
        alt = f"Histogram of the queries to a finding: {_spread(values)}."
        yield Plot("Queries to a finding", histogram(values, axis="search queries", alt=alt))


def _distances(searched: Sequence[Ranked], units: Mapping[str, str]) -> Iterator[Plot]:
    name, unit = _leading(searched, units)
    values = _values(searched, name)
    if len(values) > 1:
        alt = f"Histogram of the distance {name} between finding and seed: {_spread(values)} {unit}."
        yield Plot("Distance to the seed", histogram(values, axis=_with(name, unit), alt=alt))


def _severity(searched: Sequence[Ranked], units: Mapping[str, str]) -> Iterator[Plot]:
    name, unit = _leading(searched, units)
    points: dict[str, list[tuple[float, float]]] = {}
    scored = [one for one in searched if _finite(one.severity) and _finite(one.distances.get(name))]
    stride = -(-len(scored) // _MOST_DOTS) or 1
    for one in scored[::stride]:
        assert one.severity is not None
        points.setdefault(one.grade, []).append((one.distances[name], one.severity))
    if len(scored) < 2:
        return
    series = [
        Series(grade, grades.css(grade), points[grade]) for grade in sorted(points, key=grades.place, reverse=True)
    ]
    shown = "" if stride == 1 else f" Every {stride}th finding is shown."
    alt = f"Scatter plot of severity in nats against the distance {name}, {counted(len(scored), 'finding')}."
    svg = scatter(series, x_axis=_with(name, unit), y_axis="severity (nats)", alt=alt)
    yield Plot(
        "Severity against distance", svg, f"At the upper left: a small change, a confident contradiction.{shown}"
    )


def _refined(store: Store, searched: Sequence[Ranked], units: Mapping[str, str]) -> Iterator[Plot]:
    """Plot where shrinking and amplifying have led."""
    name, unit = _leading(searched, units)
    rows = store.query("SELECT phase, distances, min(reference_margin, candidate_margin) FROM derived")
    found = [("as found", one.distances, one.severity) for one in searched]
    found += [(FORMS[phase], json.loads(distances), severity) for phase, distances, severity in rows]
    points: dict[str, list[tuple[float, float]]] = {title: [] for title in ("as found", *FORMS.values())}
    for title, distances, severity in found:
        if severity is not None and _finite(severity) and _finite(distances.get(name)):
            points[title].append((distances[name], severity))
    if not rows or not points["as found"]:
        return
    stride = -(-len(found) // _MOST_DOTS) or 1
    styles = dict(zip(points, ("near-tie", "unsure", "regression"), strict=True))
    series = [Series(title, styles[title], of[::stride]) for title, of in points.items() if of]
    alt = f"Scatter plot of severity in nats against the distance {name}: {', '.join(one.name for one in series)}."
    svg = scatter(series, x_axis=_with(name, unit), y_axis="severity (nats)", alt=alt)
    yield Plot("What became of them", svg, "Shrinking moves findings to the left, amplifying upwards.")


def _class_pairs(ranked: Sequence[Ranked], names: Names) -> Iterator[Plot]:
    deviations = [one for one in ranked if one.kind == "deviation" and one.reference is not None]
    pairs = Counter((names(one.reference), names(one.candidate)) for one in deviations)
    if not pairs:
        return
    (ours, theirs), most = pairs.most_common(1)[0]
    alt = f"Pairs of answers; the most frequent: reference {ours}, candidate {theirs}, {counted(most, 'finding')}."
    classes = _in_order({name for pair in pairs for name in pair}, ranked, names)
    if 2 < len(classes) <= _MOST_CLASSES:
        yield Plot("Pairs of answers", heat_map(pairs, classes, axes=("reference", "candidate"), alt=alt))
        return
    rows = [Bar(f"{ours} → {theirs}", count, number(count)) for (ours, theirs), count in pairs.most_common(_MOST_ROWS)]
    note = f"The {_MOST_ROWS} most frequent of {number(len(pairs))}." if len(pairs) > _MOST_ROWS else ""
    yield Plot("Pairs of answers", bars(rows, axis="findings, reference → candidate", alt=alt), note)


def _operators(counts: Mapping[str, int]) -> Iterator[Plot]:
    if counts:
        rows = [Bar(tail(name), count, number(count)) for name, count in list(counts.items())[:_MOST_ROWS]]
        first = next(iter(counts))
        alt = f"Bars: findings by the operator that made the last step; the most: {short(first)}, {counts[first]}."
        yield Plot("Operators", bars(rows, axis="findings by the last operator", alt=alt))


def _natural(store: Store, names: Names) -> Iterator[Plot]:
    """Plot the share of seeds of each label on which the variants differ as they are."""
    found = store.query(
        """SELECT label, sum(outcome = 'natural'), count(*) FROM screened WHERE label != 'null' GROUP BY label"""
    )
    if not any(natural for _, natural, _ in found):
        return
    rates = [(names(json.loads(label)), natural, seeds) for label, natural, seeds in found]
    rates.sort(key=lambda rate: (-rate[1] / rate[2], -rate[2], rate[0]))
    rows = [
        Bar(name, natural / seeds, f"{percent(natural / seeds)} of {number(seeds)}") for name, natural, seeds in rates
    ]
    alt = f"Bars: natural findings by the seed's label; the most: {rows[0].name}, {rows[0].told} seeds."
    note = f"The {_MOST_ROWS} highest of {len(rows)} labels." if len(rows) > _MOST_ROWS else ""
    yield Plot("Natural findings by label", bars(rows[:_MOST_ROWS], axis="share of the label’s seeds", alt=alt), note)


def _leading(searched: Sequence[Ranked], units: Mapping[str, str]) -> tuple[str, str]:
    """Return the distance that leads, and its unit: the domain's first, else the first that was measured."""
    name = next(iter(units), "") or next((name for one in searched for name in one.distances), "")
    return name, units.get(name, "")


def _values(searched: Sequence[Ranked], name: str) -> list[float]:
    return [one.distances[name] for one in searched if _finite(one.distances.get(name))]


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _spread(values: Sequence[float]) -> str:
    return f"{len(values)} findings, median {number(statistics.median(values))}, largest {number(max(values))}"


def _with(name: str, unit: str) -> str:
    return f"{short(name, 30)} ({short(unit, 30)})" if unit else short(name, 30)


def _in_order(classes: set[str], ranked: Sequence[Ranked], names: Names) -> list[str]:
    """Order classes by their number where they have one, else by name."""
    numbered = {
        names(decision): decision
        for one in ranked
        for decision in (one.reference, one.candidate)
        if isinstance(decision, (int, float))
    }
    return sorted(classes, key=lambda name: (name not in numbered, numbered.get(name, 0), name))
