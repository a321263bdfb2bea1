"""How alike two rankings of the classes are: ties, short lists and lists without a common class are all accounted for.

Everywhere n rankings of k classes are int64 [n, k]: the rank of each class, 1 for the best; where scores tie, all have
the best of their ranks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import BoolArray, FloatArray, IntArray

PERSISTENCE = 0.9
"""Of rank-biased overlap: how likely a reader is to go on to the next rank; the first ten weigh 86 %."""

PENALTY = 0.5
"""Of Kendall's tau: what a pair costs that one ranking orders and the other does not."""


def ranks_of(scores: NDArray[Any]) -> IntArray:
    """Return the ranks of finite scores [n, k], the highest first."""
    order = np.argsort(-scores.astype(np.float64), axis=1, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=1)
    places = np.broadcast_to(np.arange(1, scores.shape[1] + 1), scores.shape).copy()
    places[:, 1:][ordered[:, 1:] == ordered[:, :-1]] = 0
    ranks = np.empty(scores.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.maximum.accumulate(places, axis=1), axis=1)
    return ranks


def rank_biased_overlap(
    first: IntArray, second: IntArray, depth: int | None = None, persistence: float = PERSISTENCE
) -> FloatArray:
    """Return the extrapolated overlap of each pair of rankings down to `depth`: 1 alike, 0 nothing in common.

    Webber, Moffat and Zobel 2010, equation 32 for lists of one length, with the agreement of section 4.5 for ties.
    """
    shared, ours, theirs = (_up_to(ranks) for ranks in (np.maximum(first, second), first, second))
    agreement = (2 * shared / (ours + theirs))[:, :depth]
    weights = persistence ** np.arange(1, agreement.shape[1] + 1)
    tail: FloatArray = agreement[:, -1] * weights[-1]
    return np.asarray(tail + (1 - persistence) / persistence * (agreement * weights).sum(axis=1))


def top_classes(ranks: IntArray, others: IntArray, count: int) -> IntArray:
    """Return the `count` best classes [n, count]; what ties is taken in the other ranking's order, so in its favour."""
    order = np.argsort(ranks * (ranks.shape[1] + 1) + others, axis=1, kind="stable")
    return order[:, :count]


def top_overlap(first: IntArray, second: IntArray) -> FloatArray:
    """Return the share of the first list's classes that the second has too, of lists [n, count]."""
    return np.asarray(_shared(first, second).mean(axis=1))


def top_tau(first: IntArray, second: IntArray, count: int, penalty: float = PENALTY) -> FloatArray:
    """Return Kendall's tau of the two lists of the `count` best: 1 alike, −1 as far apart as such lists can be.

    The distance is K^(p) of Fagin, Kumar and Sivakumar 2003: a pair ordered otherwise costs 1, a pair that only one of
    the lists orders costs p. A class that is not on a list comes after all that are; lists without a common class are
    the farthest apart.
    """
    tops = top_classes(first, second, count), top_classes(second, first, count)
    classes = np.concatenate(tops, axis=1)
    listed = [np.concatenate([_shared(half, top) for half in tops], axis=1) for top in tops]
    ranks = [
        np.where(on, np.take_along_axis(side, classes, axis=1), count + 1)
        for on, side in zip(listed, (first, second), strict=True)
    ]
    once = np.ones(classes.shape, dtype=bool)
    once[:, count:] = ~_shared(tops[1], tops[0])
    signs = [np.sign(side[:, :, None] - side[:, None, :]) for side in ranks]
    cost = np.where(signs[0] * signs[1] < 0, 1.0, np.where(signs[0] == signs[1], 0.0, penalty))
    cost *= once[:, :, None] & once[:, None, :]
    distance = cost.sum(axis=(1, 2)) / 2  # each pair was counted both ways
    return np.asarray(1 - 2 * distance / _farthest(count, first.shape[1], penalty))


def tau_b(first: IntArray, second: IntArray) -> FloatArray:
    """Return Kendall's tau-b of whole rankings, NaN where one of them ties everything."""
    k = first.shape[1]
    joint = np.sort(first * (k + 1) + second, axis=1)
    all_pairs = k * (k - 1) // 2
    tied = [_tied_pairs(np.sort(ranks, axis=1)) for ranks in (first, second, joint)]
    swapped = _inversions(joint % (k + 1))
    ordered = (all_pairs - tied[0]) * (all_pairs - tied[1])
    with np.errstate(invalid="ignore"):
        return np.asarray((all_pairs - tied[0] - tied[1] + tied[2] - 2 * swapped) / np.sqrt(ordered))


def swaps(first: IntArray, second: IntArray, scores: FloatArray, count: int) -> FloatArray:
    """Return by how much the first variant's scores order what the second orders otherwise, among the best of either.

    The largest difference of the scores [n, k] of two classes of which one, at least, is on a list, and which both
    variants order, but not alike; 0 where there are none.
    """
    tops = top_classes(first, second, count), top_classes(second, first, count)
    classes = np.concatenate(tops, axis=1)
    ours, theirs, values = (np.take_along_axis(side, classes, axis=1) for side in (first, second, scores))
    ahead: BoolArray = (ours[:, :, None] < ours[:, None, :]) & (theirs[:, :, None] > theirs[:, None, :])
    return np.asarray(np.where(ahead, values[:, :, None] - values[:, None, :], 0.0).max(axis=(1, 2)))


def _up_to(ranks: IntArray) -> IntArray:
    """Return how many classes have a rank of d or better, for each d from 1."""
    n, k = ranks.shape
    cells = np.bincount((np.arange(n)[:, None] * k + ranks - 1).ravel(), minlength=n * k)
    return np.cumsum(cells.reshape(n, k), axis=1)


def _shared(classes: IntArray, others: IntArray) -> BoolArray:
    return np.asarray((classes[:, :, None] == others[:, None, :]).any(axis=2))


def _farthest(count: int, classes: int, penalty: float) -> float:
    """Return the largest K^(p) of two lists: those that share as few classes as can be, in opposite order, last."""
    shared = max(0, 2 * count - classes)
    own = count - shared
    return max(shared * (shared - 1) / 2 + 2 * shared * own + own**2 + penalty * own * (own - 1), 1.0)


def _tied_pairs(ordered: IntArray) -> IntArray:
    """Return how many pairs of each sorted row are equal."""
    n, k = ordered.shape
    starts = np.broadcast_to(np.arange(k), (n, k)).copy()
    starts[:, 1:][ordered[:, 1:] == ordered[:, :-1]] = 0
    return np.asarray((np.arange(k) - np.maximum.accumulate(starts, axis=1)).sum(axis=1))


def _inversions(values: IntArray) -> IntArray:
    """Return how many pairs of each row [n, k] are in descending order, as a merge sort counts them."""
    n, k = values.shape
    size = 1 << max(0, (k - 1).bit_length())
    padded = np.full((n, size), values.max(initial=0) + 1, dtype=np.int64)
    padded[:, :k] = values
    found = np.zeros(n, dtype=np.int64)
    half = 1
    while half < size:
        runs = padded.reshape(n, -1, 2, half) * 2 + np.array([0, 1])[:, None]  # the lowest bit: left or right
        merged = np.sort(runs.reshape(n, -1, 2 * half), axis=2)
        right = merged & 1
        passed = np.cumsum(1 - right, axis=2)
        found += ((half - passed) * right).sum(axis=(1, 2))
        padded = merged >> 1
        half *= 2
    return found
