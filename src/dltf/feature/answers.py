"""What models answer on tests: a model under test alone, a pair, and judges, all asked in the same way."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.errors import RuntimeFailedError
from dltf.feature.targets import error_margins, scores_of, signed_severity
from dltf.joining import judged

if TYPE_CHECKING:
    from dltf.contracts import Oracle
    from dltf.feed import Columns
    from dltf.values import Batch, BoolArray, FloatArray, IntArray, Observations, Sample
    from dltf.variant import Variant

KINDS = ("", "failure", "nonfinite", "crash")
"""What became of a test: nothing, a wrong answer or difference, an output that is no number, a runtime that failed."""


@frozen(eq=False)
class Asked:
    """n samples, the labels that they should get, and the columns of their seeds."""

    samples: Batch | Sequence[Sample]
    labels: Sequence[Hashable]
    columns: Sequence[Columns]

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, rows: IntArray | Sequence[int]) -> Asked:
        return Asked(
            [self.samples[row] for row in rows],
            [self.labels[row] for row in rows],
            [self.columns[row] for row in rows],
        )


@frozen(eq=False)
class Seen:
    """What one variant answered on n samples: None where its runtime failed.

    `scores`: float64 [n, c], the log-scores of the classes asked for; NaN where nothing tells.
    """

    decisions: list[Hashable | None]
    finite: BoolArray
    crashed: BoolArray
    scores: FloatArray
    parts: list[tuple[IntArray, Observations]]  # rows, and what was seen there

    def keeps(self, labels: Sequence[Hashable]) -> BoolArray:
        """Return where the answer is this label: an output that is not finite is no answer."""
        same = [mine == label for mine, label in zip(self.decisions, labels, strict=True)]
        return np.asarray(np.array(same, dtype=np.bool_) & self.finite & ~self.crashed)


@frozen(eq=False)
class Outcome:
    """What came of n tests.

    `kinds`: int64 [n], places in `KINDS`. `targets`: float64 [n], what a search maximises: above 0 where a test fails.
    `scores`: float64 [n, models, classes].
    """

    kinds: IntArray
    candidate: list[Hashable | None]
    reference: list[Hashable | None] | None
    right: BoolArray  # every model under test answers the label
    targets: FloatArray
    scores: FloatArray

    @property
    def failing(self) -> BoolArray:
        return np.asarray(self.kinds > 0)

    def take(self, rows: IntArray | slice) -> Outcome:
        places = np.arange(len(self.kinds))[rows].tolist()
        return Outcome(
            self.kinds[rows],
            [self.candidate[row] for row in places],
            None if self.reference is None else [self.reference[row] for row in places],
            self.right[rows],
            self.targets[rows],
            self.scores[rows],
        )


@frozen(eq=False)
class Tested:
    """What is under test: one model, or a pair that an oracle compares. `classes` are the labels that are scored."""

    candidate: Variant
    reference: Variant | None
    oracle: Oracle
    classes: Sequence[Hashable]
    batch: int

    def ask(self, asked: Asked) -> Outcome:
        """Show samples to what is under test; nothing that a runtime does is an exception."""
        theirs = see(self.candidate, asked, self.batch, self.classes)
        if self.reference is None:
            targets = error_margins(theirs.scores, self.places(asked.labels), theirs.keeps(asked.labels))
            return self._outcome(asked, theirs, None, ~theirs.keeps(asked.labels), targets)
        ours = see(self.reference, asked, self.batch, self.classes)
        deviates = self._deviates(asked, ours, theirs)
        return self._outcome(asked, theirs, ours, deviates, signed_severity(ours.scores, theirs.scores, deviates))

    def places(self, labels: Sequence[Hashable]) -> IntArray:
        """Return the column of each label among the classes, −1 where it is none of them."""
        place = {label: number for number, label in enumerate(self.classes)}
        return np.array([place.get(label, -1) for label in labels], dtype=np.int64)

    def _deviates(self, asked: Asked, ours: Seen, theirs: Seen) -> BoolArray:
        """Ask the oracle, batch by batch, about the samples that both have answered."""
        deviates = np.zeros(len(asked), dtype=np.bool_)
        for rows in _shared(ours, theirs):
            ours_here, theirs_here = _taken(ours, rows), _taken(theirs, rows)
            labels = [asked.labels[row] for row in rows]
            deviates[rows] = judged(self.oracle, ours_here, theirs_here, labels).deviates
        return deviates

    def _outcome(self, asked: Asked, theirs: Seen, ours: Seen | None, wrong: BoolArray, targets: FloatArray) -> Outcome:
        seen = [theirs] if ours is None else [ours, theirs]
        crashed = np.any([one.crashed for one in seen], axis=0)
        finite = np.all([one.finite for one in seen], axis=0)
        kinds = np.select([crashed, ~finite, wrong], [3, 2, 1], 0).astype(np.int64)
        return Outcome(
            kinds=kinds,
            candidate=theirs.decisions,
            reference=None if ours is None else ours.decisions,
            right=np.asarray(np.all([one.keeps(asked.labels) for one in seen], axis=0)),
            targets=np.where(kinds >= 2, np.inf, np.nan_to_num(targets, nan=0.0)),
            scores=np.stack([one.scores for one in seen], axis=1),
        )


def see(variant: Variant, asked: Asked, batch: int, classes: Sequence[Hashable] = ()) -> Seen:
    """Let a variant observe samples, batch by batch; where its runtime fails, one by one."""
    count = len(asked)
    decisions: list[Hashable | None] = [None] * count
    finite, crashed = np.ones(count, dtype=np.bool_), np.ones(count, dtype=np.bool_)
    scores = np.full((count, len(classes)), np.nan)
    parts: list[tuple[IntArray, Observations]] = []
    for first in range(0, count, batch):
        parts += _observed(variant, asked, np.arange(first, min(first + batch, count)))
    for rows, observed in parts:
        crashed[rows] = False
        finite[rows] = observed.finite
        scores[rows] = scores_of(observed, classes)
        for row, decision in zip(rows.tolist(), plain(observed.decisions), strict=True):
            decisions[row] = decision
    return Seen(decisions, finite, crashed, scores, parts)


def plain(decisions: Any) -> list[Any]:
    """Return decisions as values of Python's own."""
    return decisions.tolist() if isinstance(decisions, np.ndarray) else list(decisions)


def _observed(variant: Variant, asked: Asked, rows: IntArray) -> list[tuple[IntArray, Observations]]:
    some = asked.take(rows)
    try:
        return [(rows, variant.observe(list(some.samples), some.columns))]
    except RuntimeFailedError:
        if len(rows) == 1:
            return []
        return [part for row in rows for part in _observed(variant, asked, np.array([row]))]


def _shared(ours: Seen, theirs: Seen) -> list[IntArray]:
    """Return the rows that both have answered, in groups that lie in one part of each."""
    groups = []
    for rows, _ in ours.parts:
        for others, _ in theirs.parts:
            both = np.intersect1d(rows, others, assume_unique=True)
            groups += [both] if len(both) else []
    return groups


def _taken(seen: Seen, rows: IntArray) -> Observations:
    for known, observed in seen.parts:
        if np.isin(rows, known).all():
            return observed.take(np.searchsorted(known, rows))
    raise AssertionError("groups are made of parts")
