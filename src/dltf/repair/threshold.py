"""When a head may take the word: the smallest threshold that keeps what it spoils below a bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.repaired.intervention import ALWAYS, NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEPS = 60  # halvings of [0, 1]


@frozen
class Chosen:
    """A threshold, and what may be said of it: `spoilt` of `of` inputs on which the variants agree are changed at it.

    `at_most` is the upper confidence limit of that share.
    """

    threshold: float
    spoilt: int
    of: int
    at_most: float
    confidence: float

    @property
    def never(self) -> bool:
        return self.threshold >= NEVER

    def told(self) -> str:
        """Return it as a sentence."""
        if self.never:
            return f"no threshold can be shown to hold the bound on {self.of} inputs: it never intervenes"
        share = f"{self.spoilt} of {self.of} inputs on which both agree are changed"
        return f"{share}: at most {self.at_most:.2%} with {self.confidence:.0%} confidence"


def upper_limit(count: int, of: int, confidence: float) -> float:
    """Return the exact (Clopper and Pearson's) one-sided upper limit of a share, of which `count` of `of` were seen."""
    if count >= of:
        return 1.0
    low, high = count / of, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(count, of, middle) > 1 - confidence else (low, middle)
    return high


def _at_most(count: int, of: int, share: float) -> float:
    """Return the probability of no more than `count` successes."""
    first = of * math.log1p(-share) if share < 1 else -math.inf
    odds = math.log(share) - math.log1p(-share) if 0 < share < 1 else -math.inf
    terms, log_ways = [first], 0.0
    for number in range(1, count + 1):
        log_ways += math.log(of - number + 1) - math.log(number)
        terms.append(first + log_ways + number * odds)
    return math.fsum(math.exp(term) for term in terms)


@lru_cache(maxsize=1024)
def allowed(of: int, limit: float, confidence: float) -> int:
    """Return how many of `of` may be spoilt so that the upper limit stays at `limit`; −1: even none are too many."""
    if not of or upper_limit(0, of, confidence) > limit:
        return -1
    low, high = 0, of
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if upper_limit(middle, of, confidence) <= limit else (low, middle)
    return low


def choose(agreeing: NDArray[np.float32], limit: float, confidence: float) -> Chosen:
    """Return the smallest threshold with which the share of spoilt inputs is at most `limit`, at this confidence.

    `agreeing` are the head's advantages on inputs on which the variants agree: at or above the threshold it spoils
    them. The limit is that of an order statistic, so it holds though the threshold is chosen on the same inputs; they
    must be none that the head has learnt from.
    """
    count = len(agreeing)
    most = allowed(count, limit, confidence)
    if most < 0:
        return Chosen(NEVER, 0, count, 0.0, confidence)
    ranked = np.sort(agreeing.astype(np.float32))[::-1]
    rest = ranked[most] if most < count else np.float32(-1)
    threshold = ALWAYS if rest < 0 else float(np.nextafter(rest, np.float32(np.inf)))
    spoilt = int((agreeing >= np.float32(threshold)).sum())
    return Chosen(threshold, spoilt, count, upper_limit(spoilt if rest < 0 else most, count, confidence), confidence)


def strictest(chosen: Sequence[Chosen]) -> Chosen:
    """Return the largest of several thresholds: what each of them promises holds at it."""
    return max(chosen, key=lambda one: one.threshold)


def curve(agreeing: NDArray[np.float32], points: int = 40) -> list[float]:
    """Return thresholds worth drawing, from 0 to the one at which nothing is spoilt."""
    risen = np.unique(agreeing[agreeing >= 0])
    if not len(risen):
        return [ALWAYS]
    picked = np.quantile(risen, np.linspace(0, 1, points - 1))
    return [ALWAYS, *sorted({float(np.nextafter(np.float32(value), np.float32(2))) for value in picked})]


def written(chosen: Chosen) -> dict[str, Any]:
    """Return it for the record."""
    return {
        "threshold": chosen.threshold,
        "never": chosen.never,
        "spoilt": chosen.spoilt,
        "of": chosen.of,
        "at_most": chosen.at_most,
        "confidence": chosen.confidence,
    }
