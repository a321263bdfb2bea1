"""Bracketed root finding on many brackets at once.

Each bracket holds a sign change: `f` is positive at its lower end and not positive at its upper. A step is inverse
quadratic interpolation where its three points are fit for it, else a bisection (Chandrupatla, Advances in Engineering
Software 28, 1997). It is moved a little towards the middle, so that both ends come nearer, and kept so close to the
middle that n steps never leave more than eight times what n bisections would (the projection of the ITP method;
Oliveira and Takahashi, ACM TOMS 47, 2020). Values of ±1, where only signs are known, make every step a bisection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define

if TYPE_CHECKING:
    from dltf.values import BoolArray, FloatArray, IntArray

_SLACK = 8.0  # three halvings: what interpolation may be behind bisection
_SHIFT = 0.02  # of a bracket as wide as at first, towards the middle; it falls with the square of the width


@define(eq=False)
class Brackets:
    """n brackets: their ends, and what `f` is there."""

    low: FloatArray
    high: FloatArray
    at_low: FloatArray
    at_high: FloatArray
    _newest_is_low: BoolArray
    _third: FloatArray  # the end that the newest replaced; NaN before
    _at_third: FloatArray
    _first_width: FloatArray
    _allowed: FloatArray  # the width that is allowed now

    @staticmethod
    def of(
        at_low: FloatArray, at_high: FloatArray, low: FloatArray | None = None, high: FloatArray | None = None
    ) -> Brackets:
        """Return brackets with these values at the ends, over [0, 1] where no ends are given."""
        n = len(at_low)
        low = np.zeros(n) if low is None else low.copy()
        high = np.ones(n) if high is None else high.copy()
        unknown = np.full(n, np.nan)
        newest = np.zeros(n, dtype=np.bool_)
        first = high - low
        return Brackets(
            low, high, at_low.copy(), at_high.copy(), newest, unknown, unknown.copy(), first, _SLACK * first
        )

    def width(self) -> FloatArray:
        return np.asarray(self.high - self.low)

    def step(self, rows: IntArray) -> FloatArray:
        """Return where to look next in these brackets: strictly inside."""
        low, high = self.low[rows], self.high[rows]
        width, middle = high - low, (low + high) / 2
        guess = np.where(np.isnan(self._third[rows]), self._secant(rows), self._interpolated(rows))
        guess = np.where(np.isfinite(guess), guess, middle)
        shift = _SHIFT * width * np.divide(width, self._first_width[rows])
        guess = np.where(np.abs(middle - guess) <= shift, middle, guess + np.sign(middle - guess) * shift)
        reach = np.maximum(self._allowed[rows] - width, 0.0) / 2
        guess = np.clip(guess, middle - reach, middle + reach)
        return np.clip(guess, np.nextafter(low, high), np.nextafter(high, low))

    def _secant(self, rows: IntArray) -> FloatArray:
        up, down = self.at_low[rows], -self.at_high[rows]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.low[rows] + (self.high[rows] - self.low[rows]) * up / (up + down))

    def _interpolated(self, rows: IntArray) -> FloatArray:
        """Return the inverse quadratic's root, or NaN where the three points bend too much for it."""
        newest = self._newest_is_low[rows]
        a, b = _sorted(newest, self.low[rows], self.high[rows])
        at_a, at_b = _sorted(newest, self.at_low[rows], self.at_high[rows])
        c, at_c = self._third[rows], self._at_third[rows]
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            place, value = (a - b) / (c - b), (at_a - at_b) / (at_c - at_b)
            fit = (value**2 < place) & ((1 - value) ** 2 < 1 - place)
            share = at_a / (at_b - at_a) * at_c / (at_b - at_c)
            share += (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)
            return np.where(fit & (share > 0) & (share < 1), a + share * (b - a), np.nan)

    def learn(self, rows: IntArray, t: FloatArray, f: FloatArray) -> None:
        """Take the value at t, which may lie anywhere: what lies outside a bracket changes nothing."""
        inside = (t > self.low[rows]) & (t < self.high[rows])
        rows, t, f = rows[inside], t[inside], f[inside]
        positive: BoolArray = f > 0
        for ours, ends, values in ((positive, self.low, self.at_low), (~positive, self.high, self.at_high)):
            moved = rows[ours]
            self._third[moved], self._at_third[moved] = ends[moved], values[moved]
            ends[moved], values[moved] = t[ours], f[ours]
        self._newest_is_low[rows] = positive
        self._allowed[rows] /= 2


def _sorted(newest_is_low: BoolArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the end that moved last, and the other."""
    return np.where(newest_is_low, low, high), np.where(newest_is_low, high, low)
