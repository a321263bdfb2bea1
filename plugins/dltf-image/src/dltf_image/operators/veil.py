"""What haze and occlusion share: a grey level in front of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import Batch


def veiled(samples: Batch, shares: NDArray[np.float64], levels: NDArray[Any]) -> Batch:
    """Return `image + share × (level - image)`, rounded, with a share [n, height, width] for each pixel."""
    values: NDArray[np.float64] = np.subtract(levels, samples, dtype=np.float64)
    values *= shares[..., np.newaxis]
    values += samples
    return np.rint(values, out=values).astype(np.uint8)
