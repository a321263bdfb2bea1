"""Which of many overlapping boxes stay: class-wise non-maximum suppression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dltf_image.detection.geometry import overlaps

if TYPE_CHECKING:
    from dltf.plugin import BoolArray, FloatArray, IntArray


def suppress(boxes: FloatArray, scores: FloatArray, classes: IntArray, iou: float) -> tuple[IntArray, bool]:
    """Return the rows that stay, the best first, and whether a tie had a say.

    A box goes where a better one of its class, that stays, overlaps it by more than `iou`. Of two that are equally good
    the one further to the left is better, then the one further up, whatever their order in the output.
    """
    order = np.lexsort((*boxes.T[::-1], classes, -scores))
    if iou >= 1 or not len(order):
        return order, False
    stays = np.zeros(len(order), dtype=np.bool_)
    for number in np.unique(classes[order]):
        places = np.flatnonzero(classes[order] == number)
        stays[places[_kept(boxes[order[places]], iou)]] = True
    kept, gone = order[stays], order[~stays]
    return kept, _tied(boxes, scores, classes, kept, gone, iou)


def _kept(boxes: FloatArray, iou: float) -> IntArray:
    """Return the positions that stay of one class's boxes, the best first."""
    import cv2

    ranks = np.arange(len(boxes), 0, -1, dtype=np.float32)  # OpenCV wants scores above 0: the order is all that counts
    corners_and_sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(corners_and_sizes.tolist(), ranks.tolist(), 0.0, iou)
    return np.asarray(kept, dtype=np.int64).reshape(-1)


def _tied(boxes: FloatArray, scores: FloatArray, classes: IntArray, kept: IntArray, gone: IntArray, iou: float) -> bool:
    """Tell whether a box went for one that is no better and is another."""
    rivals: BoolArray = (scores[gone][:, None] == scores[kept]) & (classes[gone][:, None] == classes[kept])
    if not rivals.any():
        return False
    rows = np.flatnonzero(rivals.any(axis=1))
    apart = overlaps(boxes[gone[rows]], boxes[kept])
    return bool((rivals[rows] & (apart > iou) & (apart < 1)).any())
