"""What the page of a matrix tells, gathered from what the matrix wrote; the template only lays it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dltf.report.matrix import headline, levels
from dltf.report.matrix.amounts import amounts_of, seconds
from dltf.report.matrix.chains import chains_of, flat, runtimes_of, told
from dltf.report.matrix.gates import gates_of
from dltf.report.matrix.heat import SHADES, heat
from dltf.report.matrix.inputs import Images, worst_of
from dltf.report.matrix.pareto import Point, Tradeoff, tradeoff
from dltf.report.matrix.reading import amount, listed, part, table, words
from dltf.report.matrix.rows import Row, columns_of, order_of, rows_of
from dltf.report.matrix.times import Batch, batches_of, timed
from dltf.report.wording import counted, number, percent, short, size


def gathered(written: Mapping[str, Any], images: Images | None) -> dict[str, Any]:
    """Return what the template names."""
    rows, seeds = rows_of(written), amount(written, "seeds")
    batches = batches_of(written, rows)
    titles, amounts = amounts_of(rows)
    worst, more = worst_of(written, rows, images)
    labelled = any(amount(row.written, "accuracy") is not None for row in rows)
    return {
        "name_of": words(written, "name") or "matrix",
        "reference": words(written, "reference") or "–",
        "verdict": headline.verdict(rows, words(written, "reference") or "the reference", seeds),
        "tiles": headline.tiles(written, rows),
        "rows": rows,
        "columns": columns_of(rows, seeds),
        "levels": [(level, levels.css(level), meaning, _count(rows, level)) for level, meaning in _met(rows)],
        "heat": heat(part(written, "differences"), order_of(written), _names(written), seeds),
        "shades": range(SHADES + 1),
        "batches": batches,
        "timing": list(_method(written, batches)),
        "tradeoffs": _tradeoffs(rows, batches, labelled=labelled),
        "labelled_all": labelled,
        "amount_titles": titles,
        "amounts": amounts,
        "steps": chains_of(rows),
        "worst": worst,
        "more_worst": more,
        "drawn": any(one.preview is not None for one in worst),
        "labelled": any(one.label for one in worst),
        "runtimes": runtimes_of(rows),
        "notes": _notes(rows),
        "made_with": list(_made_with(written)),
        "environment": list(flat(table(written, "environment"))),
        "gates": gates_of(written),
    }


def _names(written: Mapping[str, Any]) -> list[str]:
    return [words(one, "name") or f"variant {place}" for place, one in enumerate(listed(written, "variants"), 1)]


def _met(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """Yield the levels that a variant has, best first, with their meaning."""
    met = {row.level for row in rows}
    yield from ((level, meaning) for level, meaning in levels.MEANINGS.items() if level in met)
    yield from ((level, "") for level in sorted(met - levels.MEANINGS.keys()))


def _count(rows: Sequence[Row], level: str) -> int:
    return sum(row.level == level for row in rows)


def _method(written: Mapping[str, Any], batches: Sequence[Batch]) -> Iterator[tuple[str, str]]:
    """Yield how the times were taken, in a few lines."""
    timing = table(written, "timing")
    if not timing:
        return
    if amount(timing, "repetitions"):
        yield "repetitions", f"{number(amount(timing, 'repetitions'))} rounds, the variants in turn"
    threads = timing.get("threads") or written.get("threads")
    if threads is not None:
        yield "threads", told(threads)
    if words(written, "pinned"):
        yield "pinned", words(written, "pinned")
    for name, why in table(timing, "left_out").items():
        yield f"not timed: {short(name, 60)}", str(why)
    for batch in batches:
        if batch.floor:
            yield f"noise floor at batch {batch.size}", f"{batch.floor}, by each variant against itself"
    for key, value in flat(table(timing, "smallest_detectable")):
        least = amount({"": value}, "") if not isinstance(value, str) else None
        yield f"smallest difference that would be seen, {key}", value if least is None else percent(least)


def _tradeoffs(rows: Sequence[Row], batches: Sequence[Batch], *, labelled: bool) -> list[Tradeoff]:
    """Return what an answer costs in time, by batch, and in bytes."""
    worth = {row.number: value for row in rows if (value := _worth(row, labelled=labelled)) is not None}
    of = "accuracy" if labelled else "agreement with the reference"
    found = []
    for batch in batches:
        points = [
            Point(row, 1000 * cost, 100 * worth[row.number], f"{percent(worth[row.number])}, {seconds(cost)}")
            for row in rows
            if row.number in worth and (cost := timed(row, batch.size)) is not None and cost > 0
        ]
        title = f"{of.capitalize()} against time at batch {batch.size}"
        found.append(tradeoff(points, title=title, x_axis="median time of a call (ms)", y_axis=f"{of} (%)"))
    points = [
        Point(row, cost / 1e6, 100 * worth[row.number], f"{percent(worth[row.number])}, {size(int(cost))}")
        for row in rows
        if row.number in worth and (cost := amount(row.written, "bytes")) is not None and cost > 0
    ]
    title = f"{of.capitalize()} against size"
    found.append(tradeoff(points, title=title, x_axis="size of the file (MB)", y_axis=f"{of} (%)"))
    return [one for one in found if one is not None]


def _worth(row: Row, *, labelled: bool) -> float | None:
    if row.failed:
        return None
    if labelled:
        return amount(row.written, "accuracy")
    share = amount(row.written, "figures", "labels", "share")
    return 1 - share if share is not None else 1.0 if row.level == "reference" else None


def _notes(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Return what is to be said of variants, each once, with those that it is said of."""
    notes: dict[str, list[Row]] = {}
    for runtime in runtimes_of(rows):
        for note in dict.fromkeys(runtime.notes):
            notes.setdefault(note, []).append(runtime.row)
    return list(notes.items())


def _made_with(written: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what all variants share."""
    seeds, skipped = amount(written, "seeds"), amount(written, "skipped")
    if seeds is not None:
        more = f", {number(skipped)} more could not be read" if skipped else ""
        yield "seeds", f"{counted(int(seeds), 'seed')}{', labelled' if written.get('labelled') else ''}{more}"
    if amount(written, "batch") is not None:
        yield "batch", number(amount(written, "batch"))
    calibration = table(written, "calibration")
    if calibration:
        apart = "others than those compared on" if calibration.get("apart") else "among those compared on"
        yield "calibration", f"{number(amount(calibration, 'seeds'))} seeds, {apart}"
    if written.get("threads") is not None:
        yield "threads", told(written["threads"])
    if words(written, "pinned"):
        yield "pinned", words(written, "pinned")
