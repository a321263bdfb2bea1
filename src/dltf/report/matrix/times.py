"""How long variants take beside the reference, and what of it may be claimed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.report.charts.scale import Scale
from dltf.report.matrix.amounts import seconds
from dltf.report.matrix.lines import Mark, axis_line, mark_line, scale_of
from dltf.report.matrix.reading import amount, interval, table, tables, words
from dltf.report.matrix.rows import Row
from dltf.report.wording import number, percent

if TYPE_CHECKING:
    from markupsafe import Markup


@frozen
class Claim:
    """A variant's time as a multiple of the reference's, at one batch size."""

    ratio: float
    bounds: tuple[float, float] | None
    floor: float | None  # how far from 1 noise alone may lead
    claimed: bool
    p: float | None
    least: float | None  # the smallest difference that would have been seen

    @property
    def css(self) -> str:
        """Say which way it goes, where that may be said."""
        return ("slower" if self.ratio > 1 else "faster") if self.claimed else "alike"

    @property
    def told(self) -> str:
        """Write the ratio and what may be said of it, in one line."""
        bounds = "" if self.bounds is None else f" ({times(self.bounds[0])} to {times(self.bounds[1])})"
        said = {"slower": "slower", "faster": "faster", "alike": "no difference is claimed"}[self.css]
        return f"{times(self.ratio)}{bounds}: {said}"


@frozen
class Line:
    """One variant in a plot, and its times in words."""

    row: Row
    mark: Markup
    ratio: str
    css: str
    median: str
    bounds: str
    tails: str
    p: str
    least: str


@frozen
class Batch:
    """All variants at one batch size."""

    size: str
    axis: Markup
    log: bool
    lines: tuple[Line, ...]
    claimed: int
    floor: str


def claims_of(written: Mapping[str, Any]) -> dict[tuple[str, str], Claim]:
    """Return what is claimed by variant and batch."""
    found = {}
    for told in tables(written, "timing", "claims"):
        ratio = amount(told, "ratio")
        if ratio is not None and ratio > 0:
            found[words(told, "variant"), words(told, "batch")] = Claim(
                ratio,
                _above(interval(told, "interval") or interval(told, "medians_interval")),
                amount(told, "noise_floor"),
                bool(told.get("claimed")),
                amount(told, "p_adjusted"),
                amount(told, "smallest_detectable"),
            )
    return found


def batches_of(written: Mapping[str, Any], rows: Sequence[Row]) -> list[Batch]:
    """Return the batch sizes that were timed, the smallest first."""
    claims = claims_of(written)
    reference = words(written, "reference")
    sizes = {size for row in rows for size in table(row.written, "timing") if table(row.written, "timing", size)}
    sizes |= {size for _, size in claims}
    made = (_batch(size, rows, claims, reference) for size in sorted(sizes, key=_as_number))
    return [batch for batch in made if batch.lines]


def timed(row: Row, size: str) -> float | None:
    """Return the median seconds of one call."""
    return amount(row.written, "timing", size, "median_s")


def times(ratio: float) -> str:
    """Write a multiple: ×1.07."""
    return f"×{ratio:.2f}" if 0.1 <= ratio < 10 else f"×{number(ratio, 2)}"


def _batch(size: str, rows: Sequence[Row], claims: Mapping[tuple[str, str], Claim], reference: str) -> Batch:
    shown = [row for row in rows if (row.name, size) in claims or timed(row, size) is not None]
    known = [claims[row.name, size] for row in shown if (row.name, size) in claims]
    scale = scale_of(list(_edges(known)))
    floors = [claim.floor for claim in known if claim.floor is not None]
    floor = f"{percent(min(floors))} to {percent(max(floors))}" if floors else ""
    return Batch(
        size,
        axis_line(scale),
        scale.log,
        tuple(_line(row, size, claims.get((row.name, size)), scale, of=row.name == reference) for row in shown),
        sum(claim.claimed for claim in known),
        floor,
    )


def _edges(claims: Sequence[Claim]) -> Iterator[float]:
    """Yield what the axis has to hold: of an interval that is far wider than the rest, a part."""
    for claim in claims:
        yield claim.ratio
        if claim.bounds is not None:
            yield max(claim.bounds[0], claim.ratio / 3)
            yield min(claim.bounds[1], claim.ratio * 3)


def _line(row: Row, size: str, claim: Claim | None, scale: Scale, *, of: bool) -> Line:
    figures = table(row.written, "timing", size)
    median, bounds = amount(figures, "median_s"), interval(figures, "median_interval")
    tails = [amount(figures, name) for name in ("p95_s", "p99_s")]
    mark = Mark(1.0, 1.0, 1.0, "reference", "the reference") if of else None
    if claim is not None:
        low, high = claim.bounds or (claim.ratio, claim.ratio)
        mark = Mark(claim.ratio, low, high, claim.css, claim.told)
    floor = claim.floor if claim is not None else None
    return Line(
        row,
        mark_line(mark, scale, None if floor is None or floor < 0 else (1 / (1 + floor), 1 + floor)),
        "reference" if of else "–" if claim is None else times(claim.ratio),
        "reference" if of or claim is None else claim.css,
        "–" if median is None else seconds(median),
        "" if bounds is None else f"{seconds(bounds[0])} – {seconds(bounds[1])}",
        " · ".join("–" if tail is None else seconds(tail) for tail in tails),
        "" if claim is None or claim.p is None else "<0.001" if claim.p < 0.001 else number(claim.p, 2),
        "" if claim is None or claim.least is None else percent(claim.least),
    )


def _above(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    return bounds if bounds is not None and bounds[0] > 0 else None


def _as_number(size: str) -> tuple[float, str]:
    return (float(size) if size.isdecimal() else float("inf"), size)
