"""How the variants' mean margin changes around findings, measured along a few directions at a time.

The slope is that of one plane: along the directions in which screened seeds differ most, and along what is left of the
finding's change. A direction that was measured keeps its figure while others are measured around later samples, so that
every round knows more. A change of all of them at once, signs by a Hadamard design, gives each figure from all queries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.campaign.shrink import Shrinking
    from dltf.values import FloatArray, IntArray

SCALED = 0.5  # of a part's change, in a design
_AT_ONCE = 30  # directions in a round
_REACH = 0.3  # of the finding's change: as large are the changes along directions, together
_FAR = 1e6  # beyond what samples hold
_NEWTON = 12  # steps
_FLAT = 1e-12  # nothing more is gained


def hadamard(least: int) -> FloatArray:
    """Return `least` columns, never the first, of the smallest Sylvester–Hadamard matrix that has more."""
    matrix = np.ones((1, 1))
    while len(matrix) <= least:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix[:, 1 : least + 1]


class Slopes:
    """What is known of the slope of the mean margin near each finding; rounds measure more of it, and go by it."""

    def __init__(self, best: Shrinking, directions: NDArray[np.float32]) -> None:
        count = len(best.seeds)
        self._best = best
        self._directions = directions
        self._known = np.zeros((count, len(directions)))  # along each direction, as last measured
        self._order = np.arange(len(directions))  # what is measured next comes first
        self._design = hadamard(min(_AT_ONCE, len(directions)) + 1)
        self._seeds = best.seeds.reshape(count, -1)
        self._bounds = [
            best.space.rounded(np.full((1, *best.seeds.shape[1:]), end), 0.5).astype(np.float64).reshape(1, -1)
            for end in (-_FAR, _FAR)
        ]

    @property
    def queries(self) -> int:
        """What each of `next_changes` costs."""
        return len(self._design)

    def next_changes(self, rows: IntArray, steps: FloatArray) -> FloatArray:
        """Measure some more at these rows' samples; return changes some of the way to the nearest point, by steps."""
        best = self._best
        seeds = self._seeds[rows].astype(np.float64)
        whole = best.samples[rows].reshape(len(rows), -1) - seeds
        rest = whole - _combined(_along_each(whole, self._directions), self._directions)
        gained = self._measured(rows, whole, rest)
        slope = _combined(self._known[rows], self._directions)
        slope += (gained / np.maximum((rest * rest).sum(axis=1), 1e-9))[:, None] * rest
        wanted = (slope * whole).sum(axis=1)
        found = nearest_within(slope, wanted, *(bound - seeds for bound in self._bounds))
        found = np.where(wanted[:, None] < 0, found, whole)  # where the change leads back, the slope tells nothing
        changes = whole + steps[rows][:, None] * (found - whole)
        return changes.reshape(-1, *best.seeds.shape[1:])

    def _measured(self, rows: IntArray, whole: FloatArray, rest: FloatArray) -> FloatArray:
        """Spend a design on the slope along some directions; return what the rest of the change gains, as a whole."""
        best, other = self._best, self._best.other[rows]
        some = self._order[:_AT_ONCE]
        self._order = np.roll(self._order, -len(some))
        mixed = self._design[:, :-1] @ self._directions[some]
        reach = _REACH * np.sqrt((whole * whole).sum(axis=1) / self._design.shape[1])[:, None]
        gains = np.zeros((len(rows), self._design.shape[1]))
        for mix, signs in zip(mixed, self._design, strict=True):
            tried = self._seeds[rows] + whole + reach * mix + SCALED * signs[-1] * rest
            seen, _ = best.ask(best.space.rounded(tried.reshape(-1, *best.seeds.shape[1:]), 0.5), rows)
            gains += np.nan_to_num(seen.margin(best.own[rows], other))[:, None] * signs
        gains /= len(self._design)
        self._known[rows[:, None], some] = gains[:, :-1] / np.maximum(reach, 1e-9)
        return np.asarray(gains[:, -1] / SCALED)


def nearest_within(slope: FloatArray, wanted: FloatArray, least: FloatArray, most: FloatArray) -> FloatArray:
    """Return the smallest changes [n, values] between bounds, 0 among them, that gain what is wanted [n], below 0.

    They are −μ·slope, cut off. What that gains falls with μ, by straight lines that flatten where a value is at its
    bound: Newton's steps come from one side, and end on the last of the lines.
    """
    factors = np.zeros(len(slope))
    for _ in range(_NEWTON):
        found = -factors[:, None] * slope
        free = (found >= least) & (found <= most)
        rate = np.einsum("ij,ij,ij->i", slope, slope, free)
        got = (np.clip(found, least, most, out=found) * slope).sum(axis=1)
        factors += np.maximum(got - wanted, 0.0) / np.maximum(rate, _FLAT)
    return np.clip(-factors[:, None] * slope, least, most)


def _along_each(changes: FloatArray, directions: NDArray[np.float32]) -> FloatArray:
    """Return how far each change goes along each direction; row by row, so that no row's figures depend on others."""
    return np.asarray(np.matmul(changes[:, None, :], directions.T)[:, 0])


def _combined(shares: FloatArray, directions: NDArray[np.float32]) -> FloatArray:
    return np.asarray(np.matmul(shares[:, None, :], directions)[:, 0])
