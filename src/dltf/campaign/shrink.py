"""Shrinking: findings move towards their seeds while the deviation holds, one query each a turn.

First along the line from the seed, then, where it is nearer, along the line to another screened seed. Then in rounds: a
Hadamard design of small changes (Plackett and Burman, 1946) measures the slope of the mean margin, each figure from all
of its queries; the nearest point of the boundary is worked out; and a bracketed root finder looks for a deviation on
the way there. The slope is measured along the directions in which screened seeds differ most, some more of them in each
round, and along what is left of the finding's change. Where there are none, it is measured for each part of that
change; where variants give no scores, the parts are taken back one by one. Only a sample that deviates and is nearer
replaces the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, field, frozen

from dltf.campaign.slopes import SCALED, Slopes, hadamard

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.campaign.seen import Answers, Seen
    from dltf.contracts import Refines
    from dltf.values import Batch, BoolArray, FloatArray, IntArray, Sample, Stream

    Ask = Callable[[Batch, IntArray], Seen]

_LINE = 10  # queries along a line, at most
_FIRST = 0.85  # of the way to the finding: where its own line is asked first
_FARTHEST = 1.6  # of a line
_NARROW = 0.003  # of a line: from here on its roundings are tried anew
_EDGE = 0.02  # of a bracket: no step is nearer to an end
_STEP = 0.6  # of the way to the predicted nearest point
_LEAST_STEP = 0.1
_LARGEST = 2.5  # no part's change grows beyond this factor


@frozen(eq=False)
class Lines:
    """A line from each seed to another input [n, …], and the t at which it is thought to cross; NaN for none."""

    ends: Batch
    crossings: FloatArray


@define(eq=False)
class Shrinking:
    """The nearest deviation of each of n findings of one shape, and what it has cost.

    `own` is what both variants answer at the seed and `at_seed` the mean of their leads there; `ours` and `theirs` are
    the answers to the sample. With `keep` these stay as they are. `directions` are orthonormal, [k, values].
    """

    space: Refines
    show: Ask
    seeds: Batch
    samples: Batch
    own: Answers
    ours: Answers
    theirs: Answers
    at_seed: FloatArray
    streams: Sequence[Stream]
    budget: int
    scored: bool
    keep: bool = False
    directions: NDArray[np.float32] | None = None
    queries: IntArray = field(init=False)
    distances: FloatArray = field(init=False)
    trail: list[list[Sample]] = field(init=False)  # what replaced what, in order

    def __attrs_post_init__(self) -> None:
        count = len(self.seeds)
        self.queries = np.zeros(count, dtype=np.int64)
        self.distances = self.space.size(self.samples.astype(np.float64) - self.seeds)
        self.trail = [[] for _ in range(count)]

    @property
    def other(self) -> Answers:
        """The answer, of the two to the sample, that is not the seed's."""
        return np.where(self.ours == self.own, self.theirs, self.ours)

    def ask(self, tried: Batch, rows: IntArray) -> tuple[Seen, BoolArray]:
        """Spend one query on each of these rows; return what was seen, and which deviate as they should."""
        seen = self.show(tried, rows)
        self.queries[rows] += 1
        deviates, (ours, theirs) = seen.deviates, seen.answers()
        if self.keep:
            deviates &= (ours == self.ours[rows]) & (theirs == self.theirs[rows])
        distances = self.space.size(tried.astype(np.float64) - self.seeds[rows])
        better = deviates & (distances < self.distances[rows])
        won = rows[better]
        self.samples[won], self.distances[won] = tried[better], distances[better]
        self.ours[won], self.theirs[won] = ours[better], theirs[better]
        for row, sample in zip(won.tolist(), tried[better], strict=True):
            self.trail[row].append(sample)
        return seen, deviates


def shrink(best: Shrinking, lines: Lines | None = None) -> None:
    """Spend the budget of every finding; `best` has what came of it."""
    rows = np.flatnonzero(best.distances > 0)
    _along(best, rows, best.samples[rows].astype(np.float64) - best.seeds[rows], np.full(len(rows), _FIRST))
    if lines is not None:
        change = lines.ends.astype(np.float64) - best.seeds
        with np.errstate(invalid="ignore"):
            go = np.flatnonzero(lines.crossings * best.space.size(change) < best.distances)
        _along(best, go, change[go], lines.crossings[go])
    steps = np.where(best.distances > 0, _STEP, 0.0)
    if best.scored and best.directions is not None:
        _by_slope(best, Slopes(best, best.directions), steps)
        return
    both = [best.space.parts(best.seeds.shape[1:], shifted) for shifted in (False, True)]
    while True:
        before = best.queries.copy()
        for parts in both:
            (_by_design if best.scored else _one_by_one)(best, parts, steps)
        if (before == best.queries).all():
            return


def _by_slope(best: Shrinking, slopes: Slopes, steps: FloatArray) -> None:
    """Measure the slope, and go by it, as long as anything is won by that."""
    while True:
        rows = np.flatnonzero((best.queries + slopes.queries < best.budget) & (steps >= _LEAST_STEP))
        if not len(rows):
            return
        _go(best, rows, slopes.next_changes(rows, steps), steps)


# --- along a line ----------------------------------------------------------------------------------------------------


def _along(best: Shrinking, rows: IntArray, changes: FloatArray, first: FloatArray) -> None:
    """Look for a deviation on seed + t·change, by regula falsi on the mean lead of the seed's answer."""
    low, high = np.zeros(len(rows)), np.full(len(rows), np.nan)
    at_low, at_high = best.at_seed[rows].copy(), np.full(len(rows), np.nan)
    t, going = first.copy(), np.ones(len(rows), dtype=np.bool_)
    for _ in range(_LINE):
        live = np.flatnonzero(going & (best.queries[rows] < best.budget))
        if not len(live):
            return
        at = rows[live]
        rounding = np.stack([0.25 + 0.5 * best.streams[row].random(changes.shape[1:]) for row in at.tolist()])
        tried = best.space.rounded(best.seeds[at] + _over(t[live], changes) * changes[live], rounding)
        seen, deviates = best.ask(tried, at)
        lead = seen.lead(best.own[at], best.other[at])
        going[live[deviates | np.isnan(lead)]] = False
        below, above = live[lead > 0], live[lead <= 0]
        low[below], at_low[below] = t[below], lead[lead > 0]
        high[above], at_high[above] = t[above], lead[lead <= 0]
        moves = np.array([best.streams[row].uniform(-0.5, 0.5) for row in at.tolist()])
        t[live] = _next(low[live], high[live], at_low[live], at_high[live], moves)


def _next(low: FloatArray, high: FloatArray, at_low: FloatArray, at_high: FloatArray, moves: FloatArray) -> FloatArray:
    """Return where to ask next: at the crossing, or near it where the bracket is narrow, or farther out."""
    width = high - low
    share = np.clip(at_low / np.maximum(at_low - at_high, 1e-12), _EDGE, 1 - _EDGE)
    inside = np.where(width < _NARROW, low + 0.5 * width + moves * _NARROW, low + width * share)
    return np.where(np.isnan(high), np.minimum(1.15 * low + _EDGE, _FARTHEST), inside)


def _over(values: FloatArray, like: FloatArray) -> FloatArray:
    """Return one value for each row, to multiply with changes."""
    return values.reshape(-1, *[1] * (like.ndim - 1))


# --- by parts --------------------------------------------------------------------------------------------------------


def _by_design(best: Shrinking, parts: IntArray, steps: FloatArray) -> None:
    """One round: measure what each part gains, and go some of the way to the nearest point of the boundary."""
    count = int(parts.max()) + 1
    design = hadamard(count)
    rows = np.flatnonzero((best.queries + len(design) + _LINE <= best.budget) & (steps >= _LEAST_STEP))
    if not len(rows):
        return
    seeds = best.seeds[rows].astype(np.float64)
    whole = best.samples[rows] - seeds
    other = best.other[rows]  # of the sample that the design is made around
    gains = np.zeros((len(rows), count))
    for signs in design:
        tried = best.space.rounded(seeds + whole * (1.0 + SCALED * signs)[parts], 0.5)
        seen, _ = best.ask(tried, rows)
        gains += np.nan_to_num(seen.margin(best.own[rows], other))[:, None] * signs
    gains /= len(design) * SCALED
    factors = 1.0 + steps[rows][:, None] * (nearest(_squares(whole, parts), gains) - 1.0)
    _go(best, rows, whole * factors[:, parts], steps)


def _go(best: Shrinking, rows: IntArray, change: FloatArray, steps: FloatArray) -> None:
    """Look for a deviation at the end of each change that is smaller than the last; adapt the steps to what was won."""
    before = best.distances[rows].copy()
    nearer = best.space.size(change) < before
    _along(best, rows[nearer], change[nearer], np.ones(int(nearer.sum())))
    won = best.distances[rows] < before
    steps[rows] = np.where(won, np.minimum(steps[rows] * 1.2, 1.0), steps[rows] * 0.5)


def nearest(squares: FloatArray, gains: FloatArray) -> FloatArray:
    """Return factors s [n, parts] of the parts' changes: min Σ s²·squares with Σ s·gains = Σ gains, 0 ≤ s ≤ 2.5.

    `squares` are the squared norms, `gains` the derivatives of the margin by s: negative where a part leads away from
    the seed's answer. There s = μ · −gain ÷ square within the bounds; μ by bisection, as the sum grows with it.
    """
    gains = np.where(squares > 0, gains, 0.0)  # what is no change gains nothing
    wanted = np.abs(gains.sum(axis=1))
    rates = np.maximum(-gains, 0.0) / np.maximum(squares, 1e-9)
    low, high = np.full(len(gains), -40.0), np.full(len(gains), 60.0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        got = (np.minimum(np.exp(middle)[:, None] * rates, _LARGEST) * -gains).sum(axis=1)
        low, high = np.where(got < wanted, middle, low), np.where(got < wanted, high, middle)
    return np.asarray(np.minimum(np.exp(high)[:, None] * rates, _LARGEST))


def _squares(changes: FloatArray, parts: IntArray) -> FloatArray:
    """Return the squared norm of each part of each change [n, parts]."""
    flat: Any = parts.reshape(-1)
    order = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[order], np.arange(int(flat.max()) + 1))
    return np.add.reduceat((changes * changes).reshape(len(changes), -1)[:, order], starts, axis=1)


def _one_by_one(best: Shrinking, parts: IntArray, steps: FloatArray) -> None:
    """One round without scores: take back the change of each part in turn; what still deviates keeps it so."""
    tried_any = steps >= _LEAST_STEP
    before = best.distances.copy()
    for part in range(int(parts.max()) + 1):
        changed = (best.samples != best.seeds) & (parts == part)
        has = changed.reshape(len(changed), -1).any(axis=1)
        rows = np.flatnonzero(tried_any & has & (best.queries < best.budget))
        if len(rows):
            best.ask(np.where(parts == part, best.seeds[rows], best.samples[rows]), rows)
    lost = best.distances >= before
    steps[lost] *= 0.5
