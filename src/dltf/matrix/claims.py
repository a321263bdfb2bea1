"""Which variants are slower or faster than the reference, as far as the noise of this machine lets one say.

What else a machine does only ever adds time, and often to a fifth of all turns. So it is the faster of a variant's two
turns that stands for a round. The ratios to the reference's are tested, as logarithms, by Wilcoxon's signed ranks: by
how the rounds are drawn, two equally fast variants are as likely to come out one way as the other, so false alarms are
as rare as they are said to be, however the noise is shaped and however it depends on time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import asdict, evolve, frozen

from dltf.errors import UsageError, nearest
from dltf.matrix.statistics import LEVEL, SignedRanks, bootstrap, centres_of, holm, signed_ranks

if TYPE_CHECKING:
    from dltf.matrix.timing import Timings
    from dltf.values import FloatArray

POWER = 0.8
PLANTED = 0.05
"""The difference whose chance of being found is told."""

LEAST = 2
"""Rounds without which there is no noise to see; some more are needed to claim anything."""

_RESAMPLES = 1000


@frozen
class Claim:
    """How long a variant takes, as a multiple of the reference's time, and whether that may be claimed.

    `interval`: of the ratio, at 95 %. `medians_ratio`: of the medians of all turns. `p_adjusted`: by Holm, among all
    comparisons made together. `noise_floor`: how far from 1 the ratio of either of the two to itself came out.
    `claimed`: p_adjusted is at most 5 %, and the ratio is beyond the noise floor, either way. `smallest_detectable`:
    the difference (0.05 is 5 %) that would have been claimed in 80 % of such measurements, even as the only one among
    all comparisons; None where the rounds are too few to claim any. `power`: how often one of 5 % would have been.
    """

    variant: str
    batch: int
    ratio: float
    interval: tuple[float | None, float | None]
    medians_ratio: float
    medians_interval: tuple[float, float]
    p: float
    p_adjusted: float
    noise_floor: float
    claimed: bool
    smallest_detectable: float | None
    power: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def claims(timings: Mapping[int, Timings], reference: str) -> list[Claim]:
    """Compare every variant with the reference, at every batch size; a variant may lack in some."""
    for timed in timings.values():
        if reference not in timed.seconds:
            raise UsageError(f'the reference "{reference}" was not timed{nearest(reference, timed.seconds)}')
        if timed.repetitions < LEAST:
            raise UsageError(f"{timed.repetitions} repetitions tell nothing of the noise", hint="30 will do, or more")
    among = sum(len(timed.seconds) - 1 for timed in timings.values())
    found = [
        _claim(timed.seconds[reference], turns, name, batch, among)
        for batch, timed in timings.items()
        for name, turns in timed.seconds.items()
        if name != reference
    ]
    adjusted = holm([one.p for one in found])
    return [
        evolve(one, p_adjusted=p, claimed=p <= LEVEL and abs(math.log(one.ratio)) > math.log1p(one.noise_floor))
        for one, p in zip(found, adjusted, strict=True)
    ]


def against_itself(turns: FloatArray) -> SignedRanks:
    """Return how a variant's first turns compare with its second, as logarithms of the ratio.

    Two rounds together make one comparison, so that here too it is the faster of two turns that counts.
    """
    twos = turns[: len(turns) // 2 * 2].reshape(-1, 2, 2).min(axis=1)
    return signed_ranks(np.log(twos[:, 0] / twos[:, 1]))


def noise_figures(timed: Timings) -> dict[str, dict[str, Any]]:
    """Return each variant's ratio to itself, its interval, whether that is a false alarm, and the noise floor of it."""
    figures = {}
    for name, turns in timed.seconds.items():
        own = against_itself(turns)
        figures[name] = {
            "ratio": math.exp(own.estimate),
            "interval": _ratios(own.interval),
            "alarm": own.p <= LEVEL,
            "noise_floor": math.expm1(_floor(own)),
        }
    return figures


@frozen(eq=False)
class Power:
    """What a comparison with this noise can find.

    `needed`: for each of many measurements like this one, redrawn from its own noise, the least difference, as a
    logarithm, that would have been claimed.
    """

    needed: FloatArray

    def smallest(self, power: float = POWER) -> float | None:
        """Return the difference (0.05 is 5 %) that is found this often, or None where none is."""
        least = float(np.quantile(self.needed, power, method="higher"))
        return math.expm1(least) if math.isfinite(least) else None

    def of(self, difference: float) -> float:
        """Return how often a difference (0.05 is 5 %) is found."""
        return float((self.needed < math.log1p(difference)).mean())


def power_of(reference: FloatArray, turns: FloatArray, among: int = 1) -> Power:
    """Return what comparing two variants, each timed in [rounds, 2], can find as the only one to differ of `among`."""
    return _redrawn(_logs(reference, turns), _floor_of_both(reference, turns), LEVEL / among)


def _redrawn(differences: FloatArray, floor: float, level: float) -> Power:
    """Redraw rounds, in blocks of neighbours, from the noise around the centre of these differences.

    `floor` is the noise floor as a logarithm, `level` that of the test.
    """
    centre = float(centres_of(differences[None])[0][0])
    n = len(differences)
    wider = math.sqrt(n / max(1, n - 1))  # what is drawn from n varies less than what the n were drawn from
    drawn = ((differences - centre) * wider)[bootstrap(n, _RESAMPLES)]
    centres, lows, highs = centres_of(drawn, level)
    return Power(np.concatenate([np.maximum(-lows, floor - centres), np.maximum(highs, floor + centres)]))


def _claim(reference: FloatArray, turns: FloatArray, name: str, batch: int, among: int) -> Claim:
    """Compare one variant; what depends on the other comparisons is left to the caller."""
    logs = _logs(reference, turns)
    seen = signed_ranks(logs)
    floor = _floor_of_both(reference, turns)
    power = _redrawn(logs, floor, LEVEL / among)
    rows = bootstrap(len(logs))
    medians = [np.median(side[rows].reshape(len(rows), -1), axis=1) for side in (turns, reference)]
    low, high = np.quantile(medians[0] / medians[1], (LEVEL / 2, 1 - LEVEL / 2))
    return Claim(
        variant=name,
        batch=batch,
        ratio=math.exp(seen.estimate),
        interval=_ratios(seen.interval),
        medians_ratio=float(np.median(turns) / np.median(reference)),
        medians_interval=(float(low), float(high)),
        p=seen.p,
        p_adjusted=1.0,
        noise_floor=math.expm1(floor),
        claimed=False,
        smallest_detectable=power.smallest(),
        power=power.of(PLANTED),
    )


def _logs(reference: FloatArray, turns: FloatArray) -> FloatArray:
    """Return by how much each round is slower than the reference's, as logarithms."""
    return np.asarray(np.log(turns.min(axis=1) / reference.min(axis=1)))


def _floor_of_both(*variants: FloatArray) -> float:
    return max(_floor(against_itself(turns)) for turns in variants)


def _floor(own: SignedRanks) -> float:
    """Return how far from itself a variant came out; what its interval says of chance is the test's business."""
    return abs(own.estimate)


def _ratios(interval: tuple[float, float]) -> tuple[float | None, float | None]:
    """Return the bounds of a ratio, None where there is none."""
    low, high = interval
    return (math.exp(low), math.exp(high)) if math.isfinite(high - low) else (None, None)
