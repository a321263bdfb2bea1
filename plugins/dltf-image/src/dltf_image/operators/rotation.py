"""Turned about its middle."""

from __future__ import annotations

from math import cos, radians, sin
from typing import TYPE_CHECKING

from attrs import field, frozen, validators

from dltf_image.operators.border import Border, known_border
from dltf_image.operators.randomness import either_way, uniform_rows
from dltf_image.operators.warp import Affine, warp_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class Rotation:
    """A turn about the middle by a drawn angle, uniform in ±max_angle_deg, anticlockwise where it is positive.

    The frame stays, and the corners are filled as `border` says. The strength scales the angle.
    """

    max_angle_deg: float = field(default=15.0, validator=[validators.gt(0), validators.le(180)])
    border: Border = field(default="reflect", validator=known_border)

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return {"angle_deg": either_way(uniform_rows(streams, 1)[:, 0], self.max_angle_deg)}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        return warp_each(samples, map(_turn, (strengths * draws["angle_deg"]).tolist()), self.border)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the angle, either way."""
        return abs(draws["angle_deg"]) * strengths, "°"


def _turn(angle_deg: float) -> Affine:
    cosine, sine = cos(radians(angle_deg)), sin(radians(angle_deg))
    return (cosine, -sine, 0.0), (sine, cosine, 0.0)
