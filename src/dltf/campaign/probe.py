"""Whether a variant answers differently with the batch that an input travels in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import Sample
    from dltf.variant import Variant

SIZES = (1, 7, 64)


@frozen
class Invariance:
    """What the probe saw: the same inputs in batches of 1, 7 and 64, and once more in the same batches."""

    batch: bool  # bit for bit the same, whatever the batch
    repeat: bool  # bit for bit the same, when asked again
    largest_difference: float  # between the outputs of one input in two batches


def probe(variant: Variant, samples: Sequence[Sample]) -> Invariance:
    """Compare the raw outputs of a variant on up to 64 samples (fewer are repeated to fill the batch)."""
    filled = [samples[i % len(samples)] for i in range(max(SIZES))]
    seen = [_outputs(variant, filled, size) for size in SIZES]
    again = _outputs(variant, filled, SIZES[-1])
    pairs = [(seen[0][name], other[name]) for other in seen[1:] for name in seen[0]]
    return Invariance(
        batch=all(_same(one, other) for one, other in pairs),
        repeat=all(_same(seen[-1][name], again[name]) for name in again),
        largest_difference=max((_apart(one, other) for one, other in pairs), default=0.0),
    )


def _outputs(variant: Variant, samples: Sequence[Sample], size: int) -> dict[str, list[NDArray[Any]]]:
    """Return each output's rows, in the order of the samples."""
    rows: dict[str, list[Any]] = {spec.name: [None] * len(samples) for spec in variant.outputs}
    for first in range(0, len(samples), size):
        for group, outputs in variant.raw(samples[first : first + size]):
            for name, values in outputs.items():
                for row, value in zip(group.tolist(), values, strict=True):
                    rows[name][first + row] = value
    return rows


def _same(one: Sequence[NDArray[Any]], other: Sequence[NDArray[Any]]) -> bool:
    return all(a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


def _apart(one: Sequence[NDArray[Any]], other: Sequence[NDArray[Any]]) -> float:
    with np.errstate(invalid="ignore"):
        gaps = [
            float(np.nanmax(np.abs(a.astype(np.float64) - b.astype(np.float64)), initial=0.0))
            for a, b in zip(one, other, strict=True)
            if a.shape == b.shape
        ]
    return max(gaps, default=0.0)
