"""The weighted mean over a square."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from dltf_image.operators.kernels import draw_sizes, filter_each, odd_sizes
from dltf_image.operators.strength import blend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class GaussianBlur:
    """A Gaussian over a square of drawn size, borders mirrored (DFlare, table 3; sizes as released).

    OpenCV derives the width from the size: sigma = 0.3 ((size - 1) / 2 - 1) + 0.8. The strength blends the sample with
    its blurred self.
    """

    kernels: tuple[int, ...] = field(default=(1, 3, 5, 7), validator=odd_sizes)  # pixels; 1 changes nothing

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return draw_sizes(self.kernels, streams)

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        import cv2

        blurred = filter_each(
            samples, draws["kernel"], lambda picture, size: cv2.GaussianBlur(picture, (size, size), sigmaX=0)
        )
        return blend(samples, blurred, strengths)
