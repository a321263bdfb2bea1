"""The figures of a method's tests, with intervals by bootstrap over seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.feature.norms import lengths

if TYPE_CHECKING:
    from dltf.feature.norms import Norm
    from dltf.feature.trials import Tried
    from dltf.values import BoolArray, FloatArray, IntArray

BINS = 10  # of each dimension, equally likely among the reference, for t-way coverage
_BOOTSTRAP = 0xB007
_DRAWS = 2000
_LEVEL = (0.025, 0.975)


@frozen(eq=False)
class Ratio:
    """A share: what is counted ÷ of what, both as sums for each seed [n]."""

    of: FloatArray
    among: FloatArray

    @property
    def value(self) -> float | None:
        total = float(self.among.sum())
        return float(self.of.sum()) / total if total else None


def intervals(ratios: Mapping[str, Ratio], campaign_seed: int) -> dict[str, list[float] | None]:
    """Return the 95 % interval of each share: seeds are drawn again, with all their tests (percentile bootstrap).

    Where all or none is counted, every draw says the same; there the interval is that of a share of seeds (Clopper and
    Pearson), which one seed with a single other test would narrow. Of one seed alone there is none.
    """
    if not ratios:
        return {}
    count = len(next(iter(ratios.values())).of)
    stream = np.random.Generator(np.random.PCG64(np.random.SeedSequence([_BOOTSTRAP, campaign_seed])))
    sums = np.stack([column for ratio in ratios.values() for column in (ratio.of, ratio.among)], axis=1)
    drawn = np.stack([sums[stream.integers(count, size=count)].sum(axis=0) for _ in range(_DRAWS if count else 0)])
    told: dict[str, list[float] | None] = {}
    for place, (name, ratio) in enumerate(ratios.items()):
        of, among = drawn[:, 2 * place], drawn[:, 2 * place + 1]
        shares = of[among > 0] / among[among > 0]
        seeds = int((ratio.among > 0).sum())
        if ratio.value in (0.0, 1.0):
            told[name] = _of_all_alike(ratio.value == 1.0, seeds)
        else:
            told[name] = [float(end) for end in np.quantile(shares, _LEVEL)] if seeds > 1 else None
    return told


def _of_all_alike(counted: bool, seeds: int) -> list[float]:
    """Return the exact interval where all of n seeds are counted, or none is."""
    least = float(_LEVEL[0] ** (1 / seeds))
    return [least, 1.0] if counted else [0.0, 1.0 - least]


def figures(tried: Tried, seeds: int, campaign_seed: int) -> dict[str, Any]:
    """Return counts and shares of m tests of n seeds; what no judge measures is None."""
    failing, passed = tried.outcome.failing, tried.valid
    kept, confirmed = tried.label_kept, tried.confirmed
    ratios = {
        "valid_share": _ratio(tried, passed, None, seeds),
        "failure_share": _ratio(tried, failing, None, seeds),
        **{f"check_{name}": _ratio(tried, passes, None, seeds) for name, passes in tried.checks.items()},
    }
    if kept is not None and confirmed is not None:
        any_seed = np.bincount(tried.seeds[confirmed], minlength=seeds) > 0
        ratios |= {
            "label_kept": _ratio(tried, kept, None, seeds),
            "label_kept_valid": _ratio(tried, kept, passed, seeds),
            "precision": _ratio(tried, confirmed, failing & passed, seeds),
            "precision_unchecked": _ratio(tried, kept, failing, seeds),
            "confirmed_share": _ratio(tried, confirmed, None, seeds),
            "confirmed_seeds_share": Ratio(any_seed.astype(np.float64), np.ones(seeds)),
            **{f"judge_{name}": _ratio(tried, mine, None, seeds) for name, mine in tried.kept.items()},
        }
    counts = {
        "accepted": seeds,
        "tests": len(tried),
        "seeds_with_tests": len(np.unique(tried.seeds)),
        "failures": int(failing.sum()),
        "crashes": int((tried.outcome.kinds == 3).sum()),
        "nonfinite": int((tried.outcome.kinds == 2).sum()),
        "valid_failures": int((failing & passed).sum()),
        "confirmed": None if confirmed is None else int(confirmed.sum()),
        "confirmed_seeds": None if confirmed is None else len(np.unique(tried.seeds[confirmed])),
        "accuracy": float(tried.outcome.right.mean()) if len(tried) else None,
    }
    shares = {name: ratio.value for name, ratio in ratios.items()}
    return counts | shares | {"intervals": intervals(ratios, campaign_seed)}


def cost(tried: Tried, seconds: float) -> dict[str, Any]:
    """Return queries and seconds for each confirmed failure, and the queries until a seed's first."""
    confirmed = tried.confirmed
    if confirmed is None:
        return {"seconds": seconds}
    number = places(tried.seeds)
    found, first = np.unique(tried.seeds[confirmed], return_index=True)
    firsts = number[np.flatnonzero(confirmed)[first]] + 1
    count = int(confirmed.sum())
    return {
        "seconds": seconds,
        "queries_per_confirmed": len(tried) / count if count else None,
        "seconds_per_confirmed": seconds / count if count else None,
        "queries_to_first_median": float(np.median(firsts)) if len(found) else None,
    }


def places(seeds: IntArray) -> IntArray:
    """Return the number of each test among those of its seed, which lie together."""
    _, starts, counts = np.unique(seeds, return_index=True, return_counts=True)
    return np.asarray(np.arange(len(seeds)) - np.repeat(starts, counts), dtype=np.int64)


def pairs_of_classes(labels: Sequence[Hashable], decisions: Sequence[Hashable | None]) -> list[list[Any]]:
    """Return [label, answer, how often], the most frequent first."""
    counted = Counter(zip(labels, decisions, strict=True))
    ordered = sorted(counted.items(), key=lambda item: (-item[1], repr(item[0])))
    return [[label, decision, count] for (label, decision), count in ordered]


def clusters(codes: FloatArray, radius: float, norm: Norm) -> int:
    """Return how many clusters codes [m, k] make: one that is within the radius of no leader leads a new one."""
    leaders = np.zeros((0, codes.shape[1]))
    for code in codes:
        if not len(leaders) or lengths(leaders - code, norm).min() > radius:
            leaders = np.concatenate([leaders, code[None]])
    return len(leaders)


def coverage(codes: FloatArray, reference: FloatArray, bins: int = BINS) -> dict[str, float | None]:
    """Return the share of bins, and of pairs of bins in two dimensions, that codes [m, k] reach.

    The bins of a dimension are equally likely among the reference codes [n, k].
    """
    edges = np.quantile(reference, np.linspace(0.0, 1.0, bins + 1)[1:-1], axis=0)
    binned = np.stack([np.searchsorted(edges[:, d], codes[:, d], side="right") for d in range(codes.shape[1])], axis=1)
    dimensions = codes.shape[1]
    single = [len(np.unique(binned[:, d])) for d in range(dimensions)]
    double = [
        len(np.unique(binned[:, first] * bins + binned[:, second]))
        for first in range(dimensions)
        for second in range(first + 1, dimensions)
    ]
    return {
        "one_way": float(np.mean(single)) / bins if single else None,
        "two_way": float(np.mean(double)) / bins**2 if double else None,
    }


def spread(values: FloatArray) -> dict[str, float | None]:
    """Return mean, median, 95th percentile and maximum; None for each where there are no values."""
    if not len(values):
        return {"mean": None, "median": None, "p95": None, "max": None}
    return {
        "mean": float(values.mean()),
        "median": float(np.median(values)),
        "p95": float(np.quantile(values, 0.95)),
        "max": float(values.max()),
    }


def _ratio(tried: Tried, counted: BoolArray, among: BoolArray | None, seeds: int) -> Ratio:
    everything = np.ones(len(tried), dtype=np.bool_) if among is None else among
    return Ratio(
        np.bincount(tried.seeds, weights=counted & everything, minlength=seeds).astype(np.float64),
        np.bincount(tried.seeds, weights=everything, minlength=seeds).astype(np.float64),
    )
