"""A few values changed to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_image.operators.randomness import below, uniform_rows
from dltf_image.operators.strength import blend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class PixelChange:
    """0 … `max_values` channel values, each set to a uniform grey level (DFlare, table 3; count as released).

    Positions may repeat; the last one counts. The strength is how far each value goes.
    """

    max_values: int = field(default=9, validator=[validators.ge(1), validators.le(10_000)])

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        most = self.max_values
        uniform = uniform_rows(streams, 1 + 2 * most)
        return {
            "count": below(uniform[:, 0], most + 1),
            "positions": below(uniform[:, 1 : 1 + most], int(np.prod(samples.shape[1:]))),
            "values": below(uniform[:, 1 + most :], 256).astype(np.uint8),
        }

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        full = samples.copy()
        flat = full.reshape(len(full), -1)
        # Row by row and from left to right: where a position repeats, numpy keeps the last value assigned.
        rows, turns = np.nonzero(np.arange(self.max_values) < draws["count"][:, np.newaxis])
        flat[rows, draws["positions"][rows, turns]] = draws["values"][rows, turns]
        return blend(samples, full, strengths)
