"""`dltf gap`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dltf.campaign.gap.measure import Candidate, Measured
    from dltf.profile import Profile

_FEWEST = 10  # seeds that a median is told of
_WIDEST = 3  # pairs of answers that are told
_FEWEST_LINES = 5  # of each of them


# Click keeps the lines of a paragraph that begins with this character.
_HELP = """
    Measure how far apart models are, and rank candidates by it.

    REFERENCE and one or more CANDIDATES are named as in dltf compare. On the line from each seed to the nearest that
    the reference answers otherwise, it is located where each of them changes its answer; how far that is from where the
    reference does is a candidate's gap, in the unit of the domain's distance. With --operators it is told, too, how
    much of each operator they bear.

    \b
      dltf gap model.onnx model-int8.tflite model-pruned.onnx --seeds photos/
      dltf gap model.onnx model-int8.tflite --seeds image.digits --operators image.geometric
"""


@click.command(help=_HELP)
@click.argument("reference")
@click.argument("candidates", nargs=-1, required=True, metavar="CANDIDATES")
@click.option(
    "--seeds", required=True, help="A folder, a file, or a seed source that dltf plugins lists (image.mnist)."
)
@click.option("--domain", default="", help="The kind of input (image), where the seeds do not tell.")
@click.option("--count", type=click.IntRange(2), help="How many seeds. Default: 300, or all where there are fewer.")
@click.option("--operators", default="", metavar="PRESET", help="Measure along these operators, too.")
@click.option("--input", "both", multiple=True, metavar="KEY=VALUE", help="Of all models: as in dltf compare.")
@click.option("--reference-input", multiple=True, metavar="KEY=VALUE", help="Of the reference.")
@click.option("--candidate-input", multiple=True, metavar="KEY=VALUE", help="Of every candidate.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any key of a profile.")
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write everything to this file.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the ranking into this file, an SVG.")
@click.option("--quiet", is_flag=True, help="No progress, and no word of what was filled in.")
def command(  # noqa: PLR0913  # one parameter an option
    reference: str,
    candidates: tuple[str, ...],
    seeds: str,
    domain: str,
    count: int | None,
    operators: str,
    both: tuple[str, ...],
    reference_input: tuple[str, ...],
    candidate_input: tuple[str, ...],
    settings: tuple[str, ...],
    as_json: Path | None,
    plot: Path | None,
    quiet: bool,
) -> int:
    """Measure candidates, and tell how they rank."""
    from dltf.campaign.gap.asked import Asked, profiles_of
    from dltf.campaign.gap.measure import measure
    from dltf.cli.filled import of_models, tell_filled
    from dltf.cli.gap_progress import Progress
    from dltf.errors import UsageError
    from dltf.host import Host

    if plot is not None and plot.suffix.lower() != ".svg":
        raise UsageError(f"--plot {plot}: the plot is an SVG", hint=f"name a file such as {plot.stem or 'gap'}.svg")
    given = [
        *of_models(both, ("reference", "candidate")),
        *of_models(reference_input, ("reference",)),
        *of_models(candidate_input, ("candidate",)),
        *settings,
    ]
    asked = Asked(reference, candidates, seeds, domain, count, operators, given)
    profiles, told = profiles_of(asked, Host())
    if not quiet:
        tell_filled(told)
    with Progress(quiet=quiet) as progress:
        measured = measure(profiles, _names(asked.names, profiles), operators=bool(operators), progressed=progress)
    if as_json is not None:
        as_json.write_text(json.dumps(measured.written(), indent=2, ensure_ascii=False, default=str), encoding="utf-8")
    if plot is not None:
        _draw(measured, plot)
    for line in _lines(measured):
        click.echo(line)
    return 0


def _names(names: Sequence[str], profiles: Sequence[Profile]) -> list[str]:
    """Say of candidates that are repaired that they are."""
    pairs = zip(names, profiles, strict=True)
    return [name if one.candidate.repairing is None else f"{name} (repaired)" for name, one in pairs]


def _draw(measured: Measured, plot: Path) -> None:
    from dltf.cli.gap_plot import Interval, intervals
    from dltf.errors import UsageError
    from dltf.report.wording import short

    rows = [
        Interval(one.name, one.figures["mean"], one.figures["interval"], _interval(one.figures, "mean"))
        for one in measured.candidates
        if one.figures.get("interval") is not None
    ]
    if not rows:
        raise UsageError(f"--plot {plot}: there is no gap to draw", hint="leave it out")
    plot.write_text(
        intervals(rows, axis=f"gap to {short(measured.reference, 30)}, {_unit(measured)}"), encoding="utf-8"
    )


def _lines(measured: Measured) -> Iterator[str]:
    """Yield what people are told."""
    if measured.paths:
        yield (
            f"{measured.reference} changes its answer {_number(measured.crossing)} {_unit(measured)} from the seed, "
            f"on {measured.paths} lines of {_number(measured.length)}; the gap is how far from there another does"
        )
        yield ""
        yield from _table(measured)
        yield from _notes(measured)
        yield from _ranking(measured)
    for one in measured.candidates:
        yield from _operators(measured.reference, one)


def _table(measured: Measured) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [
        (
            "candidate",
            "gap: mean [95 %]",
            "median",
            "95th",
            "gives way first",
            "lines",
            "unresolved",
            "at least",
            "differs",
        )
    ]
    for one in measured.candidates:
        if one.wrong:
            rows.append((one.name, one.wrong, *[""] * 7))
            continue
        figures = one.figures
        rows.append(
            (
                one.name,
                _interval(figures, "mean"),
                _number(figures["median"]),
                _number(figures["p95"]),
                _number(None) if figures["gives_way_first"] is None else f"{figures['gives_way_first']:.0%}",
                str(figures["paths"]),
                str(figures["unresolved"]),
                str(figures["at_least"]),
                str(figures["differs"]),
            )
        )
    widths = [max(len(row[column]) for row in rows if row[2] or not column) for column in range(9)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _notes(measured: Measured) -> Iterator[str]:
    yield ""
    sound = [one for one in measured.candidates if not one.wrong]
    if any(one.figures["unresolved"] for one in sound):
        yield "unresolved: lines on which both change between the same two neighbouring samples; they count as 0"
    if any(one.figures["at_least"] or one.figures["differs"] for one in sound):
        yield "at least: lines at an end of which it differs, counted up to there; differs: seeds on which it differs"
    for one in sound:
        if one.figures["paths"] and one.figures["unresolved"] == one.figures["paths"]:
            below = _number(one.figures["unresolved_below"])
            yield f"{one.name}: no gap that can be resolved, which is about {below} {_unit(measured)} on a line"
        if one.figures["not_finite"]:
            left_out = f"{one.figures['not_finite']} lines left out"
            yield f"{one.name}: {left_out}, where it takes no such input or an output is not finite"
        pairs = [pair for pair in one.figures["class_pairs"] if pair["mean"] > 0 and pair["paths"] >= _FEWEST_LINES]
        if pairs:
            shown = ", ".join(
                f"{pair['from']} → {pair['to']} {_number(pair['mean'])} ({pair['paths']})" for pair in pairs[:_WIDEST]
            )
            yield f"{one.name}: widest from → to (lines): {shown}"


def _ranking(measured: Measured) -> Iterator[str]:
    for pair in measured.differences():
        low, high = pair["interval"]
        told = f"{_number(pair['difference'])} [{_number(low)}, {_number(high)}]"
        if low > 0:
            yield f"{pair['nearer']} is nearer than {pair['farther']}: difference {told}"
        else:
            yield f"{pair['nearer']} and {pair['farther']} cannot be told apart on these lines: difference {told}"


def _operators(reference: str, one: Candidate) -> Iterator[str]:
    if one.operators:
        yield ""
        yield f"{one.name} gives way at (median [95 %], over the seeds on which both do)"
    for row in one.operators:
        only = f"{row['both']} seeds; {row['candidate_only']} more it alone, {row['reference_only']} {reference} alone"
        if row["both"] < _FEWEST:
            yield f"  {row['operator']}: too few to tell ({only})"
            continue
        ours, theirs = (
            f"{_interval(row, side, side + '_interval')} {row['unit']}" for side in ("candidate", "reference")
        )
        more = _interval(row, "candidate_more", "candidate_more_interval")
        yield f"  {row['operator']}: {ours}, {reference} at {theirs}; it bears {more} more ({only})"


def _interval(figures: dict[str, Any], key: str, bounds: str = "interval") -> str:
    if figures[bounds] is None:
        return _number(None)
    low, high = figures[bounds]
    return f"{_number(figures[key])} [{_number(low)}, {_number(high)}]"


def _number(value: float | None) -> str:
    from dltf.report.wording import number

    return number(value)


def _unit(measured: Measured) -> str:
    return f"{measured.distance} {measured.unit}".strip()
