"""Whether a variant answers differently with the batch that an input travels in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import Seed
    from dltf.variant import Variant

SIZES = (1, 2, 7, 33, 64, 128)


@frozen
class Invariance:
    """What the probe saw: the same inputs in batches of several sizes, and once more in the largest."""

    batch: bool  # bit for bit the same, whatever the batch
    repeat: bool  # bit for bit the same, when asked again
    largest_difference: float  # between the outputs of one input in two batches


def probe(variant: Variant, seeds: Sequence[Seed], asked: int | None = None) -> Invariance:
    """Compare the raw outputs of a variant on seeds in batches of `SIZES`, and of the size that the profile asks for.

    The seeds are those of the shape that most have, repeated to fill the largest batch: they do travel together.
    """
    sizes = sorted({*SIZES, asked or 1})
    alike = _commonest(seeds)
    filled = [alike[i % len(alike)] for i in range(sizes[-1])]
    seen = [_outputs(variant, filled, size) for size in sizes]
    again = _outputs(variant, filled, sizes[-1])
    pairs = [(seen[0][name], other[name]) for other in seen[1:] for name in seen[0]]
    return Invariance(
        batch=all(_same(one, other) for one, other in pairs),
        repeat=all(_same(seen[-1][name], again[name]) for name in again),
        largest_difference=max((_apart(one, other) for one, other in pairs), default=0.0),
    )


def _commonest(seeds: Sequence[Seed]) -> list[Seed]:
    """Return the seeds of the shape that most of them have."""
    groups: dict[tuple[int, ...], list[Seed]] = {}
    for seed in seeds:
        groups.setdefault(seed.sample.shape, []).append(seed)
    return max(groups.values(), key=len)


def _outputs(variant: Variant, seeds: Sequence[Seed], size: int) -> dict[str, list[NDArray[Any]]]:
    """Return each output's rows, in the order of the seeds."""
    rows: dict[str, list[Any]] = {spec.name: [None] * len(seeds) for spec in variant.outputs}
    for first in range(0, len(seeds), size):
        batch = seeds[first : first + size]
        for group, outputs in variant.raw([seed.sample for seed in batch], [seed.columns for seed in batch]):
            for name, values in outputs.items():
                for row, value in zip(group.tolist(), values, strict=True):
                    rows[name][first + row] = value
    return rows


def _same(one: Sequence[NDArray[Any]], other: Sequence[NDArray[Any]]) -> bool:
    return all(a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


def _apart(one: Sequence[NDArray[Any]], other: Sequence[NDArray[Any]]) -> float:
    with np.errstate(invalid="ignore"):
        gaps = [
            float(np.max(np.nan_to_num(np.abs(a.astype(np.float64) - b.astype(np.float64)), nan=0.0), initial=0.0))
            for a, b in zip(one, other, strict=True)
            if a.shape == b.shape and a.dtype.kind in "biufc"  # texts are equal or not
        ]
    return max(gaps, default=0.0)
