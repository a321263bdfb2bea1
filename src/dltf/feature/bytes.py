"""Nearest neighbours of bytes in linf: pixels, compared value by value.

Whether a reference point is within a distance of a point is a question of each value alone, with a yes or no for an
answer. The values are asked first in which the point lies farthest out; a few of them leave few reference points, which
are then looked at whole. Nothing is rounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.feature.ring import Ring, Task
    from dltf.values import FloatArray, IntArray

_MOST = 255  # the farthest that bytes can be
_SIGN = 128
_ASKED = 48  # values that all reference points are asked for, at most
_AT_ONCE = 8
_FEW = 200  # reference points that are looked at whole
_MORE = 1.05  # how much farther is looked where nothing was found
_WHOLE = 2**21  # bytes that are looked at whole at once


class Bytes:
    """Searches one ring for the nearest of `points`, both uint8."""

    block: ClassVar[int] = 64  # points of one task

    def __init__(self, points: NDArray[np.uint8], ring: Ring) -> None:
        self._points, self._ring = points, ring
        self._centre = ring.points.mean(axis=0, dtype=np.float64).astype(np.float32)
        # Signed: numpy compares those much faster.
        count = len(ring.points)
        self._columns = np.empty((ring.points.shape[1], 2 * count), dtype=np.int8)
        self._columns[:, :count] = (ring.points[ring.rows[:count]] ^ _SIGN).view(np.int8).T
        self._columns[:, count:] = self._columns[:, :count]
        self._guess = float(_MOST)  # of the next distance; it decides how long the search takes, and nothing else

    def search(self, task: Task) -> tuple[FloatArray, IntArray]:
        """Return the distances and rows of the task's points, infinite and −1 beyond its limit."""
        distances, rows = np.empty(len(task.rows)), np.empty(len(task.rows), dtype=np.int64)
        points = self._points[task.rows]
        orders = np.argsort(-np.abs(points - self._centre), axis=1, kind="stable")
        for i, (point, order) in enumerate(zip(points, orders, strict=True)):
            distances[i], rows[i] = self._nearest(point, order, task)
            task.limit.seen(float(distances[i]))
        return distances, rows

    def _nearest(self, point: NDArray[np.uint8], order: IntArray, task: Task) -> tuple[float, int]:
        """Look within a guess; where that holds nothing, within more."""
        limit = int(min(task.limit.value, _MOST))
        guess = min(int(self._guess), limit, _MOST - 1)
        while guess < _MOST:
            found, places = self._within(point, order, guess, task)
            if len(found):
                nearest = int(found.min())
                self._learn(nearest)
                return float(nearest), int(self._ring.rows[places[found == nearest]].min())
            if guess >= limit:
                return np.inf, -1
            # Near the farthest that there is nearly everything lies within: there steps are short.
            step = min(int(guess * _MORE) - guess, (_MOST - 1 - guess) // 2)
            guess = min(guess + max(1, step), limit)
        # Nothing is nearer than the farthest that there is.
        self._learn(_MOST)
        return float(_MOST), int(self._ring.rows[task.low : task.high].min())

    def _learn(self, nearest: int) -> None:
        """Move the guess to where one of five is nearer: a low one is soon made good, a high one leaves much to do."""
        self._guess = float(np.clip(self._guess + (0.25 if nearest > self._guess else -1.0), 1, _MOST - 1))

    def _within(
        self, point: NDArray[np.uint8], order: IntArray, bar: int, task: Task
    ) -> tuple[NDArray[np.int16], IntArray]:
        """Return the distances of the reference points within the bar, and their places."""
        alive = np.ones(task.high - task.low, dtype=bool)
        asked = 0
        for dimension in order:
            low, high = int(point[dimension]) - bar, int(point[dimension]) + bar
            column = self._columns[dimension, task.low : task.high]
            if low > 0:
                alive &= column >= np.int8(low - _SIGN)
            if high < _MOST:
                alive &= column <= np.int8(high - _SIGN)
            asked += low > 0 or high < _MOST
            if asked >= _ASKED or (asked % _AT_ONCE == 0 and asked and np.count_nonzero(alive) <= _FEW):
                break
        places = task.low + np.flatnonzero(alive)
        step = max(1, _WHOLE // max(len(point), 1))
        parts = [self._whole(point, places[start : start + step]) for start in range(0, len(places), step)]
        found = np.concatenate([*parts, np.empty(0, dtype=np.int16)])
        return found[found <= bar], places[found <= bar]

    def _whole(self, point: NDArray[np.uint8], places: IntArray) -> NDArray[Any]:
        apart = self._ring.points[self._ring.rows[places]].astype(np.int16)
        apart -= point
        return np.asarray(np.abs(apart, out=apart).max(axis=1, initial=0))
