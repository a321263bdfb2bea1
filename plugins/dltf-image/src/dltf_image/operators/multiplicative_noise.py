"""Multiplicative noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_image.operators.overflow import Overflow, known_overflow, to_pixels
from dltf_image.operators.randomness import normal_rows, uniform_rows
from dltf_image.operators.strength import per_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class MultiplicativeNoise:
    """`image + image × g`, with g normal for every value (DFlare, table 3; ranges as released).

    Each sample has its own mean of g, uniform in [-max_mean, max_mean), and variance, uniform in [0, max_variance).
    The strength scales g, whose pattern stays. Where values wrap around, a bright value may come back as a dark one.
    """

    max_mean: float = field(default=0.5, validator=[validators.ge(0), validators.le(100)])
    max_variance: float = field(default=0.05, validator=[validators.ge(0), validators.le(100)])
    overflow: Overflow = field(default="wrap", validator=known_overflow)  # as released

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        uniform = uniform_rows(streams, 2)
        mean = (2 * uniform[:, 0] - 1) * self.max_mean
        variance = uniform[:, 1] * self.max_variance
        gain = normal_rows(streams, samples.shape[1:])
        gain *= per_sample(np.sqrt(variance)).astype(np.float32)
        gain += per_sample(mean).astype(np.float32)
        return {"mean": mean, "variance": variance, "gain": gain}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        values = draws["gain"] * per_sample(strengths).astype(np.float32)
        values *= samples
        values += samples
        return to_pixels(values, self.overflow)
