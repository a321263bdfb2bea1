"""Nearest neighbours in l2 by products of matrices.

For a point a and reference points b, ‖b‖² − 2a·b differs from ‖a − b‖² by ‖a‖² alone, and is one product of matrices.
Its error is bounded: whatever the order of a sum of m terms, with unit roundoff u it is at most γ Σ|terms| with
γ = mu/(1 − mu) (Higham, Accuracy and Stability of Numerical Algorithms, 3.1); centring and rounding of the points move
them by lengths that are measured. What lies within these bounds of the least is subtracted directly. Points for which
float32 leaves too much are proposed again in float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from attrs import frozen

from dltf.feature.norms import lengths
from dltf.feature.ring import exactly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.feature.ring import Ring, Task
    from dltf.values import BoolArray, FloatArray, IntArray

_UNITS = {np.dtype(np.float32): 2.0**-24, np.dtype(np.float64): 2.0**-53}
_COPIED = 4096  # points that are brought into the frame at once
_GROUP = 16  # reference points of which the least alone is kept
_WIDE = 256  # groups that are made at once, at most
_ROWS = 64  # points of one product of narrow codes
_SERIAL = (
    2**18
)  # multiplications up to which OpenBLAS stays in its thread: between narrow ones it waits more than works
_MANY = 64  # groups for one point: more are worth a look in float64
_PAIRS = 2**15  # of a point and a group, subtracted at once


@frozen(eq=False)
class _Side:
    """Points as a product takes them, centred and scaled; their lengths, and how far each was moved by rounding."""

    values: NDArray[Any]  # [n, k]
    lengths: FloatArray
    moved: FloatArray


@frozen(eq=False)
class Frame:
    """A shift and a scale that bring all points within [−1, 1]: a power of two, which rounds nothing."""

    centre: FloatArray
    scale: float

    def placed(self, points: NDArray[Any]) -> FloatArray:
        """Return points in the frame; each value is off by a relative 2⁻⁵³ at most."""
        placed = points.astype(np.float64)
        placed -= self.centre
        placed *= self.scale
        return placed


def frame_of(points: NDArray[Any], others: NDArray[Any]) -> Frame:
    """Return the frame about the middle of `others` that holds both."""
    centre = others.mean(axis=0, dtype=np.float64)
    ends = [end - centre for each in (points, others) if len(each) for end in (each.min(axis=0), each.max(axis=0))]
    farthest = max((float(np.abs(end).max(initial=0.0)) for end in ends), default=0.0)
    return Frame(centre, float(2.0 ** -np.ceil(np.log2(farthest))) if farthest > 0 else 1.0)


class Products:
    """Searches one ring for the nearest of `points`."""

    block: ClassVar[int] = 512  # points of one task

    def __init__(self, points: NDArray[Any], ring: Ring) -> None:
        self._points, self._ring = points, ring
        self._frame = frame_of(points, ring.points)
        self._near = self._side(ring.points, ring.rows, np.dtype(np.float32))

    def search(self, task: Task) -> tuple[FloatArray, IntArray]:
        """Return the distances and rows of the task's points, infinite and −1 beyond its limit."""
        distances, rows, left = self._pass(task, task.rows, np.dtype(np.float32))
        if left.any():
            distances[left], rows[left], _ = self._pass(task, task.rows[left], np.dtype(np.float64))
        if len(distances):
            task.limit.seen(float(distances.min()))
        return distances, rows

    def _pass(self, task: Task, who: IntArray, dtype: np.dtype[Any]) -> tuple[FloatArray, IntArray, BoolArray]:
        """Return distances and rows; and which points have too many candidates to be looked at from this type."""
        ours = self._side(self._points, who, dtype)
        least, groups, (far, moved) = self._least(ours, task, dtype)
        near = least <= self._bar(ours, least, far, moved, task.limit.value)[:, None]
        left = np.zeros(len(who), dtype=bool)
        if dtype == np.float32:
            left = np.count_nonzero(near, axis=1) > _MANY
            near[left] = False
        at, of = np.nonzero(near)
        return *self._nearest(who, at, of, groups), left

    def _least(
        self, ours: _Side, task: Task, dtype: np.dtype[Any]
    ) -> tuple[NDArray[Any], IntArray, tuple[float, float]]:
        """Return the least of each group [n, groups]; of groups (first place, step, end); how far and moved at most."""
        rows, wide = self._sizes()
        tiles = [(start, min(start + _GROUP * wide, task.high)) for start in range(task.low, task.high, _GROUP * wide)]
        widths = [-(-(stop - start) // _GROUP) for start, stop in tiles]
        least = np.empty((len(ours.values), sum(widths)), dtype=dtype)
        groups = np.empty((sum(widths), 3), dtype=np.int64)
        left = np.concatenate([-2 * ours.values, np.ones((len(ours.values), 1), dtype=dtype)], axis=1)
        at, far, moved = 0, 0.0, 0.0
        for (start, stop), width in zip(tiles, widths, strict=True):
            theirs = self._theirs(start, stop, dtype)
            right = np.concatenate([theirs.values, np.square(theirs.lengths)[:, None].astype(dtype)], axis=1)
            for first in range(0, len(left), rows):
                _least_of(left[first : first + rows], right, least[first : first + rows, at : at + width])
            groups[at : at + width] = np.array([[start, width, stop]]) + np.outer(np.arange(width), [1, 0, 0])
            at += width
            far, moved = max(far, float(theirs.lengths.max())), max(moved, float(theirs.moved.max()))
        return least, groups, (far, moved)

    def _sizes(self) -> tuple[int, int]:
        """Return the points and the reference points of one product."""
        each = _SERIAL // (_ROWS * (self._points.shape[1] + 1))
        return (_ROWS, min(each, _WIDE)) if each >= _GROUP else (self.block, _WIDE)

    def _bar(self, ours: _Side, least: NDArray[Any], far: float, moved: float, limit: float) -> NDArray[Any]:
        """Return, for each point, the value that the group of its nearest does not exceed."""
        terms = 2 * self._points.shape[1] + 32  # twice the terms of the product: for the roundings of what follows
        unit = _UNITS[least.dtype]
        # (‖a‖ + ‖b‖)² is more than all terms together; the last summand is what may be lost below the smallest number.
        error = terms * unit / (1 - terms * unit) * (ours.lengths + far) ** 2 + terms * 2.0**-120
        known = np.sqrt(np.maximum(least.min(axis=1) + ours.lengths**2 + error, 0.0)) + ours.moved + moved
        known = np.minimum(known, limit * self._frame.scale)
        reach = known * (1 + terms * 2.0**-52) + ours.moved + moved
        bar = reach**2 - ours.lengths**2 + error
        return np.asarray(np.nextafter(bar.astype(least.dtype), least.dtype.type(np.inf)))

    def _nearest(self, who: IntArray, at: IntArray, of: IntArray, groups: IntArray) -> tuple[FloatArray, IntArray]:
        """Subtract the members of groups `of` from the points who[at]; the least, and the lowest row that has it."""
        none = len(self._ring.points)
        distances, rows = np.full(len(who), np.inf), np.full(len(who), none, dtype=np.int64)
        for start in range(0, len(at), _PAIRS):
            first, step, end = groups[of[start : start + _PAIRS]].T[:, :, None]
            places = first + step * np.arange(_GROUP)
            inside = places < end
            mine, places = np.repeat(at[start : start + _PAIRS], inside.sum(axis=1)), places[inside]
            found = exactly(self._points, self._ring, who[mine], places, "l2")
            before = distances.copy()
            np.minimum.at(distances, mine, found)
            rows[distances < before] = none
            hits = found == distances[mine]
            np.minimum.at(rows, mine[hits], self._ring.rows[places[hits]])
        return distances, np.where(rows == none, -1, rows)

    def _theirs(self, start: int, stop: int, dtype: np.dtype[Any]) -> _Side:
        if dtype != np.float32:
            return self._side(self._ring.points, self._ring.rows[start:stop], dtype)
        near = self._near
        return _Side(near.values[start:stop], near.lengths[start:stop], near.moved[start:stop])

    def _side(self, points: NDArray[Any], rows: IntArray, dtype: np.dtype[Any]) -> _Side:
        values = np.empty((len(rows), points.shape[1]), dtype=dtype)
        far, moved = np.empty(len(rows)), np.empty(len(rows))
        for start in range(0, len(rows), _COPIED):
            part = slice(start, start + _COPIED)
            placed = self._frame.placed(points[rows[part]])
            values[part] = placed
            far[part] = lengths(values[part], "l2")
            placed -= values[part]
            moved[part] = lengths(placed, "l2") * (1 + 2.0**-40) + far[part] * 2.0**-50
        return _Side(values, far, moved)


def _least_of(left: NDArray[Any], right: NDArray[Any], least: NDArray[Any]) -> None:
    """Write the least product of each group into [n, width]; group j is of the places j, j + width and so on."""
    width = least.shape[1]
    whole = len(right) // width * width
    stacked = right[:whole].reshape(-1, width, right.shape[1]).transpose(0, 2, 1)
    np.matmul(left, stacked).min(axis=0, out=least)
    rest = right[whole:]
    if len(rest):
        np.minimum(least[:, : len(rest)], left @ rest.T, out=least[:, : len(rest)])
