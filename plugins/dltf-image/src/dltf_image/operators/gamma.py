"""Lighter or darker middle tones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_image.operators.randomness import factors, uniform_rows
from dltf_image.operators.tables import LEVELS, look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class Gamma:
    """255 × (value / 255) ^ gamma: black and white stay, the tones between get lighter (below 1) or darker.

    Gamma is uniform on a logarithmic scale from 1 / max_gamma to max_gamma. The strength is the exponent's own:
    gamma ^ strength.
    """

    max_gamma: float = field(default=2.0, validator=[validators.gt(1), validators.le(100)])

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return {"gamma": factors(uniform_rows(streams, 1)[:, 0], self.max_gamma)}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        pairs = zip(draws["gamma"].tolist(), strengths.tolist(), strict=True)
        return look_up(samples, np.stack([255 * (LEVELS / 255) ** gamma**strength for gamma, strength in pairs]))

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the exponent, or one over it where it is below 1."""
        return np.exp(np.abs(np.log(draws["gamma"])) * strengths), "γ"
