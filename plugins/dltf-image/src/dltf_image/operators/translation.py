"""Moved sideways, up or down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_image.operators.border import Border, known_border
from dltf_image.operators.randomness import either_way, uniform_rows
from dltf_image.operators.warp import Affine, warp_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class Translation:
    """A move to the right and down by drawn amounts, each uniform in ±max_shift of the width or the height.

    What comes in is as `border` says. The strength scales both; a move by part of a pixel mixes neighbours.
    """

    max_shift: float = field(default=0.1, validator=[validators.gt(0), validators.le(1)])  # of the width, the height
    border: Border = field(default="reflect", validator=known_border)

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        height, width = samples.shape[1:3]
        shifts = either_way(uniform_rows(streams, 2), self.max_shift)
        return {"right_px": shifts[:, 0] * width, "down_px": shifts[:, 1] * height}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        moves = np.stack([draws["right_px"], draws["down_px"]], axis=1) * strengths[:, np.newaxis]
        return warp_each(samples, map(_move, moves.tolist()), self.border)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return how far the picture moves."""
        return np.hypot(draws["right_px"], draws["down_px"]) * strengths, "px"


def _move(pixels: Sequence[float]) -> Affine:
    right, down = pixels
    return (1.0, 0.0, -right), (0.0, 1.0, -down)
