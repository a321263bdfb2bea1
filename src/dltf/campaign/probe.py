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

SIZES = (1, 2, 7, 33, 64)


@frozen
class Invariance:
    """What the probe saw: the same inputs in batches of several sizes, and once more in the largest."""

    batch: bool  # bit for bit the same, whatever the batch
    repeat: bool  # bit for bit the same, when asked again
    largest_difference: float  # between the outputs of one input in two batches


def probe(variant: Variant, samples: Sequence[Sample], asked: int | None = None) -> Invariance:
    """Compare the raw outputs of a variant on samples in batches of `SIZES`, and of the size that the profile asks for.

    The samples are those of the shape that most have, repeated to fill the largest batch: they do travel together.
    """
    sizes = sorted({*SIZES, asked or 1})
    alike = _commonest(samples)
    filled = [alike[i % len(alike)] for i in range(sizes[-1])]
    seen = [_outputs(variant, filled, size) for size in sizes]
    again = _outputs(variant, filled, sizes[-1])
    pairs = [(seen[0][name], other[name]) for other in seen[1:] for name in seen[0]]
    return Invariance(
        batch=all(_same(one, other) for one, other in pairs),
        repeat=all(_same(seen[-1][name], again[name]) for name in again),
        largest_difference=max((_apart(one, other) for one, other in pairs), default=0.0),
    )


def _commonest(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples of the shape that most of them have."""
    groups: dict[tuple[int, ...], list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.shape, []).append(sample)
    return max(groups.values(), key=len)


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
