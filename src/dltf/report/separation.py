"""The page of a separation: how radii are spread, which labels come near each other, and the suspects as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.errors import ReportError
from dltf.report.charts import Bar, bars, histogram
from dltf.report.charts.drawing import WIDTH, Drawing
from dltf.report.charts.scale import Scale, skewed
from dltf.report.page import rendered
from dltf.report.previews import Preview, embedded
from dltf.report.wording import number, percent, short
from dltf.store.folder import write_whole

if TYPE_CHECKING:
    from markupsafe import Markup

    from dltf.contracts import Preview as Draws
    from dltf.feature.measured import Measured
    from dltf.values import FloatArray

PAGE = "separation.html"

_SHADES = 7  # as the style sheet has them
_MOST_NUMBERS = 32  # labels up to which cells hold their number
_MOST_LABELS = 40  # that bars are drawn for
_STEPS = 200  # of the curve
_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 48, WIDTH - 12, 26, 196, 236


@frozen
class Cell:
    """One pair of labels: what is written, its shade, and what it says when pointed at."""

    text: str
    css: str
    told: str


@frozen
class Suspect:
    """Two samples of different labels that lie near each other."""

    rank: int
    distance: str
    names: tuple[str, str]
    labels: tuple[str, str]
    same: bool
    preview: Preview


def write_separation_report(measured: Measured, draws: Draws, folder: Path) -> Path:
    """Write the page into `folder`, whole or not at all; return its path. Raise `ReportError` where it cannot be."""
    try:
        html = rendered(
            gathered(measured, draws),
            ("separation.html.j2", "macros.html.j2"),
            ("report.css", "matrix.css", "separation.css"),
        )
    # What was measured is worth more than its page: what a bug of ours brings up is told as such.
    except Exception as error:
        raise ReportError(
            f"the page of the separation cannot be made: {type(error).__name__}: {error}",
            hint=f"what was measured is whole, in {folder / 'separation.json'}",
        ) from error
    write_whole(folder / PAGE, html.encode(errors="backslashreplace"))
    return folder / PAGE


def gathered(measured: Measured, draws: Draws) -> dict[str, Any]:
    """Return what the template names."""
    record, radii = measured.record, measured.found.radii
    return {
        "name_of": record["name"],
        "verdict": _verdict(record),
        "record": record,
        "what": "pixels" if record["space"] == "pixels" else "the latent space",
        "tiles": _tiles(record),
        "plots": _plots(record, radii),
        "labels": [
            (short(one["label"], 60), one["points"], _told(one["r"], record), _told(one["median"], record))
            for one in record["by_label"]
        ],
        "heat": _heat(record),
        "names": [short(label, 14) for label in record["pairs"]["labels"]] if record["pairs"] else [],
        "crowded": record["pairs"] is not None and len(record["pairs"]["labels"]) > _MOST_NUMBERS,
        "shades": range(1, _SHADES + 1),
        "suspects": _suspects(measured, draws),
        "without": _without(record),
        "facts": _facts(record),
    }


def _verdict(record: Mapping[str, Any]) -> str:
    if record["r"] == 0:
        return (
            "Samples of different labels lie in one place: r = 0. Without the nearest "
            f"{percent(record['trim'])} the radius is {_told(record['trimmed'], record)}"
        )
    apart, radius = _told(2 * record["r"], record), _told(record["r"], record)
    return f"Labels lie {apart} apart or more in {record['norm']}: r = {radius}"


def _tiles(record: Mapping[str, Any]) -> list[dict[str, str]]:
    found = [
        ("r", record["r"], f"half the least distance in {record['norm']}", "bad" if record["r"] == 0 else ""),
        ("r, trimmed", record["trimmed"], f"no more than {percent(record['trim'])} of the samples have less", ""),
        ("Median radius", record["radii"]["median"], "half of the samples have more", ""),
    ]
    tiles = [_tile(name, value, about, record, css) for name, value, about, css in found]
    if record["seeds"] is not None:
        seeds = record["seeds"]
        about = f"of {seeds['samples']:,} seeds among the reference; least {_told(seeds['radii']['least'], record)}"
        tiles.append(_tile("Median radius of seeds", seeds["radii"]["median"], about, record))
    return tiles


def _tile(name: str, value: float, about: str, record: Mapping[str, Any], css: str = "") -> dict[str, str]:
    of = f"{value / record['scale']:.4f} × {record['scale']}; " if record["scale"] else ""
    return {"name": name, "value": number(value, 4), "about": f"{of}{about}", "css": css}


def _plots(record: Mapping[str, Any], radii: FloatArray) -> list[tuple[str, str, Markup]]:
    axis = "radius" + (", grey levels" if record["scale"] else "")
    values = radii.tolist()
    plots = [
        (
            "How radii are spread",
            "",
            histogram(values, axis=axis, of="sample", alt=f"Histogram of {len(values)} radii"),
        ),
        (
            "The share of samples below a radius",
            f"The line stands at the radius that {percent(record['trim'])} of the samples have less than.",
            _curve(radii, record["trimmed"], axis),
        ),
    ]
    if len(record["by_label"]) <= _MOST_LABELS:
        rows = [Bar(str(one["label"]), one["r"], _told(one["r"], record)) for one in record["by_label"]]
        plots.append(
            ("The least radius of each label", "", bars(rows, axis=axis, alt="The least radius of each label"))
        )
    return plots


def _curve(radii: FloatArray, trimmed: float, axis: str) -> Markup:
    """Draw the share of samples with a smaller radius."""
    ordered = np.sort(radii)
    log = skewed(ordered.tolist())
    drawing = Drawing(_HEIGHT, "The share of samples below each radius")
    low, high = float(ordered[0]), float(ordered[-1])
    x = Scale(low if log or low > high / 2 else min(low, 0.0), high if high > low else low + 1.0, _LEFT, _RIGHT, log)
    y = Scale(0.0, 1.0, _BOTTOM, _TOP)
    drawing.y_axis(y, _LEFT, _RIGHT, "share of samples")
    places = np.unique(np.linspace(0, len(ordered) - 1, min(_STEPS, len(ordered))).astype(int))
    line = " ".join(f"{x(float(ordered[place])):.5g},{y((place + 1) / len(ordered)):.5g}" for place in places)
    drawing.add("polyline", points=line, css="curve")
    drawing.x_axis(x, _BOTTOM, axis)
    drawing.add("line", x1=x(trimmed), x2=x(trimmed), y1=_TOP - 6, y2=_BOTTOM, css="median")
    shift, anchor = (-5, "end") if x(trimmed) > WIDTH * 0.6 else (5, "start")
    drawing.text(x(trimmed) + shift, _TOP - 10, f"trimmed {number(trimmed)}", css="tick", anchor=anchor)
    return drawing.markup()


def _heat(record: Mapping[str, Any]) -> list[list[Cell]]:
    if record["pairs"] is None:
        return []
    names, least = record["pairs"]["labels"], np.array(record["pairs"]["r"], dtype=np.float64)
    low, high = float(np.nanmin(least)), float(np.nanmax(least))
    rows = []
    for i, name in enumerate(names):
        cells = []
        for j, other in enumerate(names):
            if i == j:
                cells.append(Cell("", "self", ""))
                continue
            near = 1.0 - (least[i, j] - low) / (high - low) if high > low else 1.0
            told = f"{short(name, 40)} and {short(other, 40)}: {_told(float(least[i, j]), record)}"
            cells.append(Cell(number(float(least[i, j]), 4), f"shade{1 + round(near * (_SHADES - 1))}", told))
        rows.append(cells)
    return rows


def _suspects(measured: Measured, draws: Draws) -> list[Suspect]:
    samples, found = measured.reference.seeds.samples, []
    for rank, one in enumerate(measured.record["suspects"], 1):
        shown = _drawn(samples[one["row"]], samples[one["nearest_row"]], draws)
        found.append(
            Suspect(
                rank,
                _told(one["distance"], measured.record),
                (short(one["name"], 60), short(one["nearest_name"], 60)),
                (short(one["label"], 40), short(one["nearest_label"], 40)),
                one["same"],
                shown,
            )
        )
    return found


def _drawn(sample: Any, other: Any, draws: Draws) -> Preview:
    try:
        return embedded(draws.render(sample, other), draws.suffix.lower())
    # A plugin may fail in any way, and what was measured is to be told all the same.
    except Exception as error:
        return Preview("none", text=f"no preview: {type(error).__name__}: {short(error)}")


def _without(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return figures before and after suspects were left out."""
    rest = record["without_suspects"]
    if rest is None:
        return []
    rows = [("samples", f"{record['points']:,}", f"{rest['points']:,}")]
    for key, title in (("r", "r"), ("trimmed", "r, trimmed")):
        rows.append((title, _told(record[key], record), _told(rest[key], record)))
    rows.append(("median radius", _told(record["radii"]["median"], record), _told(rest["radii"]["median"], record)))
    return rows


def _facts(record: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    reference, generator = record["reference"], record["generator"]
    facts = [("reference", f"{reference['samples']:,} samples of {reference['use']}, sha256 {reference['sha256']}")]
    if record["seeds"] is not None:
        seeds = record["seeds"]
        facts.append(("seeds", f"{seeds['samples']:,} samples of {seeds['use']}, sha256 {seeds['sha256']}"))
    if generator is not None:
        of = f", {generator['active']} of {generator['latent']} dimensions active" if "latent" in generator else ""
        facts.append(("generator", f"{generator['use']}{of}"))
        facts += [(f"sha256 of its {key}", str(generator[key])) for key in ("weights", "data") if key in generator]
    return [*facts, ("norm", record["norm"]), ("seconds", number(record["seconds"]))]


def _told(value: float, record: Mapping[str, Any]) -> str:
    if record["scale"]:
        return f"{number(value, 5)} = {value / record['scale']:.4f} × {record['scale']}"
    return number(value, 4)
