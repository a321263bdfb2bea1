"""Intervals and tests for what a matrix claims: shares, paired differences, and many of them at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import FloatArray

LEVEL = 0.05
"""How often a test may raise an alarm where there is nothing; intervals have the level 1 − LEVEL."""

RESAMPLES = 2000
_EXACT = 200  # pairs up to which the null distribution of the signed ranks is counted out


def wilson(count: int, of: int, level: float = LEVEL) -> tuple[float, float] | None:
    """Return Wilson's score interval of a share, or None where there is nothing to take a share of."""
    if not of:
        return None
    z = _z(level)
    share, room = count / of, z * z / of
    centre = (share + room / 2) / (1 + room)
    half = math.sqrt(room * (share * (1 - share) + room / 4)) / (1 + room)
    # Rounding must not push the exact bounds of 0 of n and n of n off their ends.
    return (0.0 if count == 0 else centre - half, 1.0 if count == of else centre + half)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p of McNemar's exact test: as many are right in the first alone as in the second alone."""
    n, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(n, count) for count in range(fewer + 1))
    return float(min(1.0, 2 * tail / 2**n))


def newcombe(both: int, only_first: int, only_second: int, neither: int) -> tuple[float, float] | None:
    """Return the interval of `share of the second − share of the first`, paired (Newcombe 1998, method 10)."""
    n = both + only_first + only_second + neither
    if not n:
        return None
    first, second = both + only_first, both + only_second
    bounds = [(count / n, *(wilson(count, n) or (0.0, 1.0))) for count in (first, second)]
    below = [share - low for share, low, _ in bounds]
    above = [high - share for share, _, high in bounds]
    phi = _correlation(both, only_first, only_second, neither)
    down = math.sqrt(max(0.0, below[1] ** 2 - 2 * phi * below[1] * above[0] + above[0] ** 2))
    up = math.sqrt(max(0.0, above[1] ** 2 - 2 * phi * above[1] * below[0] + below[0] ** 2))
    difference = (second - first) / n
    return difference - down, difference + up


def holm(ps: Sequence[float]) -> list[float]:
    """Return the p of each of many tests, adjusted so that one false alarm among them all is as rare as its p."""
    adjusted, largest = [0.0] * len(ps), 0.0
    for done, row in enumerate(sorted(range(len(ps)), key=lambda row: ps[row])):
        largest = max(largest, min(1.0, (len(ps) - done) * ps[row]))
        adjusted[row] = largest
    return adjusted


@frozen
class SignedRanks:
    """What Wilcoxon's signed ranks say of n paired differences: their centre, its interval, and whether it is 0.

    `estimate` is the median of the means of all pairs (Hodges and Lehmann); the interval holds every centre that the
    test would not refuse, and is infinite where n is too small to refuse any.
    """

    estimate: float
    interval: tuple[float, float]
    p: float


def signed_ranks(differences: FloatArray, level: float = LEVEL) -> SignedRanks:
    """Test whether differences are as often, and as far, above 0 as below; no shape of their noise is assumed."""
    centres, lows, highs = centres_of(differences[None], level)
    return SignedRanks(float(centres[0]), (float(lows[0]), float(highs[0])), _p_of(differences))


def centres_of(differences: FloatArray, level: float = LEVEL) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the centre and both bounds of its interval, of each row of differences [rows, n]."""
    rows, columns = np.triu_indices(differences.shape[1])
    walsh = np.sort((differences[:, rows] + differences[:, columns]) / 2, axis=1)
    cut = _cut(differences.shape[1], level)
    endless = np.full(len(walsh), np.inf)
    lows, highs = (walsh[:, cut - 1], walsh[:, -cut]) if cut else (-endless, endless)
    return np.median(walsh, axis=1), lows, highs


def bootstrap(rows: int, resamples: int = RESAMPLES, seed: int = 0) -> NDArray[np.intp]:
    """Return indices [resamples, rows] of circular blocks, so that what depends on its neighbours keeps them.

    The length of a block is the cube root of the number of rows (Hall, Horowitz and Jing 1995).
    """
    length = max(1, round(rows ** (1 / 3)))
    rng = np.random.default_rng(seed)
    starts = rng.integers(rows, size=(resamples, -(-rows // length)))
    return ((starts[:, :, None] + np.arange(length)).reshape(resamples, -1)[:, :rows]) % rows


def bootstrapped(
    values: FloatArray, statistic: Callable[..., Any] = np.median, level: float = LEVEL
) -> tuple[float, float]:
    """Return the percentile interval of a statistic of rows in their order; the same rows always have the same one."""
    picked = values[bootstrap(len(values))]
    low, high = np.quantile(statistic(picked.reshape(len(picked), -1), axis=1), (level / 2, 1 - level / 2))
    return float(low), float(high)


def _z(level: float) -> float:
    return NormalDist().inv_cdf(1 - level / 2)


def _correlation(both: int, only_first: int, only_second: int, neither: int) -> float:
    """Return Newcombe's phi, with his correction for continuity; 0 where a margin of the table is empty."""
    n = both + only_first + only_second + neither
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    if not margins:
        return 0.0
    product = both * neither - only_first * only_second
    return (max(product - n / 2, 0.0) if product > 0 else product) / math.sqrt(margins)


def _p_of(differences: FloatArray) -> float:
    """Return the two-sided p, exact given the ranks; where a difference is 0 its sign says nothing, and it is left."""
    kept = differences[differences != 0]
    if not len(kept):
        return 1.0
    size = np.abs(kept)
    ordered = np.sort(size)
    # Twice the mean rank of the tied, so that all are whole numbers.
    ranks = np.searchsorted(ordered, size, "left") + np.searchsorted(ordered, size, "right") + 1
    above, below = int(ranks[kept > 0].sum()), int(ranks[kept < 0].sum())
    if len(kept) > _EXACT:
        spread = math.sqrt(float((ranks.astype(np.float64) ** 2).sum()))
        return 2 * NormalDist().cdf(-abs(above - below) / spread)
    return min(1.0, 2 * float(_sums(tuple(sorted(ranks.tolist())))[: min(above, below) + 1].sum()))


@lru_cache(maxsize=64)
def _sums(ranks: tuple[int, ...]) -> FloatArray:
    """Return the probability of each sum of ranks, where each counts or does not, at even odds."""
    shares = np.zeros(sum(ranks) + 1)
    shares[0] = 1.0
    for rank in ranks:
        shares[rank:] = (shares[rank:] + shares[:-rank]) / 2
        shares[:rank] /= 2
    return shares


@lru_cache(maxsize=64)
def _cut(n: int, level: float) -> int:
    """Return which of the sorted means of pairs, counted from 1, bounds the interval; 0 where none does."""
    if n > _EXACT:
        spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return max(0, math.floor(n * (n + 1) / 4 - _z(level) * spread))
    return int(np.searchsorted(np.cumsum(_sums(tuple(range(1, n + 1)))), level / 2, "right"))
