"""Boxes as corners, and how much two of them overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from dltf.plugin import FloatArray

Format = Literal["yxyx", "xyxy", "cxcywh", "xywh"]


def corners(boxes: FloatArray, form: Format, extent: tuple[float, float]) -> FloatArray:
    """Return boxes [..., 4] as x1, y1, x2, y2 in shares of the picture; `extent` is its height and width.

    A box of negative size is empty: it begins and ends at its first corner (or at its centre).
    """
    height, width = extent
    if form == "yxyx":
        boxes = boxes[..., [1, 0, 3, 2]]
    first, second = boxes[..., :2], boxes[..., 2:]
    if form in ("cxcywh", "xywh"):
        second = np.maximum(second, 0.0)
        first = first - second / 2 if form == "cxcywh" else first
        second = first + second
    second = np.maximum(first, second)
    return np.asarray(np.concatenate([first, second], axis=-1) / np.array([width, height, width, height]))


def overlaps(ours: FloatArray, theirs: FloatArray) -> FloatArray:
    """Return the intersection over union [a, b] of boxes [a, 4] and [b, 4] given by corners.

    Two boxes without any area overlap by 1 where they are the same, else by 0.
    """
    one, other = ours[:, None, :], theirs[None, :, :]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = np.maximum(sides, 0.0).prod(axis=-1)
    union = _areas(one) + _areas(other) - shared
    same = (one == other).all(axis=-1)
    return np.asarray(np.where(same, 1.0, shared / np.where(union > 0, union, 1.0)))


def _areas(boxes: FloatArray) -> FloatArray:
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).prod(axis=-1))
