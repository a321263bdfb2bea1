"""White noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from dltf_speech.operators import noise
from dltf_speech.operators.randomness import between, normal_rows, uniform_rows
from dltf_speech.operators.ranges import not_below, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream

_IN_RANGE = within(-40, 96)


@frozen
class GaussianNoise:
    """Normal noise on every value at a drawn signal-to-noise ratio, uniform in decibels; audiomentations' range.

    The ratio is that of the pattern drawn, not of its distribution; rounding to 16 bits and saturation come on top. The
    strength scales the pattern's amplitude. A silent clip stays as it is.
    """

    # audiomentations has no part in it: its own noise comes from the global generator.
    min_snr_db: float = field(default=5.0, validator=_IN_RANGE)
    max_snr_db: float = field(default=40.0, validator=[_IN_RANGE, not_below("min_snr_db")])

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        snr_db = between(uniform_rows(streams, 1)[:, 0], self.min_snr_db, self.max_snr_db)
        patterns = normal_rows(streams, samples.shape[1])
        for row, pattern in enumerate(patterns):
            patterns[row] = noise.at_level_1(pattern)
        return {"snr_db": snr_db, "noise": patterns}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        return noise.with_noise(samples, draws["noise"], draws["snr_db"], strengths)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the noise's level against the clip's: 10 % is a ratio of 20 dB."""
        return noise.amounts(draws["snr_db"], strengths)
