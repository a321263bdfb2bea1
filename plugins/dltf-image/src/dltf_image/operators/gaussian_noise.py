"""Additive noise."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_image.operators.overflow import Overflow, known_overflow, to_pixels
from dltf_image.operators.randomness import normal_rows
from dltf_image.operators.strength import per_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class GaussianNoise:
    """Zero-mean normal noise on every value, then truncation towards zero (DFlare, table 3; values as released).

    The release's variance, 0.1 squared grey levels, rarely moves a value by more than the truncation does: about half
    of the values that are not black drop by one. The strength scales the amplitude of the drawn noise.
    """

    variance: float = field(default=0.1, validator=[validators.gt(0), validators.le(255**2)])  # grey levels, squared
    overflow: Overflow = field(default="wrap", validator=known_overflow)  # as released

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        noise = normal_rows(streams, samples.shape[1:])
        noise *= np.float32(sqrt(self.variance))
        return {"noise": noise}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        values = draws["noise"] * per_sample(strengths).astype(np.float32)
        values += samples
        return to_pixels(values, self.overflow)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the noise's standard deviation."""
        return sqrt(self.variance) * strengths, "grey levels"
