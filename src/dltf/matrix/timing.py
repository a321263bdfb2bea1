"""Times variants beside each other, so that what else the machine does falls on all of them alike.

A round shows every variant twice: once in each of its halves, in an order drawn anew for each half. Two variants that
are equally fast can then change places in every round without changing what is likely, whatever the noise depends on:
time, neighbours, or itself. The tests in `dltf.matrix.claims` need no more than that. The two turns of one variant in a
round are what it is compared with itself by.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from attrs import frozen

from dltf.errors import UsageError
from dltf.matrix.statistics import bootstrapped

if TYPE_CHECKING:
    from dltf.values import FloatArray

    Turn: TypeAlias = Callable[[], object]

REPETITIONS = 30
WARM_UP = 5

_TICK = 1e-9  # seconds; what a coarse clock does not see took some time all the same, and has a logarithm


@frozen(eq=False)
class Timings:
    """What each variant took, in seconds, float64 [rounds, 2]: its first and its second turn of each round.

    Which of the two came first in time was drawn.
    """

    seconds: Mapping[str, FloatArray]

    @property
    def repetitions(self) -> int:
        return len(next(iter(self.seconds.values())))

    def figures(self) -> dict[str, dict[str, Any]]:
        """Return the quantiles of each variant; p95 and p99 of few turns are near the slowest of them."""
        return {name: _figures(turns) for name, turns in self.seconds.items()}


def measure(
    runs: Mapping[str, Turn],
    repetitions: int = REPETITIONS,
    warm_up: int = WARM_UP,
    *,
    again: Mapping[str, Turn] | None = None,
    seed: int = 0,
    clock: Callable[[], float] = time.perf_counter,
    progressed: Callable[[int], None] = lambda rounds: None,
) -> Timings:
    """Time every run in `repetitions` rounds, after `warm_up` rounds that do not count.

    `progressed` is told how many rounds are done. `again` gives variants that were opened a second time: the second
    turn is then theirs, so that a variant's noise against itself is also what opening it again changes. Garbage is
    collected between rounds only. An error of a run is raised as it is.
    """
    if not runs:
        raise UsageError("there is nothing to time", hint="give at least one variant")
    turns = [(run, (again or {}).get(name, run)) for name, run in runs.items()]
    seconds = np.empty((len(turns), repetitions, 2))
    with _garbage_kept():
        for done, order in enumerate(orders(len(turns), warm_up + repetitions, seed)):
            gc.collect(0)  # what the last round left: a whole collection takes longer than many a turn
            for variant, copy in order:
                run = turns[variant][copy]
                began = clock()
                run()
                took = clock() - began
                if done >= warm_up:
                    seconds[variant, done - warm_up, copy] = max(took, _TICK)
            if done >= warm_up:
                progressed(done - warm_up + 1)
    return Timings(dict(zip(runs, seconds, strict=True)))


def orders(variants: int, rounds: int, seed: int = 0) -> Iterator[Sequence[tuple[int, int]]]:
    """Yield each round: which variant has its turn, and whether it is its first (0) or second (1); always the same."""
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        early = rng.integers(2, size=variants)
        yield [(int(variant), int(early[variant]) ^ half) for half in (0, 1) for variant in rng.permutation(variants)]


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Let no collector interrupt a turn."""
    was = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _figures(turns: FloatArray) -> dict[str, Any]:
    median, p95, p99 = np.quantile(turns, (0.5, 0.95, 0.99))
    return {
        "samples": turns.size,
        "median_s": float(median),
        "median_interval": bootstrapped(turns),
        "p95_s": float(p95),
        "p99_s": float(p99),
        "min_s": float(turns.min()),
        "mean_s": float(turns.mean()),
    }
