"""Nearest neighbours in l1 and linf, dimension by dimension.

For each point the dimensions come first in which it lies farthest out: there it differs most from others. A few of them
are looked at for all reference points; the nearest so far bounds how far the nearest can be, and what exceeds that
already is let go before the next ones are. float32 decides what is let go, within an error bound; what is left is
subtracted in float64. (For bytes in linf see `bytes`.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dltf.feature.products import frame_of
from dltf.feature.ring import exactly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.feature.norms import Norm
    from dltf.feature.ring import Ring, Task
    from dltf.values import FloatArray, IntArray

_FEW = 48  # reference points that are subtracted directly, or more where they are short
_VALUES = 2**12  # of float64 that are subtracted at once
_FIRST = 8  # dimensions that all reference points are looked at in
_COPIED = 4096  # reference points that are brought into the frame at once
_STEP = 0.005  # of a guess: how far it moves
_MORE = 1.05  # how much farther is looked where a guess held nothing


class Scan:
    """Searches one ring for the nearest of `points`."""

    block: ClassVar[int] = 64  # points of one task

    def __init__(self, points: NDArray[Any], ring: Ring, norm: Norm) -> None:
        self._points, self._ring, self._norm = points, ring, norm
        self._frame = frame_of(points, ring.points)
        self._add = np.add if norm == "l1" else np.maximum
        width, count = ring.points.shape[1], len(ring.points)
        self._few = max(_FEW, _VALUES // max(width, 1))
        self._first = max(_FIRST, width // 2) if norm == "l1" else _FIRST
        # Every sum of float32 is within this share of what it stands for (see products).
        self._least_step = 2.0**-60 / self._frame.scale
        self._guess: float | None = None  # of the next distance; it decides how long the search takes, and nothing else
        self._share = 2 * (width + 8) * 2.0**-24
        self._columns = np.empty((width, 2 * count), dtype=np.float32)
        self._moved = 0.0
        for start in range(0, 2 * count, _COPIED):
            part = slice(start, start + _COPIED)
            placed, moved = self._placed(ring.points[ring.rows[part]])
            self._columns[:, part] = placed.T
            self._moved = max(self._moved, float(moved.max(initial=0.0)))

    def search(self, task: Task) -> tuple[FloatArray, IntArray]:
        """Return the distances and rows of the task's points, infinite and −1 beyond its limit."""
        distances, rows = np.empty(len(task.rows)), np.empty(len(task.rows), dtype=np.int64)
        placed, moved = self._placed(self._points[task.rows])
        orders = np.argsort(-np.abs(placed), axis=1, kind="stable")
        room = np.empty((2, task.high - task.low), dtype=self._columns.dtype)
        for i, row in enumerate(task.rows):
            distances[i], rows[i] = self._nearest(int(row), placed[i], float(moved[i]), orders[i], task, room)
            task.limit.seen(float(distances[i]))
        return distances, rows

    def _nearest(
        self, row: int, point: NDArray[Any], moved: float, order: IntArray, task: Task, room: NDArray[Any]
    ) -> tuple[float, int]:
        """Look within a guess; where that holds nothing, within more."""
        so_far, limit = self._begun(point, order[: self._first], task, room), task.limit.value
        if self._guess is None:
            self._guess = float(self._exactly(row, np.array([task.low + so_far.argmin()]))[0])
        guess = min(self._guess, limit)
        while True:
            bar = self._bar(guess, moved)
            places = task.low + self._left(so_far, point, order, bar, task)
            found = self._exactly(row, places)
            nearest = float(found.min(initial=np.inf))
            if nearest <= guess:
                self._learn(nearest)
                return nearest, int(self._ring.rows[places[found == nearest]].min())
            if guess >= limit:
                return np.inf, -1
            guess = min(nearest if nearest < np.inf else max(guess * _MORE, guess + self._least_step), limit)

    def _learn(self, nearest: float) -> None:
        """Move the guess to where one of five is nearer: a low one is soon made good, a high one leaves much to do."""
        guess = nearest if self._guess is None else self._guess
        self._guess = guess + (1 if nearest > guess else -4) * _STEP * guess + _STEP * (nearest == guess == 0.0)

    def _left(
        self, so_far: NDArray[Any], point: NDArray[Any], order: IntArray, bar: float, task: Task
    ) -> NDArray[np.intp]:
        """Return those of the task's reference points that may be within the bar."""
        alive, done = np.flatnonzero(so_far <= bar), self._first
        so_far = so_far[alive]
        while len(alive) > self._few and done < len(order):
            for dimension in order[done : done + _FIRST]:
                column = self._columns[dimension, task.low : task.high].take(alive, mode="clip")
                self._add(so_far, np.abs(column - point[dimension]), out=so_far)
            kept = np.flatnonzero(so_far <= bar)
            alive, so_far, done = alive[kept], so_far[kept], done + _FIRST
        return alive

    def _begun(self, point: NDArray[Any], order: IntArray, task: Task, room: NDArray[Any]) -> NDArray[Any]:
        """Return how far all reference points are in these dimensions."""
        so_far: NDArray[Any] = room[0]
        apart: NDArray[Any] = room[1]
        so_far[...] = 0
        for dimension in order:
            column = self._columns[dimension, task.low : task.high]
            np.subtract(column, point[dimension], out=apart)
            np.abs(apart, out=apart)
            self._add(so_far, apart, out=so_far)
        return so_far

    def _bar(self, best: float, moved: float) -> float:
        """Return the value that the nearest does not exceed in any dimensions, where it is not beyond `best`."""
        reach = best * self._frame.scale * (1 + 2.0**-40) + moved + self._moved
        return float(reach * (1 + self._share) + 2.0**-120)

    def _exactly(self, row: int, places: IntArray) -> FloatArray:
        return exactly(self._points, self._ring, np.full(len(places), row), places, self._norm)

    def _placed(self, points: NDArray[Any]) -> tuple[NDArray[Any], FloatArray]:
        """Return points as columns hold them, and how far each was moved by rounding, in the norm."""
        placed = self._frame.placed(points)
        rounded = placed.astype(np.float32)
        apart = np.abs(placed - rounded) * (1 + 2.0**-40) + np.abs(placed) * 2.0**-50
        return rounded, apart.sum(axis=1) * (1 + 2.0**-20) if self._norm == "l1" else apart.max(axis=1, initial=0.0)
