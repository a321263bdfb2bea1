"""What detectors put out, in one form: boxes, scores and classes, whatever the convention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf_image.detection.geometry import corners

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import BoolArray, FloatArray, IntArray
    from dltf_image.detection.decoder import Detections

_FAR = 2.0**53
"""Class numbers beyond this are no integers any more."""


@frozen(eq=False)
class Candidates:
    """All boxes that a detector gives for n inputs, before anything is left out.

    `boxes` [n, k, 4] are corners in shares of the picture; `scores` [n, k] those of each box's best class, `classes`
    [n, k] that class. `valid` [n, k] is False for what is no box: beyond the count, of the background, without
    area, not a number.
    `undecided` [n, k]: two classes share the best score. `best` float32 [n, classes] is the best score of each class
    over all boxes, or None where the outputs do not tell how many classes there are.
    """

    boxes: FloatArray
    scores: FloatArray
    classes: IntArray
    valid: BoolArray
    undecided: BoolArray
    best: NDArray[np.float32] | None


def arrange(settled: Detections, outputs: Mapping[str, NDArray[Any]]) -> Candidates:
    """Read the outputs as the settled settings say."""
    with np.errstate(all="ignore"):  # NaN and infinities are observations, not accidents
        boxes, scores, labels = _parts(settled, outputs)
        places = corners(boxes, settled.box_format, settled.extent)
    there = np.arange(boxes.shape[1])[None, :] < _counts(settled, outputs, boxes)[:, None]
    if labels is None:
        best, classes, undecided = _best_classes(scores)
        by_class = np.where(there[:, :, None], scores, 0.0).max(axis=1, initial=0.0).astype(np.float32)
    else:
        best, classes, undecided, by_class = scores, _numbers(labels, settled.label_offset), np.zeros_like(there), None
    usable = np.isfinite(places).all(axis=2) & np.isfinite(best) & (places[..., 2:] > places[..., :2]).all(axis=2)
    return Candidates(places, best, classes, there & usable & (classes >= 0), undecided, by_class)


def _counts(settled: Detections, outputs: Mapping[str, NDArray[Any]], boxes: FloatArray) -> FloatArray:
    n, k = boxes.shape[:2]
    if not settled.count:
        return np.full(n, float(k))
    told = outputs[settled.count].reshape(n).astype(np.float64)
    return np.where(np.isfinite(told), told, 0.0)


def _parts(
    settled: Detections, outputs: Mapping[str, NDArray[Any]]
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Return boxes [n, k, 4]; scores [n, k, classes] and None, or scores [n, k] and class numbers [n, k]."""
    if settled.combined:
        whole = outputs[settled.combined].astype(np.float64)
        whole = whole.swapaxes(1, 2) if settled.transposed else whole
        boxes, rest = whole[..., :4], _activated(whole[..., 4:], settled.logits, settled.values)
        if settled.values == "class":
            return boxes, rest[..., 0], rest[..., 1]
        if settled.values == "objectness":
            rest = rest[..., :1] * rest[..., 1:] if rest.shape[2] > 1 else rest
        return boxes, rest[..., settled.label_offset :], None
    boxes, scores = (outputs[name].astype(np.float64) for name in (settled.boxes, settled.scores))
    scores = _activated(scores, settled.logits)
    if settled.classes:
        return boxes, scores, outputs[settled.classes].astype(np.float64)
    return boxes, scores[..., settled.label_offset :] if scores.ndim == 3 else scores[..., None], None


def _activated(scores: FloatArray, logits: bool, values: str = "scores") -> FloatArray:
    """Turn logits into scores; a class number beside a score stays as it is."""
    if not logits:
        return scores
    powers = 1.0 / (1.0 + np.exp(-scores))
    if values == "class":
        powers[..., 1:] = scores[..., 1:]
    return np.asarray(powers)


def _best_classes(scores: FloatArray) -> tuple[FloatArray, IntArray, BoolArray]:
    classes = scores.argmax(axis=2)
    best = np.take_along_axis(scores, classes[:, :, None], axis=2)
    return best[:, :, 0], classes, np.asarray((scores == best).sum(axis=2) > 1)


def _numbers(labels: FloatArray, offset: int) -> IntArray:
    """Return class numbers, −1 for what is none."""
    usable = np.isfinite(labels) & (np.abs(labels) < _FAR)
    return np.asarray(np.rint(np.where(usable, labels, offset - 1)).astype(np.int64) - offset)
