"""How likely a code is among the reference: a density by nearest neighbours, as a logarithm."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from dltf.feature.norms import lengths

if TYPE_CHECKING:
    from dltf.feature.norms import Norm
    from dltf.values import FloatArray

NEIGHBOURS = 10
_MOST = 10_000  # codes that a density is measured among
_BLOCK = 1 << 22  # distances at a time
_SPARE = 4  # neighbours beside, since products of matrices round
_TINY = 1e-300


@frozen(eq=False)
class Density:
    """The log-density of points among `codes` [n, k]: log(j ÷ (n V)), V the volume out to the j-th neighbour."""

    codes: FloatArray
    norm: Norm

    @classmethod
    def among(cls, codes: FloatArray, norm: Norm) -> Density:
        """Measure among at most 10,000 codes, every so many of them."""
        step = max(1, -(-len(codes) // _MOST))
        return cls(np.ascontiguousarray(codes[::step]), norm)

    def of(self, points: FloatArray) -> FloatArray:
        """Return the log-density of each point, float64 [n]; of no point more than the next to its neighbour."""
        neighbour = min(NEIGHBOURS, len(self.codes))
        radii = np.empty(len(points))
        rows = max(1, _BLOCK // max(1, len(self.codes)))
        for first in range(0, len(points), rows):
            radii[first : first + rows] = self._radii(points[first : first + rows], neighbour)
        dimensions = self.codes.shape[1]
        volume = dimensions * np.log(np.maximum(radii, _TINY)) + _log_unit_ball(dimensions, self.norm)
        return np.asarray(math.log(neighbour / len(self.codes)) - volume)

    def _radii(self, points: FloatArray, neighbour: int) -> FloatArray:
        """Return the distance to the j-th neighbour: measured directly, so that no batch changes its bits."""
        apart = self._apart(points)
        some = min(neighbour + _SPARE, len(self.codes))
        near = np.argpartition(apart, some - 1, axis=1)[:, :some]
        exact = lengths(self.codes[near] - points[:, None], self.norm)
        return np.asarray(np.sort(exact, axis=1)[:, neighbour - 1])

    def _apart(self, points: FloatArray) -> FloatArray:
        if self.norm == "l2":
            squares = (points**2).sum(axis=1)[:, None] + (self.codes**2).sum(axis=1)[None]
            return np.asarray(np.sqrt(np.maximum(squares - 2.0 * points @ self.codes.T, 0.0)))
        return np.stack([lengths(self.codes - point, self.norm) for point in points])


def _log_unit_ball(dimensions: int, norm: Norm) -> float:
    if norm == "linf":
        return dimensions * math.log(2.0)
    if norm == "l1":
        return dimensions * math.log(2.0) - math.lgamma(dimensions + 1.0)
    return dimensions / 2.0 * math.log(math.pi) - math.lgamma(dimensions / 2.0 + 1.0)
