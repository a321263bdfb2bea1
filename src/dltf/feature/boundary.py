"""Where two models of a pair part: between a query that both answer right and one that either does not.

On the line between such queries, both margins are taken as linear. Each model's boundary is then known, and half way
between the two boundaries the models should contradict each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dltf.values import BoolArray, FloatArray

_ENDS = 0.02  # of the line: a query this near to one of its ends would tell nothing new
_MOST = 24  # queries of each side that are paired, those nearest to the boundary


def between(
    asked: FloatArray, ours: FloatArray, theirs: FloatArray, right: BoolArray, used: set[tuple[int, int]], count: int
) -> FloatArray:
    """Return up to `count` moves [m, k] of one seed on which its pair is expected to contradict itself the most.

    Of q queries: moves [q, k], margins of every class over the label by both models [q, c] (−∞ for the label itself),
    and where both are right. `used` collects the lines that were taken.
    """
    mean = (ours + theirs) / 2.0
    nearness = np.abs(np.nan_to_num(mean.max(axis=1), nan=np.inf))
    inside, outside = (rows[np.argsort(nearness[rows], kind="stable")][:_MOST] for rows in _sides(right))
    found: list[tuple[float, tuple[int, int], float]] = []
    for end in outside:
        rival = int(np.nan_to_num(mean[end], nan=-np.inf).argmax())
        for start in inside:
            line = (int(start), int(end))
            place, severity = _crossing(ours[list(line), rival], theirs[list(line), rival])
            if line not in used and severity > -np.inf:
                found.append((severity, line, place))
    found.sort(key=lambda one: (-one[0], one[1]))
    moves = []
    for _, (start, end), place in found[:count]:
        used.add((start, end))
        moves.append(asked[start] + place * (asked[end] - asked[start]))
    return np.array(moves).reshape(len(moves), asked.shape[1])


def _sides(right: BoolArray) -> tuple[np.ndarray, np.ndarray]:
    return np.flatnonzero(right), np.flatnonzero(~right)


def _crossing(ours: FloatArray, theirs: FloatArray) -> tuple[float, float]:
    """Return the place on a line, from 0 to 1, and the severity expected there; −∞ where a model does not cross."""
    roots, slopes = [], []
    for margins in (ours, theirs):
        slope = float(margins[1] - margins[0])
        if not np.isfinite(margins).all() or slope <= 0.0:
            return 0.5, -np.inf
        roots.append(float(-margins[0]) / slope)
        slopes.append(slope)
    place = min(max((roots[0] + roots[1]) / 2.0, _ENDS), 1.0 - _ENDS)
    return place, abs(roots[0] - roots[1]) / 2.0 * min(slopes)
