"""The median over a square."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen

from dltf_image.operators.kernels import draw_sizes, odd_sizes
from dltf_image.operators.strength import blend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream

# OpenCV's vector code needs wide pictures: below this many columns, a 5×5 median takes twenty times as long a value.
_WIDE = 96


@frozen
class MedianBlur:
    """The median over a square of drawn size, borders repeated (DFlare, table 3; sizes as released).

    The strength blends the sample with its blurred self.
    """

    kernels: tuple[int, ...] = field(default=(1, 3, 5, 7), validator=odd_sizes)  # pixels; 1 changes nothing

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return draw_sizes(self.kernels, streams)

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        blurred = samples.copy()
        for size in set(draws["kernel"].tolist()) - {1}:
            rows = np.flatnonzero(draws["kernel"] == size)
            blurred[rows] = _medians(samples[rows], size)
        return blend(samples, blurred, strengths)


def _medians(samples: Batch, size: int) -> Batch:
    """Filter pictures side by side, each with its own border: a median is exact, so this changes no value."""
    import cv2

    count, height, width, channels = samples.shape
    if width >= _WIDE:
        return np.stack([cv2.medianBlur(sample, size) for sample in samples]).reshape(samples.shape)
    border = size // 2
    padded = width + 2 * border
    strip = np.zeros((height, max(count, -(-_WIDE // padded)), padded, channels), np.uint8)
    pictures = strip[:, :count]
    pictures[:, :, border : border + width] = samples.swapaxes(0, 1)
    pictures[:, :, :border] = pictures[:, :, border : border + 1]
    pictures[:, :, border + width :] = pictures[:, :, border + width - 1 : border + width]
    medians = cv2.medianBlur(strip.reshape(height, -1, channels), size).reshape(strip.shape)
    return medians[:, :count, border : border + width].swapaxes(0, 1)
