"""Overdriven."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_speech.operators.pcm import saturated
from dltf_speech.operators.randomness import between, uniform_rows
from dltf_speech.operators.ranges import not_below, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream

_IN_RANGE = within(0, 99)


@frozen
class Clipping:
    """The drawn percentage of the values cut off, half of it at either end: the outermost come to those percentiles.

    The range is that of audiomentations' ClippingDistortion. The strength scales the percentage.
    """

    # The transform itself cuts percentiles down to whole numbers, so that a strength would move in steps.
    min_percent: float = field(default=0.0, validator=_IN_RANGE)
    max_percent: float = field(default=40.0, validator=[_IN_RANGE, validators.gt(0.0), not_below("min_percent")])

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return {"percent": between(uniform_rows(streams, 1)[:, 0], self.min_percent, self.max_percent)}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        mutants = samples.copy()
        if samples.shape[1]:
            for row, percent in enumerate((strengths * draws["percent"]).tolist()):
                low, high = np.percentile(samples[row], [percent / 2, 100 - percent / 2])
                mutants[row] = saturated(np.clip(samples[row].astype(np.float64), low, high))
        return mutants

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return how many of the values are cut off."""
        return draws["percent"] * strengths, "%"
