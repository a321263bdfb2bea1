"""Stronger or weaker contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_image.operators.randomness import factors, uniform_rows
from dltf_image.operators.tables import LEVELS, column, look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class Contrast:
    """Every value's distance from the picture's mean times a drawn factor, clipped.

    The factor is uniform on a logarithmic scale from 1 / max_factor to max_factor; the mean is over all channel values.
    The strength is how far the factor goes from 1 to the one that was drawn.
    """

    max_factor: float = field(default=2.0, validator=[validators.gt(1), validators.le(100)])

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return {"factor": factors(uniform_rows(streams, 1)[:, 0], self.max_factor)}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        values = samples.reshape(len(samples), -1)
        means = column(values.sum(axis=1, dtype=np.int64) / values.shape[1])  # of whole numbers: exact in any order
        gains = column(1 + strengths * (draws["factor"] - 1))
        return look_up(samples, means + (LEVELS - means) * gains)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the factor, of more contrast or less alike: 1.5 is to 150 % or to 67 %."""
        return np.exp(np.abs(np.log(1 + strengths * (draws["factor"] - 1)))), "×"
