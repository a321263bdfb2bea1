"""The mean over a square."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from dltf_image.operators.kernels import any_sizes, draw_sizes, filter_each
from dltf_image.operators.strength import blend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class AverageBlur:
    """The mean over a square of drawn size, borders mirrored (DFlare, table 3; sizes as released).

    The strength blends the sample with its blurred self.
    """

    kernels: tuple[int, ...] = field(default=(1, 2, 3, 4, 5), validator=any_sizes)  # pixels; 1 changes nothing

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return draw_sizes(self.kernels, streams)

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        import cv2

        blurred = filter_each(samples, draws["kernel"], lambda picture, size: cv2.blur(picture, (size, size)))
        return blend(samples, blurred, strengths)
