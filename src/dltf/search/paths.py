"""Paths from one screened seed to another, and the points on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from attrs import frozen

if TYPE_CHECKING:
    from dltf.values import Batch, FloatArray, Sample, ScreenedSeeds

    Interpolate: TypeAlias = Callable[[Batch, Batch, FloatArray], Batch | Sequence[Sample]]

PATH = "path"  # to another seed, in the chain of a finding


@frozen(eq=False)
class Paths:
    """What paths from one seed to another need."""

    screened: ScreenedSeeds
    sample_of: Callable[[int], Sample]  # by row
    interpolate: Interpolate
    name: str = PATH


def between(interpolate: Interpolate, seeds: Batch, partners: Sequence[Sample], t: FloatArray) -> list[Sample]:
    """Return the points of n paths from seeds of one shape to partners of any."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for row, partner in enumerate(partners):
        groups.setdefault(partner.shape, []).append(row)
    points: list[Any] = [None] * len(seeds)
    for rows in groups.values():
        made = interpolate(seeds[rows], np.stack([partners[row] for row in rows]), t[rows])
        for row, point in zip(rows, made, strict=True):
            points[row] = point
    return points
