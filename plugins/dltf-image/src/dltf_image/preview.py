"""A seed and a finding, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen

from dltf_image.codec import PngCodec

if TYPE_CHECKING:
    from dltf.plugin import Sample

_SIDE = 160  # pixels: the least length of a panel's longer side
_GAP = 2  # pixels
_GREY = 128
_MAX_GAIN = 16


@frozen
class ImagePreview:
    """A PNG of three panels: seed, finding, difference.

    Each picture is enlarged by a whole number, pixels kept square and sharp, until its longer side has 160 pixels or
    more. The difference is absolute and black where there is none; it is multiplied by the largest whole number, 16 at
    most, that keeps it within white.
    """

    suffix: str = field(default=".png", init=False)

    def render(self, seed: Sample, mutant: Sample) -> bytes:
        factor = -(-_SIDE // max(seed.shape[:2]))
        panels = [_enlarged(panel, factor) for panel in (seed, mutant, amplified_difference(seed, mutant))]
        gap = np.full((panels[0].shape[0], _GAP, seed.shape[2]), _GREY, np.uint8)
        return PngCodec(compression=6).encode(np.concatenate([panels[0], gap, panels[1], gap, panels[2]], axis=1))


def amplified_difference(seed: Sample, mutant: Sample) -> Sample:
    """Return |seed - mutant| × gain, uint8; the gain is 1 … 16, the largest that keeps it within 255."""
    difference = np.maximum(seed, mutant) - np.minimum(seed, mutant)
    gain = min(_MAX_GAIN, 255 // max(1, int(difference.max())))
    return (difference * np.uint8(gain)).astype(np.uint8)


def _enlarged(picture: Sample, factor: int) -> Sample:
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)
