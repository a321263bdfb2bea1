"""The boundary gap in figures: a value for each way, and what many of them come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

if TYPE_CHECKING:
    from dltf.campaign.gap.locate import Crossings, Ends
    from dltf.values import BoolArray, FloatArray

RESAMPLES = 2000
_LEVEL = (2.5, 97.5)


@frozen(eq=False)
class Gaps:
    """The gap of each way, in the domain's distance; NaN where a variant's outputs are not finite.

    `resolution` is what the gap may be off by. It is `unresolved`, and counts as 0, where both variants change their
    answers between the same two neighbouring samples. Where the candidate differs at an end of the way, the gap reaches
    `at_least` to that end. `first` is where the candidate gives way before the reference.
    """

    values: FloatArray
    resolution: FloatArray
    unresolved: BoolArray
    at_least: BoolArray
    first: BoolArray

    @property
    def known(self) -> BoolArray:
        return np.isfinite(self.values)


def gaps_of(reference: Crossings, candidate: Crossings, ends: Ends, lengths: FloatArray, steps: FloatArray) -> Gaps:
    """Return the gaps between the crossings of two variants; `ends` are the candidate's.

    `steps` is how far apart the two samples are between which the reference's answer changes.
    """
    differs = ends.at_seed <= 0  # NaN is neither
    stays = (ends.at_seed > 0) & (ends.at_other > 0)
    low = np.where(differs, 0.0, np.where(stays, 1.0, candidate.low))
    high = np.where(differs, 0.0, np.where(stays, 1.0, candidate.high))
    overlap = (low < reference.high) & (reference.low < high)
    apart = np.abs((low + high) - (reference.low + reference.high)) / 2
    off = ((high - low) + (reference.high - reference.low)) / 2
    known = np.isfinite(low) & np.isfinite(reference.low)
    return Gaps(
        values=np.where(known, np.where(overlap, 0.0, apart * lengths), np.nan),
        resolution=np.where(overlap, steps, off * lengths),
        unresolved=overlap & known,
        at_least=(differs | stays) & known,
        first=~overlap & (low < reference.low) & known,
    )


def interval(values: FloatArray, statistic: Any = np.mean) -> tuple[float, float] | None:
    """Return the 95 % percentile bootstrap interval of a statistic; the same values always have the same one."""
    if not len(values):
        return None
    rng = np.random.default_rng(0)
    # Block by block: 2,000 resamples of many ways at once are too much to hold.
    blocks = [statistic(values[rng.integers(len(values), size=(100, len(values)))], axis=1) for _ in range(20)]
    assert sum(map(len, blocks)) == RESAMPLES
    low, high = np.percentile(np.concatenate(blocks), _LEVEL)
    return float(low), float(high)


def figures_of(gaps: Gaps) -> dict[str, Any]:
    """Return what the gaps of one candidate come to; None where there is no way to measure on."""
    values = gaps.values[gaps.known]
    below = gaps.resolution[gaps.unresolved]
    return {
        "mean": _of(np.mean, values),
        "interval": interval(values),
        "median": _of(np.median, values),
        "p95": float(np.percentile(values, 95)) if len(values) else None,
        "resolution": _of(np.mean, gaps.resolution[gaps.known]),
        "paths": len(values),
        "unresolved": len(below),
        "unresolved_below": _of(np.mean, below),
        "at_least": int(gaps.at_least.sum()),
        "not_finite": int((~gaps.known).sum()),
        "gives_way_first": _of(np.mean, gaps.first[gaps.known]),
    }


def _of(statistic: Any, values: Any) -> float | None:
    return float(statistic(values)) if len(values) else None


def class_pairs(gaps: Gaps, own: Sequence[Any], others: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the gaps by the answers at both ends, the widest first."""
    by_pair: dict[tuple[Any, Any], list[float]] = defaultdict(list)
    for pair, value, known in zip(zip(own, others, strict=True), gaps.values, gaps.known, strict=True):
        if known:
            by_pair[pair].append(float(value))
    rows = [
        {"from": _plain(pair[0]), "to": _plain(pair[1]), "paths": len(values), "mean": float(np.mean(values))}
        for pair, values in by_pair.items()
    ]
    return sorted(rows, key=lambda row: (-row["mean"], str(row["from"]), str(row["to"])))


def difference(nearer: Gaps, farther: Gaps) -> tuple[float, tuple[float, float]] | None:
    """Return by how much one candidate's mean gap is larger than the other's, on the ways of both, and its interval."""
    both = nearer.known & farther.known
    if not both.any():
        return None
    apart = farther.values[both] - nearer.values[both]
    bounds = interval(apart)
    assert bounds is not None
    return float(apart.mean()), bounds


def amounts_of(reference: FloatArray, candidate: FloatArray) -> dict[str, Any]:
    """Return the medians at which two variants give way on the same ways, and of what the candidate bears more."""
    found: dict[str, Any] = {}
    named = (("reference", reference), ("candidate", candidate), ("candidate_more", candidate - reference))
    for name, values in named:
        found[name] = _of(np.median, values)
        found[f"{name}_interval"] = interval(values, np.median)
    return found


def _plain(decision: Any) -> Any:
    return decision.item() if hasattr(decision, "item") else decision
