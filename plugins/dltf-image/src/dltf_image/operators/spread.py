"""What the blurs of a camera share: each picture filtered by a kernel of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from dltf.plugin import Batch


def spread_each(samples: Batch, kernels: Iterable[NDArray[np.float32]]) -> Batch:
    """Return every sample with each pixel spread over its neighbours by its own kernel; borders are mirrored.

    A kernel is square, of an odd size, and the same when turned by 180°. It is scaled to a sum of 1.
    """
    import cv2

    blurred = np.empty_like(samples)
    for row, kernel in enumerate(kernels):
        spread = cv2.filter2D(samples[row], -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)
        blurred[row] = spread.reshape(samples.shape[1:])
    return blurred
