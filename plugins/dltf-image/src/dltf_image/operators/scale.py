"""Nearer or further away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_image.operators.border import Border, known_border
from dltf_image.operators.randomness import factors, uniform_rows
from dltf_image.operators.warp import Affine, warp_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class Scale:
    """Larger or smaller about the middle, in a frame that stays.

    The factor is uniform on a logarithmic scale from 1 / max_factor to max_factor; what comes in below 1 is as `border`
    says. The strength is the factor's exponent: half-way, an enlargement to 121 % is one to 110 %.
    """

    max_factor: float = field(default=1.2, validator=[validators.gt(1), validators.le(10)])
    border: Border = field(default="reflect", validator=known_border)

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return {"factor": factors(uniform_rows(streams, 1)[:, 0], self.max_factor)}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        pairs = zip(draws["factor"].tolist(), strengths.tolist(), strict=True)
        return warp_each(samples, (_zoom(factor**strength) for factor, strength in pairs), self.border)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the factor, of an enlargement or a reduction alike: 1.2 is to 120 % or to 83 %."""
        return np.exp(np.abs(np.log(draws["factor"])) * strengths), "×"


def _zoom(factor: float) -> Affine:
    return (1 / factor, 0.0, 0.0), (0.0, 1 / factor, 0.0)
