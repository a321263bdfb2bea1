"""What the changes of geometry share: an affine map about the middle of the picture, one for each sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dltf_image.operators.border import Border, border_code

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dltf.plugin import Batch

Affine = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Where a pixel comes from: x and y, each as (of x, of y, constant), in pixels from the middle; y points down."""


def warp_each(samples: Batch, origins: Iterable[Affine], border: Border) -> Batch:
    """Return every sample through its own map, bilinear, at its own size.

    Half-way between two pixels is their mean, at any fraction: the picture moves as smoothly as 8 bits allow.
    """
    import cv2

    height, width = samples.shape[1:3]
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    code = border_code(border)
    warped = np.empty_like(samples)
    for row, ((xx, xy, x), (yx, yy, y)) in enumerate(origins):
        matrix = np.array(
            [
                [xx, xy, x + middle_x - xx * middle_x - xy * middle_y],
                [yx, yy, y + middle_y - yx * middle_x - yy * middle_y],
            ]
        )
        moved = cv2.warpAffine(
            samples[row], matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=code
        )
        warped[row] = moved.reshape(samples.shape[1:])
    return warped
