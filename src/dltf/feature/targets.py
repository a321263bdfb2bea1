"""What a search maximises: by how much a model errs, or by how much a pair contradicts itself. In nats."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dltf.values import BoolArray, FloatArray, IntArray, Observations


def scores_of(observed: Observations, classes: Sequence[Hashable]) -> FloatArray:
    """Return the log-score of each class, float64 [n, classes]; NaN where the decoder scores no other answers."""
    scores = np.full((len(observed), len(classes)), np.nan)
    if observed.scorer is None:
        return scores
    for column, label in enumerate(classes):
        try:
            scored = observed.score([label] * len(observed))
        except (IndexError, ValueError):  # a label that the model does not know
            continue
        if scored is not None:
            scores[:, column] = scored
    return scores


def error_margins(scores: FloatArray, places: IntArray, keeps: BoolArray) -> FloatArray:
    """Return the best other class's log-score − the label's, float64 [n]; `places` are the labels' columns.

    Where scores do not tell, it is −1 for the label and 1 for any other answer.
    """
    rows = np.arange(len(scores))
    if not scores.shape[1]:
        return np.where(keeps, -1.0, 1.0)
    own = np.where(places >= 0, scores[rows, places], np.nan)
    others = scores.copy()
    others[rows, places] = np.nan
    with np.errstate(invalid="ignore"):
        best = np.where(np.isnan(others).all(axis=1), np.nan, np.nan_to_num(others, nan=-np.inf).max(axis=1))
        margins = best - own
    # A tie, or an answer that is none of the classes, is told by the decision.
    told = np.where(np.isnan(margins), np.where(keeps, -1.0, 1.0), margins)
    tiny = np.finfo(np.float64).tiny
    return np.asarray(np.where(keeps, np.minimum(told, -tiny), np.maximum(told, tiny)))


def signed_severity(ours: FloatArray, theirs: FloatArray, deviates: BoolArray) -> FloatArray:
    """Return the severity of a pair's difference, float64 [n]; below 0, how far the nearer model is from its boundary.

    With x and y, both models' log-odds between two classes, it is min(|x|, |y|) where they disagree and −min(|x|, |y|)
    where they agree; the largest over the classes beside the one that the pair answers.
    """
    if not ours.shape[1] or np.isnan(ours).all() or np.isnan(theirs).all():
        return np.where(deviates, 1.0, -1.0)
    low = [np.nan_to_num(one, nan=-np.inf) for one in (ours, theirs)]
    rows = np.arange(len(ours))
    best = [one.argmax(axis=1) for one in low]
    with np.errstate(invalid="ignore"):
        severity = np.minimum(
            low[0][rows, best[0]] - low[0][rows, best[1]], low[1][rows, best[1]] - low[1][rows, best[0]]
        )
        gaps = [one[rows, first][:, None] - one for one, first in zip(low, best, strict=True)]
        for gap, first in zip(gaps, best, strict=True):
            gap[rows, first] = np.inf
        room = np.minimum(gaps[0].min(axis=1), gaps[1].min(axis=1))
    tiny = np.finfo(np.float64).tiny
    return np.asarray(np.where(deviates, np.maximum(severity, tiny), -np.maximum(room, tiny)))
