"""How many inputs a turn: the batch at which this machine answers the most inputs a second."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dltf.errors import RuntimeFailedError

if TYPE_CHECKING:
    from dltf.search.pair import Pair
    from dltf.values import Seed
    from dltf.variant import Variant

SIZES = (16, 32, 64, 128)
_ENOUGH_S = 0.25  # for one batch: what takes longer is not tried in larger ones
_TRIES = 2
_BETTER = 1.25  # times as many inputs a second, or the smaller batch stays: fewer cases wait for one another


def best_batch(pair: Pair, seeds: Sequence[Seed]) -> int:
    """Return the size at which both variants together are quickest, by a trial of a second or so.

    What a campaign finds does not depend on it: variants whose answers depend on the batch run one by one.
    """
    best, best_s = SIZES[0], float("inf")
    for size in SIZES:
        filled = [seeds[position % len(seeds)] for position in range(size)]
        try:
            seconds = [_seconds(variant, filled) for variant in (pair.reference, pair.candidate)]
        except RuntimeFailedError:  # the campaign will tell on which input
            return best
        together = max(seconds) if pair.concurrent else sum(seconds)
        if together / size * _BETTER < best_s:
            best, best_s = size, together / size
        if together > _ENOUGH_S:
            break
    return best


def _seconds(variant: Variant, seeds: Sequence[Seed]) -> float:
    """Return the least time of a few tries."""
    samples, columns = [seed.sample for seed in seeds], [seed.columns for seed in seeds]
    took = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        variant.raw(samples, columns)
        took.append(time.perf_counter() - began)
        if took[-1] > _ENOUGH_S:
            break
    return min(took)
