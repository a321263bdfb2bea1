"""The page of a repair: one file that opens from disk, has no script, and asks for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from dltf.errors import ReportError
from dltf.report.charts import Bar, Series, bars, heat_map, scatter
from dltf.report.page import rendered
from dltf.report.plots import Plot
from dltf.report.wording import counted, number, percent, short
from dltf.report.write import REPORT
from dltf.store.folder import write_whole

_MOST_CLASSES = 16  # of a heat map; beyond it the pairs are listed
_MOST_ROWS = 14
_KINDS = {
    "seed": "seeds on which both agree",
    "finding": "findings of searches",
    "natural": "natural findings",
    "hard negative": "hard negatives",
    "clean": "clean seeds, measured on alone",
}
_SPOILT = (("induced", "seeds", "unsure"), ("hard_negatives", "hard negatives", "contradiction"))


@frozen
class Tile:
    """One figure of the page's top."""

    name: str
    value: str
    about: str
    css: str = ""


@frozen
class Line:
    """One way to repair: its figures, in the order of the table's columns."""

    name: str
    cells: tuple[tuple[str, str], ...]  # a figure, and what stands below it
    css: str = ""


def write_repair_report(written: Mapping[str, Any], folder: Path) -> Path:
    """Write the page of what `result.json` holds; return its path.

    Raise `ReportError` where it cannot be made, whatever the reason: the repair itself is whole.
    """
    try:
        html = rendered(gathered(written), ("repair.html.j2", "macros.html.j2"), ("report.css",))
    # What was measured is worth more than its page: what a bug of ours brings up is told as such.
    except Exception as error:
        raise ReportError(
            f"the report of the repair cannot be made: {type(error).__name__}: {error}",
            hint=f"the repair itself is whole, in {folder}",
        ) from error
    write_whole(folder / REPORT, html.encode(errors="backslashreplace"))
    return folder / REPORT


def gathered(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template names."""
    deployed = written["deployed"]
    return {
        "candidate": written["candidate"]["name"],
        "reference": written["reference"]["name"],
        "verdict": _verdict(written),
        "tiles": list(_tiles(written)),
        "refused": written["refused"],
        "written": written["written"],
        "statement": deployed["statement"],
        "head": deployed["head"],
        "lines": list(_lines(written)),
        "plots": list(_plots(written)),
        "bound": list(_bound(written)),
        "generalisation": _generalisation(written["generalisation"]),
        "counts": [(told, number(written["counts"][kind])) for kind, told in _KINDS.items()],
        "left_out": [(why, number(count)) for why, count in written["counts"]["left_out"].items()],
        "runs": [(run["name"], run["strategy"], number(run["findings"])) for run in written["runs"]],
        "settings": [(key, str(value)) for key, value in written["settings"].items() if key != "heads"],
        "facts_of": [(key, str(value)) for key, value in deployed["facts"].items()],
    }


def _verdict(written: Mapping[str, Any]) -> str:
    deployed = written["deployed"]
    if deployed["never"]:
        return f"No head can be shown to stay within the bound: {deployed['head']} would never intervene."
    told = deployed["figures"]
    repaired, induced, hard = (percent(told[key]["ratio"]) for key in ("repaired", "induced", "hard_negatives"))
    near = f", and {hard} of the hard negatives" if told["hard_negatives"]["of"] else ""
    return f"{deployed['head']} repairs {repaired} of the findings, and spoils {induced} of the seeds{near}."


def _tiles(written: Mapping[str, Any]) -> Iterator[Tile]:
    told = written["deployed"]["figures"]
    net = told["improvement"]["ratio"]
    bad = "bad" if net is not None and net <= 0 else ""
    yield Tile("improvement", percent(net), f"of findings, net; {_interval(told['improvement'])}", bad)
    for key, title in (
        ("repaired", "findings repaired"),
        ("induced", "seeds spoilt"),
        ("hard_negatives", "hard negatives spoilt"),
    ):
        if told[key]["of"]:
            yield Tile(title, percent(told[key]["ratio"]), f"of {number(told[key]['of'])}; {_interval(told[key])}")
    accuracy = told["accuracy"]
    if accuracy is not None:
        about = (
            f"{percent(accuracy['before']['ratio'])} before; the reference {percent(accuracy['reference']['ratio'])}"
        )
        yield Tile("accuracy after", percent(accuracy["after"]["ratio"]), about)


def _lines(written: Mapping[str, Any]) -> Iterator[Line]:
    for one in written["heads"]:
        yield _line(f"{one['name']}, always", one["always"])
        yield _line(f"{one['name']}, bounded", one["bounded"])
    if len(written["heads"]) > 1:
        chosen = ", ".join(f"{name} {count}×" for name, count in written["best"]["chosen"].items())
        yield _line("the best inside the folds, bounded", written["best"], chosen)


def _line(name: str, told: Mapping[str, Any], about: str = "") -> Line:
    cells = [(percent(told["improvement"]["ratio"]), _interval(told["improvement"]))]
    cells += [_cell(told[key]) for key in ("repaired", "induced", "hard_negatives", "natural")]
    accuracy = told["accuracy"]
    change = None if accuracy is None else accuracy["change"]
    cells.append(("–", "") if change is None else (_signed(change["ratio"]), _interval(change)))
    never = told["thresholds"]["never"]
    at = number(told["thresholds"]["median"]) if told["thresholds"]["median"] <= 1 else "never"
    cells.append((at, f"never {counted(never, 'time')}" if never else about))
    return Line(name, tuple(cells))


def _cell(told: Mapping[str, Any]) -> tuple[str, str]:
    if told["ratio"] is None:
        return "–", ""
    return percent(told["ratio"]), f"{told['count']:.1f} of {number(told['of'])}"


def _interval(told: Mapping[str, Any]) -> str:
    if told["interval"] is None:
        return "no interval"
    return " to ".join(_signed(end) if end < 0 else percent(end) for end in told["interval"])


def _signed(share: float) -> str:
    return f"{share:+.2%}".replace("-", "−")


# --- plots -------------------------------------------------------------------------------------------------------


def _plots(written: Mapping[str, Any]) -> Iterator[Plot]:
    yield from _curve(written["curve"])
    yield from _pairs(written)
    yield from _confidence(written["explained"]["confidence"])


def _curve(curve: Sequence[Mapping[str, Any]]) -> Iterator[Plot]:
    series = []
    for key, title, css in _SPOILT:
        points = [(100 * one[key], 100 * one["repaired"]) for one in curve if None not in (one[key], one["repaired"])]
        if points:
            series.append(Series(title, css, points))
    if series:
        alt = "Scatter plot, a point for each threshold: the share of findings repaired against the share spoilt."
        svg = scatter(series, x_axis="spoilt (%)", y_axis="findings repaired (%)", alt=alt)
        yield Plot("What a threshold costs", svg, "Upwards and to the left is better; each point is a threshold.")


def _pairs(written: Mapping[str, Any]) -> Iterator[Plot]:
    pairs = written["explained"]["pairs"]
    if not pairs:
        return
    first = pairs[0]
    alt = (
        f"Answers changed, candidate to head; the most frequent: {first['from']} to {first['to']}, {first['changed']}."
    )
    classes = [str(one) for one in sorted({one[key] for one in pairs for key in ("from", "to")})]
    if 2 < len(classes) <= _MOST_CLASSES:
        counts = {(str(one["from"]), str(one["to"])): one["changed"] for one in pairs}
        svg = heat_map(counts, classes, axes=("candidate", "head"), alt=alt, noun="answer")
        yield Plot("Answers changed, from class to class", svg, "On seeds, findings and hard negatives together.")
    for what in ("repaired", "spoilt"):
        ranked = sorted((one for one in pairs if one[what]), key=lambda one: -one[what])
        rows = [Bar(f"{one['from']} → {one['to']}", one[what], number(one[what])) for one in ranked[:_MOST_ROWS]]
        if rows:
            svg = bars(rows, axis=f"answers {what}, candidate → head", alt=f"Bars: answers {what} by pair of classes.")
            yield Plot(f"Answers {what}", svg)


def _confidence(parts: Sequence[Mapping[str, Any]]) -> Iterator[Plot]:
    for what in ("repaired", "spoilt"):
        if any(one[what] for one in parts):
            rows = [
                Bar(f"{one['from']:g} to {one['to']:g}", one[what], f"{number(one[what])} of {number(one['inputs'])}")
                for one in parts
            ]
            alt = f"Bars: answers {what} by how sure the candidate was of them."
            yield Plot(f"How sure the candidate was: {what}", bars(rows, axis="the candidate’s probability", alt=alt))


# --- the rest ----------------------------------------------------------------------------------------------------


def _bound(written: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what any function of the output vector could reach, in words."""
    bound, limit = written["bound"], written["settings"]["max_inducing"]
    for name, title in (("exact", "of the vector itself"), ("bins", f"of its bins of {bound['bin']:g} nats")):
        one = bound[name]
        shared = f"{number(one['shared'])} inputs share theirs with another, in {number(one['cells'])}"
        reached = (
            f"repairs {percent(one['repaired']['ratio'])} and spoils {percent(one['induced']['ratio'])} of the seeds"
        )
        hard = one["hard_negatives"]
        near = f", {percent(hard['ratio'])} of the hard negatives" if hard["of"] else ""
        bounded = (
            f"with at most {percent(limit)} of the seeds spoilt: {percent(one['limited']['ratio'])} repaired at most"
        )
        yield f"the best function {title}", f"{reached}{near}; {bounded} ({shared})"
    near = bound["neighbours"]
    if near is not None:
        voted = near["voted"]
        yield (
            "by neighbours",
            f"among {number(near['inputs'])} findings and hard negatives the nearest of another seed tells the wrong "
            f"answer for {percent(near['nearest_error'])}, a vote of {near['votes']} for {percent(voted['error'])}. "
            f"Were inputs endless, no function would err on fewer than {percent(near['cover_hart'])}; with so few, a "
            "head that learns what in a vector matters may. The vote repairs "
            f"{percent(voted['repaired']['ratio'])} and spoils {percent(voted['spoilt']['ratio'])}.",
        )


def _generalisation(told: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the table of heads that learnt from one strategy: columns, and rows of cells."""
    if not told:
        return None
    columns = list(told[0]["bounded"])
    rows = [
        (f"{one['trained_on']}, {way}", [percent(one[way][column]["ratio"]) for column in columns])
        for one in told
        for way in ("always", "bounded")
    ]
    return {"columns": [short(column, 40) for column in columns], "rows": rows}
