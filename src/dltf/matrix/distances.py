"""How far the outputs of two variants are apart, input by input."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.matrix.outputs import Paired
    from dltf.matrix.tolerance import Tolerance
    from dltf.values import BoolArray, FloatArray, IntArray

_BLOCK = 1 << 21  # values at a time: a block's copies in float64 stay below some 200 MB


@frozen(eq=False)
class Apart:
    """How far one output is apart, on n inputs: over the values that are finite in both variants.

    `absolute`, `relative`: the largest difference, float64 [n]; relative to the larger of the two values. `sums`: of
    both over all values, float64 [2, n]. `cosine`: 1 − the cosine of the two rows. `values`, `beyond`, `otherwise`:
    int64 [n], the values compared, those beyond the tolerance, and those that are not finite alike. `needed`: the
    relative tolerance that would have passed, infinite where none does.
    """

    absolute: FloatArray
    relative: FloatArray
    sums: FloatArray
    cosine: FloatArray
    values: IntArray
    beyond: IntArray
    otherwise: IntArray
    needed: FloatArray


def identical(paired: Paired) -> bool:
    """Whether every bit of an output is the same in both variants."""
    ours, theirs = (np.ascontiguousarray(side) for side in (paired.reference, paired.candidate))
    return ours.dtype == theirs.dtype and bool(np.array_equal(ours.view(np.uint8), theirs.view(np.uint8)))


def apart(paired: Paired, tolerance: Tolerance) -> Apart:
    """Measure one output."""
    n, width = paired.reference.shape
    floor = tolerance.absolute + tolerance.of_range * _range(paired.reference)
    step = max(1, _BLOCK // max(1, width))
    with np.errstate(over="ignore"):
        blocks = [
            _block(paired.reference[start : start + step], paired.candidate[start : start + step], tolerance, floor)
            for start in range(0, max(1, n), step)
        ]
    return Apart(*(np.concatenate(columns, axis=-1) for columns in zip(*blocks, strict=True)))


def figures_of(measured: Apart, tolerance: Tolerance) -> dict[str, Any]:
    """Return what the distances of one output come to."""
    n, values = len(measured.absolute), int(measured.values.sum())
    needed = float(measured.needed.max(initial=0.0))
    figures: dict[str, Any] = {"values": values}
    for name, largest, total in zip(
        ("absolute", "relative"), (measured.absolute, measured.relative), measured.sums, strict=True
    ):
        figures[name] = {
            "max": float(largest.max()) if values else None,
            "mean": float(total.sum() / values) if values else None,
            "p99": float(np.percentile(largest, 99)) if values else None,  # of inputs, by their largest difference
        }
    known = measured.cosine[np.isfinite(measured.cosine)]
    figures["cosine"] = {"max": float(known.max()), "mean": float(known.mean())} if len(known) else None
    figures["worst_input"] = int(measured.absolute.argmax()) if n and values else None
    figures["tolerance"] = tolerance.as_dict()
    figures["beyond"] = {"values": int(measured.beyond.sum()), "inputs": int((measured.beyond > 0).sum())}
    figures["not_finite_alike"] = int(measured.otherwise.sum())
    figures["relative_tolerance_needed"] = needed if math.isfinite(needed) else None
    return figures


def divergences(reference: FloatArray, candidate: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Kullback–Leibler (of the candidate from the reference) and Jensen–Shannon, in nats, float64 [n] each.

    Both are given as log-probabilities [n, classes], and made to sum to 1 first.
    """
    ours, theirs = (side - np.logaddexp.reduce(side, axis=1, keepdims=True) for side in (reference, candidate))
    middle = np.logaddexp(ours, theirs) - math.log(2.0)
    leans = [(np.exp(side) * (side - middle)).sum(axis=1) for side in (ours, theirs)]
    apart = (np.exp(ours) * (ours - theirs)).sum(axis=1)
    # No divergence is below 0; rounding may be.
    return np.maximum(apart, 0.0), np.maximum((leans[0] + leans[1]) / 2, 0.0)


def _block(
    reference: NDArray[Any], candidate: NDArray[Any], tolerance: Tolerance, floor: float
) -> tuple[NDArray[Any], ...]:
    """Measure some rows; what a difference of huge values overflows to is infinite, and beyond any tolerance."""
    ours, theirs = reference.astype(np.float64), candidate.astype(np.float64)
    finite: BoolArray = np.isfinite(ours) & np.isfinite(theirs)
    otherwise = ~finite & ~((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)))
    ours, theirs = np.where(finite, ours, 0.0), np.where(finite, theirs, 0.0)
    sizes, difference = np.abs(ours), np.abs(ours - theirs)
    larger = np.maximum(sizes, np.abs(theirs))
    relative = np.divide(difference, larger, out=np.zeros_like(difference), where=larger > 0)
    over = np.maximum(difference - floor, 0.0)
    needed = np.divide(over, sizes, out=np.where(over > 0, np.inf, 0.0), where=sizes > 0)
    beyond = (over > tolerance.relative * sizes) | otherwise
    return (
        difference.max(axis=1, initial=0.0),
        relative.max(axis=1, initial=0.0),
        np.stack([difference.sum(axis=1), relative.sum(axis=1)]),
        np.where(otherwise.any(axis=1), np.nan, _cosine(ours, theirs)),
        finite.sum(axis=1),
        beyond.sum(axis=1),
        otherwise.sum(axis=1),
        np.where(otherwise.any(axis=1), np.inf, needed.max(axis=1, initial=0.0)),
    )


def _cosine(ours: FloatArray, theirs: FloatArray) -> FloatArray:
    """Return 1 − cosine: half the squared distance of the unit vectors, which keeps its digits near 0."""
    units, empty = [], []
    for side in (ours, theirs):
        scaled = side / np.maximum(np.abs(side).max(axis=1, initial=0.0, keepdims=True), np.finfo(np.float64).tiny)
        length = np.linalg.norm(scaled, axis=1, keepdims=True)
        empty.append(length[:, 0] == 0)
        units.append(np.divide(scaled, length, out=np.zeros_like(scaled), where=length > 0))
    apart = ((units[0] - units[1]) ** 2).sum(axis=1) / 2
    return np.where(empty[0] & empty[1], 0.0, np.where(empty[0] | empty[1], 1.0, apart))


def _range(values: NDArray[Any]) -> float:
    """Return the largest finite value less the smallest."""
    finite = values[np.isfinite(values)]
    return float(finite.max()) - float(finite.min()) if len(finite) else 0.0
