"""What both variants say of samples, in the figures that shrinking and amplifying go by.

Each figure is a column of n rows. Rows on which a runtime failed, or whose outputs are not finite, are NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.campaign.severity import margins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.search.pair import Judged
    from dltf.values import BoolArray, FloatArray, Observations

    Answers = NDArray[Any]  # [n], decisions


@frozen(eq=False)
class Seen:
    """What came of n samples that both variants were shown."""

    judged: Judged
    count: int

    @property
    def deviates(self) -> BoolArray:
        whole = np.zeros(self.count, dtype=np.bool_)
        whole[self.judged.rows] = self.judged.verdicts.deviates & self.judged.finite
        return whole

    def answers(self) -> tuple[Answers, Answers]:
        """Return the decisions of both; None where a runtime failed."""
        ours, theirs = np.full((2, self.count), None, dtype=object)
        ours[self.judged.rows] = column(self.judged.reference.decisions)
        theirs[self.judged.rows] = column(self.judged.candidate.decisions)
        return ours, theirs

    def margin(self, own: Answers, other: Answers) -> FloatArray:
        """Return the log-odds of `own` against `other`, the mean of both variants; ±1 without scores."""
        rows = self.judged.rows
        return self._whole(mean_lead(self.judged.reference, self.judged.candidate, own[rows], other[rows]))

    def lead(self, own: Answers, other: Answers) -> FloatArray:
        """Return the same against whichever answer comes next, as far as it is known; `other` is one that may."""
        rows, both = self.judged.rows, (self.judged.reference, self.judged.candidate)
        rivals = [rival(one, own[rows], other[rows]) for one in both]
        return self._whole(mean_lead(*both, own[rows], *rivals))

    def severity(self) -> FloatArray:
        """Return the smaller of the margins where the sample deviates, −∞ elsewhere."""
        ours, theirs = margins(self.judged.reference, self.judged.candidate)
        assert ours is not None, "what cannot be scored is not amplified"
        assert theirs is not None
        reached = np.where(self.deviates, self._whole(np.minimum(ours, theirs)), -np.inf)
        return np.where(np.isnan(reached), -np.inf, reached)

    def contradiction(self, ours: Answers, theirs: Answers, softness: float) -> FloatArray:
        """Return how surely the variants hold these answers against each other's.

        The smaller margin counts, and a share of the larger one: it tells the way where the smaller stands still.
        """
        rows = self.judged.rows
        first = _odds(self.judged.reference, ours[rows], theirs[rows])
        second = _odds(self.judged.candidate, theirs[rows], ours[rows])
        return self._whole(np.minimum(first, second) + softness * np.maximum(first, second))

    def _whole(self, values: FloatArray) -> FloatArray:
        whole = np.full(self.count, np.nan)
        whole[self.judged.rows] = np.where(self.judged.finite, values, np.nan)
        return whole


def column(decisions: Any) -> Answers:
    """Return decisions as a column of objects, whatever they are."""
    if isinstance(decisions, np.ndarray):
        return decisions.astype(object)
    found = np.empty(len(decisions), dtype=object)
    found[:] = decisions
    return found


def mean_lead(
    reference: Observations, candidate: Observations, own: Answers, rival: Answers, their_rival: Answers | None = None
) -> FloatArray:
    """Return the log-odds of `own` against a rival, the mean of both variants.

    Without scores it is 1 where the reference answers `own`, −1 elsewhere.
    """
    if reference.scorer is None or candidate.scorer is None:
        answers = column(reference.decisions)
        return np.where(answers == own, 1.0, np.where(_continuous(answers), 1.0, -1.0))
    their_rival = rival if their_rival is None else their_rival
    return np.asarray(0.5 * (_odds(reference, own, rival) + _odds(candidate, own, their_rival)))


def rival(seen: Observations, own: Answers, other: Answers) -> Answers:
    """Return the best answer beside `own`: the variant's decision, the next best class, or else `other`."""
    decisions = column(seen.decisions)
    known = np.where(decisions == own, other, decisions)
    if seen.states is None or not isinstance(seen.decisions, np.ndarray) or seen.states.shape[1] < 2:
        return known
    states, rows = seen.states.copy(), np.arange(len(known))
    classes = (states.argmax(axis=1) == seen.decisions) & (decisions == own)  # states that score classes
    states[rows[classes], seen.decisions[classes]] = -np.inf
    return np.where(classes, states.argmax(axis=1).astype(object), known)


def _odds(seen: Observations, own: Answers, rival: Answers) -> FloatArray:
    ours, theirs = seen.score(own), seen.score(rival)
    assert ours is not None, "the scorer is there"
    assert theirs is not None
    with np.errstate(invalid="ignore"):
        return np.asarray(ours - theirs)


def _continuous(answers: Sequence[Any] | Answers) -> BoolArray:
    """Whether answers change all the time, as real numbers and boxes do: where they agree, nothing is crossed."""
    return np.array([isinstance(answer, (float, tuple)) for answer in answers], dtype=np.bool_)
