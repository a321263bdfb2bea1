"""Moved while the shutter was open."""

from __future__ import annotations

from math import ceil, cos, radians, sin
from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_image.operators.randomness import uniform_rows
from dltf_image.operators.spread import spread_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dltf.plugin import Batch, Draws, FloatArray, Stream

_STOPS_PER_PX = 4  # a straight line is drawn as so many points


@frozen
class MotionBlur:
    """Every point spread along a straight line of drawn length and direction; borders are mirrored.

    The length is uniform from 0 to max_length, a share of the picture's shorter side; the direction is any, 0° level
    and 90° upright. The strength scales the length.
    """

    max_length: float = field(default=0.15, validator=[validators.gt(0), validators.le(1)])  # of the shorter side

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        uniform = uniform_rows(streams, 2)
        length_px = uniform[:, 0] * (self.max_length * min(samples.shape[1:3]))
        return {"length_px": length_px, "angle_deg": uniform[:, 1] * 180}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        triples = zip(draws["length_px"].tolist(), draws["angle_deg"].tolist(), strengths.tolist(), strict=True)
        return spread_each(samples, (_line(*triple) for triple in triples))

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the length of the line."""
        return draws["length_px"] * strengths, "px"


def _line(full_px: float, angle_deg: float, strength: float) -> NDArray[np.float32]:
    """Return points along the line, each shared among the four pixels around it, so that it grows without steps."""
    reach = ceil(full_px / 2)
    stops = np.linspace(-0.5, 0.5, 2 * ceil(_STOPS_PER_PX * full_px / 2) + 1) * (full_px * strength)
    across, down = reach + stops * cos(radians(angle_deg)), reach - stops * sin(radians(angle_deg))
    left, top = np.floor(across).astype(np.int64), np.floor(down).astype(np.int64)
    right_share, low_share = across - left, down - top
    kernel = np.zeros((2 * reach + 2, 2 * reach + 2))  # one to spare: at the very end, a neighbour with no share
    for row, share in ((top, 1 - low_share), (top + 1, low_share)):
        np.add.at(kernel, (row, left), share * (1 - right_share))
        np.add.at(kernel, (row, left + 1), share * right_share)
    return kernel[:-1, :-1].astype(np.float32)
