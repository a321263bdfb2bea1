"""What a strength means where an operator's effect is no noise: the way from a sample to the full effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import Batch, FloatArray


def blend(samples: Batch, full: Batch, strengths: FloatArray) -> Batch:
    """Return `samples + strength × (full - samples)`, rounded: each value moves one way as the strength grows.

    Strength 0 gives the samples and 1 gives `full`, bit for bit.
    """
    if (strengths == 1.0).all():
        return full
    way = np.subtract(full, samples, dtype=np.float64)
    way *= per_sample(strengths)
    way += samples
    return np.rint(way, out=way).astype(np.uint8)


def per_sample(values: FloatArray) -> NDArray[np.float64]:
    """Shape [n] to [n, 1, 1, 1], to go with a batch of pictures."""
    return values[:, np.newaxis, np.newaxis, np.newaxis]
