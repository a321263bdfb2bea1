"""Where a value lies along an axis, and which values are written beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import frozen

_SKEWED = 10  # the largest value is so many times the median


@frozen
class Scale:
    """Maps [low, high] to [start, end], evenly or by the logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = (math.log10(self.low), math.log10(self.high)) if self.log else (self.low, self.high)
        at = math.log10(value) if self.log else value
        share = (at - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Return round values within, `most` or so."""
        return _decades(self.low, self.high, most) if self.log else _steps(self.low, self.high, most)


def skewed(values: Sequence[float]) -> bool:
    """Whether a logarithmic axis shows these values better."""
    ordered = sorted(values)
    return bool(ordered) and ordered[0] > 0 and ordered[-1] > _SKEWED * ordered[len(ordered) // 2]


def widened(low: float, high: float) -> tuple[float, float]:
    """Return limits that are some way apart; they may be equal, or differ in their last digits alone."""
    if high - low > 1e-9 * max(abs(low), abs(high)):
        return low, high
    apart = abs(low) / 10 or 1.0
    return low - apart, high + apart


def _steps(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [position * step for position in range(first, last + 1)]


def _decades(low: float, high: float, most: int) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**power for power in powers for factor in factors]
        ticks = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(ticks) <= most + 1:
            return ticks
    return ticks[:: -(-len(ticks) // most)]
