"""The oracle of detectors: whether two sets of boxes show the same things in the same places."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import Joins, MisfitError, Observations, Verdicts
from dltf_image.detection.geometry import overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import BoolArray

_share = [validators.ge(0.0), validators.le(1.0)]


@frozen
class MatchedBoxes(Joins):
    """Some box has no partner: one of its class in the other answer that overlaps it enough, each taken once.

    Partners are assigned so that as few boxes as possible are left alone. A box whose score is within `score_margin` of
    `score_threshold` (that of the decoder) may flicker: it may have a partner, and need not. The distance is 1 − F1,
    with F1 = 2 × pairs ÷ (2 × pairs + boxes left alone): 0 where all are matched, 1 where none is.
    """

    iou: float = field(default=0.5, validator=[validators.gt(0.0), validators.le(1.0)])  # the least overlap of partners
    score_margin: float = field(default=0.0, validator=_share)  # how near to the threshold a box may flicker; 0: none
    score_threshold: float = field(default=0.5, validator=_share)  # what `score_margin` counts from: the decoder's own

    def judge(self, reference: Observations, candidate: Observations) -> Verdicts:
        pairs: Iterable[tuple[Hashable, Hashable]] = zip(reference.decisions, candidate.decisions, strict=True)
        distances = np.array([self._apart(ours, theirs) for ours, theirs in pairs], dtype=np.float64)
        return Verdicts(deviates=distances > 0, distances=distances, tied=reference.tied | candidate.tied)

    def _apart(self, ours: Hashable, theirs: Hashable) -> float:
        one, other = _rows(ours), _rows(theirs)
        if ours == theirs:
            return 0.0
        needed, wanted = self._needed(one), self._needed(other)
        partners = (one[:, None, 0] == other[None, :, 0]) & (overlaps(one[:, 1:5], other[:, 1:5]) >= self.iou)
        pairs, served = _assigned(partners, needed, wanted)
        alone = int(needed.sum() + wanted.sum()) - served
        return alone / (2 * pairs + alone) if alone else 0.0

    def _needed(self, boxes: NDArray[np.float64]) -> BoolArray:
        """Tell which boxes need a partner."""
        near = np.abs(boxes[:, 5] - self.score_threshold) <= self.score_margin
        return np.asarray(~near if self.score_margin else np.ones_like(near))


def _assigned(partners: BoolArray, needed: BoolArray, wanted: BoolArray) -> tuple[int, int]:
    """Return the number of pairs, and how many of the boxes that need a partner have one.

    The assignment first serves as many of these as it can, then makes as many pairs as it can; so both figures are the
    same whatever the order of the boxes, and whichever variant is the reference.
    """
    from scipy.optimize import linear_sum_assignment  # scipy ships no types

    weights = partners * (1 + (1 + min(partners.shape)) * (needed[:, None].astype(np.int64) + wanted[None, :]))
    rows, columns = linear_sum_assignment(weights, maximize=True)
    paired = partners[rows, columns]
    return int(paired.sum()), int((needed[rows] & paired).sum() + (wanted[columns] & paired).sum())


def _rows(decision: Hashable) -> NDArray[np.float64]:
    """Return a decision as an array [boxes, 6]."""
    boxes: Any = decision
    if isinstance(boxes, tuple) and all(isinstance(box, tuple) and len(box) == 6 for box in boxes):
        return np.array(boxes, dtype=np.float64).reshape(-1, 6)
    raise MisfitError(
        f'the oracle "matched_boxes" needs boxes, and the decoder answers {decision}',
        hint='set use = "detections" in both tables [models.*.output], or choose another oracle',
    )
