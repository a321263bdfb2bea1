"""Slanted."""

from __future__ import annotations

from math import radians, tan
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
class Shear:
    """Rows slid sideways and columns slid down about the middle, by two drawn angles uniform in ±max_angle_deg.

    By `right_deg` a row further down goes further to the right, as a backslash does; by `down_deg` a column further
    right goes further down. What comes in is as `border` says. The strength scales both angles.
    """

    max_angle_deg: float = field(default=12.0, validator=[validators.gt(0), validators.lt(45)])
    border: Border = field(default="reflect", validator=known_border)

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        angles = either_way(uniform_rows(streams, 2), self.max_angle_deg)
        return {"right_deg": angles[:, 0].copy(), "down_deg": angles[:, 1].copy()}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        angles = np.stack([draws["right_deg"], draws["down_deg"]], axis=1) * strengths[:, np.newaxis]
        return warp_each(samples, map(_slant, angles.tolist()), self.border)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the larger of the two angles."""
        return np.maximum(np.abs(draws["right_deg"]), np.abs(draws["down_deg"])) * strengths, "°"


def _slant(angles_deg: Sequence[float]) -> Affine:
    """Invert x + right × y, y + down × x: the area shrinks by 1 - right × down, which is not 0 below 45°."""
    right, down = (tan(radians(angle)) for angle in angles_deg)
    area = 1 - right * down
    return (1 / area, -right / area, 0.0), (-down / area, 1 / area, 0.0)
