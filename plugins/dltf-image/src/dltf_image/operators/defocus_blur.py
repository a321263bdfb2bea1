"""Out of focus."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_image.operators.randomness import uniform_rows
from dltf_image.operators.spread import spread_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class DefocusBlur:
    """Every point spread to a disc of drawn radius, as by a lens out of focus; borders are mirrored.

    The radius is uniform from 0 to max_radius, a share of the picture's shorter side, and the disc's edge is soft, one
    pixel wide. The strength scales the radius.
    """

    max_radius: float = field(default=0.05, validator=[validators.gt(0), validators.le(0.5)])  # of the shorter side

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return {"radius_px": uniform_rows(streams, 1)[:, 0] * (self.max_radius * min(samples.shape[1:3]))}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        pairs = zip(draws["radius_px"].tolist(), strengths.tolist(), strict=True)
        return spread_each(samples, (_disc(full_px * strength, ceil(full_px)) for full_px, strength in pairs))

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the radius of the disc."""
        return draws["radius_px"] * strengths, "px"


def _disc(radius_px: float, reach: int) -> NDArray[np.float32]:
    """Return the disc within a square of `reach`, which no strength changes, so that nothing else does either."""
    squared = np.arange(-reach, reach + 1, dtype=np.float64) ** 2
    distances = np.sqrt(squared[:, np.newaxis] + squared)
    return np.clip(radius_px + 1 - distances, 0, 1).astype(np.float32)
