"""What a repair is worth, in the terms of its paper (Tian et al., DFlare, section 5.5).

- A *finding* is repaired where the repaired candidate answers as the reference does; a seed is *induced* where the
  candidate answered as the reference does, and the repaired one does not.
- The *repair count* R is the number of repaired findings, the *repair ratio* R ÷ findings.
- The *inducing count* I is the number of induced seeds, the *inducing ratio* I ÷ seeds on which both agreed.
- The *improvement* is (R − I) ÷ findings: the share of deviations that the repair takes away, net of those it brings.

In the paper's protocol there are as many seeds as findings, and the improvement is the repair ratio less the inducing
ratio. Each count is of inputs that the head has not learnt from, and the mean over the repetitions of the folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.repair.data import CLEAN, FINDING, HARD, NATURAL, SEED, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import FloatArray, IntArray

_RESAMPLES = 1000
_LEVEL = 0.95


@frozen
class Counts:
    """How many findings were repaired, and how many seeds induced, of how many."""

    repaired: float
    findings: int
    induced: float
    seeds: int

    @property
    def repair_ratio(self) -> float | None:
        return self.repaired / self.findings if self.findings else None

    @property
    def inducing_ratio(self) -> float | None:
        return self.induced / self.seeds if self.seeds else None

    @property
    def improvement(self) -> float | None:
        return (self.repaired - self.induced) / self.findings if self.findings else None


def counts(rows: Rows, after: IntArray) -> Counts:
    """Count what came of one repair: `after` are the repaired candidate's classes, int64 [n]."""
    found, seeds = rows.of(FINDING), rows.of(SEED) & rows.agreeing
    right = after == rows.answers
    return Counts(int((right & found).sum()), int(found.sum()), int((~right & seeds).sum()), int(seeds.sum()))


def figures(rows: Rows, afters: Sequence[IntArray], stream: np.random.Generator) -> dict[str, Any]:
    """Return all figures of a repair with intervals: `afters` has the classes of each repetition.

    Intervals are percentiles of a bootstrap over seeds: a seed is drawn with everything that was made of it.
    """
    rights = np.mean([after == rows.answers for after in afters], axis=0)  # the share of repetitions that are right
    kinds = {kind: rows.of(kind) for kind in (FINDING, SEED, NATURAL, HARD)}
    agreed = {kind: kinds[kind] & rows.agreeing for kind in (SEED, HARD)}
    parts = {
        "repaired": _column(rights, kinds[FINDING]),
        "induced": _column(1 - rights, agreed[SEED]),
        "natural": _column(rights, kinds[NATURAL]),
        "hard_negatives": _column(1 - rights, agreed[HARD]),
    }
    totals = _resampled(rows.groups, [column for pair in parts.values() for column in pair], stream)
    named: dict[str, Any] = {}
    for place, (name, (count, of)) in enumerate(parts.items()):
        drawn = _ratio(totals[:, 2 * place], totals[:, 2 * place + 1])
        named[name] = _told(float(count.sum()), int(of.sum()), drawn)
    net = _ratio(totals[:, 0] - totals[:, 2], totals[:, 1])
    findings = named["repaired"]["of"]
    value = (named["repaired"]["count"] - named["induced"]["count"]) / findings if findings else None
    named["improvement"] = {"ratio": value, "interval": interval(net)}
    named["accuracy"] = _accuracy(rows, afters, stream)
    return named


def _accuracy(rows: Rows, afters: Sequence[IntArray], stream: np.random.Generator) -> dict[str, Any] | None:
    """Return the share of labelled clean inputs that are answered rightly; where there are none, of the seeds."""
    kind = (CLEAN,) if rows.of(CLEAN).any() else (SEED, NATURAL)
    known = rows.of(*kind) & (rows.labels >= 0)
    if not known.any():
        return None
    truth, ours = rows.labels[known], rows.take(known)
    before, reference = (answers[known] == truth for answers in (rows.own, rows.answers))
    after = np.mean([one[known] == truth for one in afters], axis=0)
    columns = [before.astype(float), after, reference.astype(float), np.ones(len(truth))]
    totals = _resampled(ours.groups, columns, stream)
    shares = [_ratio(totals[:, place], totals[:, 3]) for place in range(3)]
    told: dict[str, Any] = {"of": len(truth), "on": "clean" if kind == (CLEAN,) else "seeds"}
    for name, column, drawn in zip(("before", "after", "reference"), columns, shares, strict=False):
        told[name] = {"ratio": float(column.mean()), "interval": interval(drawn)}
    told["change"] = {"ratio": float((after - before).mean()), "interval": interval(shares[1] - shares[0])}
    return told


def _column(shares: FloatArray, where: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    return np.where(where, shares, 0.0), where.astype(np.float64)


def _resampled(groups: IntArray, columns: Sequence[FloatArray], stream: np.random.Generator) -> FloatArray:
    """Return the sums of columns over groups that were drawn with replacement, float64 [resamples, columns]."""
    _, numbers = np.unique(groups, return_inverse=True)
    size = int(numbers.max()) + 1 if len(numbers) else 0
    sums = np.stack([np.bincount(numbers, weights=column, minlength=size) for column in columns], axis=1)
    drawn = [sums[stream.integers(size, size=size)].sum(axis=0) for _ in range(_RESAMPLES)] if size else []
    return np.array(drawn).reshape(-1, len(columns))


def _ratio(count: FloatArray, of: FloatArray) -> FloatArray:
    known = of > 0
    return np.asarray(count[known] / of[known])


def interval(drawn: FloatArray) -> list[float] | None:
    """Return the middle 95 % of what a bootstrap drew, or None where it drew nothing."""
    if not len(drawn):
        return None
    return [float(value) for value in np.quantile(drawn, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])]


def _told(count: float, of: int, drawn: FloatArray) -> dict[str, Any]:
    return {"count": count, "of": of, "ratio": count / of if of else None, "interval": interval(drawn)}
