"""What the changes of tone share: a grey level becomes another by a table of 256, one for each picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import Batch, FloatArray

LEVELS = np.arange(256, dtype=np.float64)


def look_up(samples: Batch, tables: NDArray[np.float64]) -> Batch:
    """Return every sample through its own table [n, 256] of real grey levels, rounded and held within 0 … 255."""
    import cv2

    levels = np.clip(np.rint(tables), 0, 255).astype(np.uint8)
    mapped = np.empty_like(samples)
    for row, sample in enumerate(samples):
        mapped[row] = cv2.LUT(sample, levels[row]).reshape(sample.shape)
    return mapped


def column(values: FloatArray) -> NDArray[np.float64]:
    """Shape [n] to [n, 1], to go with a batch of tables."""
    return values[:, np.newaxis]
