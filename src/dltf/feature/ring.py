"""What is searched, and for whom: reference points in a ring, and tasks over slices of it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import Factory, define, frozen

from dltf.feature.norms import lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.feature.norms import Norm
    from dltf.values import FloatArray, IntArray


@frozen(eq=False)
class Ring:
    """Reference points sorted by label and gone round twice: those of all labels but one are a slice."""

    points: NDArray[Any]  # [n, k], as they came
    rows: IntArray  # [2n]: the row of `points` at each place of the ring
    spans: dict[Hashable, tuple[int, int]]

    def others(self, label: Hashable) -> tuple[int, int]:
        """Return the slice of all points with another label."""
        if label not in self.spans:
            return 0, len(self.points)
        start, stop = self.spans[label]
        return stop, start + len(self.points)


@define(eq=False)
class Limit:
    """How far a neighbour is looked for; it shrinks to the nearest found so far where the least of all is asked for."""

    value: float = np.inf
    shrinks: bool = False

    def seen(self, distance: float) -> None:
        if self.shrinks and distance < self.value:
            self.value = distance


@frozen(eq=False)
class Task:
    """Points whose neighbours are looked for in one slice of the ring, none farther than a limit."""

    rows: IntArray
    low: int
    high: int
    limit: Limit = Factory(Limit)


def ring_of(points: NDArray[Any], labels: Sequence[Hashable]) -> Ring:
    """Sort points by their labels, in the order in which labels come first."""
    groups = by_label(labels)
    once = np.concatenate([*groups.values(), np.empty(0, dtype=np.int64)])
    ends = np.cumsum([0, *(len(rows) for rows in groups.values())]).tolist()
    return Ring(points, np.concatenate([once, once]), dict(zip(groups, pairwise(ends), strict=True)))


def by_label(labels: Sequence[Hashable]) -> dict[Hashable, IntArray]:
    """Return the rows of each label, in the order in which labels come first."""
    rows: dict[Hashable, list[int]] = {}
    for row, label in enumerate(labels):
        rows.setdefault(label, []).append(row)
    return {label: np.array(those, dtype=np.int64) for label, those in rows.items()}


def exactly(
    points: NDArray[Any], ring: Ring, who: IntArray, places: IntArray, norm: Norm, *, most: int = 2**19
) -> FloatArray:
    """Return the distance of points[who[i]] from the reference point at places[i], as the definition has it."""
    found = np.empty(len(who))
    step = max(1, most // max(points.shape[1], 1))
    for start in range(0, len(who), step):
        part = slice(start, start + step)
        ours = points[who[part]].astype(np.float64)
        ours -= ring.points[ring.rows[places[part]]]
        found[part] = lengths(ours, norm)
    return found
