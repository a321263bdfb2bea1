"""Something in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_image.operators.randomness import below, uniform_rows
from dltf_image.operators.strength import per_sample
from dltf_image.operators.veil import veiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class Occlusion:
    """A rectangle of drawn place and size in one drawn grey level.

    Its width and height are uniform from 0 to max_side of the picture's own, and it lies within the picture; a pixel
    that is covered in part changes in part. The strength is how much of its area is there: it grows from its middle.
    """

    max_side: float = field(default=0.3, validator=[validators.gt(0), validators.le(1)])  # of the width, the height

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        height, width = samples.shape[1:3]
        uniform = uniform_rows(streams, 5)
        width_px, height_px = uniform[:, 0] * (self.max_side * width), uniform[:, 1] * (self.max_side * height)
        return {
            "left_px": uniform[:, 2] * (width - width_px),
            "top_px": uniform[:, 3] * (height - height_px),
            "width_px": width_px,
            "height_px": height_px,
            "level": below(uniform[:, 4], 256),
        }

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        height, width = samples.shape[1:3]
        sides = np.sqrt(strengths)
        across = _covered(draws["left_px"], draws["width_px"], sides, width)
        down = _covered(draws["top_px"], draws["height_px"], sides, height)
        return veiled(samples, down[:, :, np.newaxis] * across[:, np.newaxis, :], per_sample(draws["level"]))

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the area that is covered."""
        return draws["width_px"] * draws["height_px"] * strengths, "px²"


def _covered(starts: FloatArray, lengths: FloatArray, shares: FloatArray, size: int) -> NDArray[np.float64]:
    """Return how much of each pixel of a row is covered, [n, size], by this share of the length about its middle."""
    middles, halves = (starts + lengths / 2)[:, np.newaxis], (shares * lengths / 2)[:, np.newaxis]
    pixels = np.arange(size)
    overlaps: NDArray[np.float64] = np.minimum(middles + halves, pixels + 1) - np.maximum(middles - halves, pixels)
    return np.maximum(overlaps, 0, out=overlaps)
