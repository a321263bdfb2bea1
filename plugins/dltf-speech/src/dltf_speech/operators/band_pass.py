"""Through a telephone, a wall, a small loudspeaker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from dltf_speech.operators.pcm import change_each, padded
from dltf_speech.operators.randomness import between_octaves, uniform_rows
from dltf_speech.operators.ranges import not_below, within
from dltf_speech.operators.transforms import transform
from dltf_speech.rate import DEFAULT_HZ, known_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream
    from dltf_speech.operators.pcm import Reals

_STEP_DB = 12  # per octave: a filter of order 1, there and back
_SHORTEST = 512  # values: more than a filter of the steepest kind looks at beyond the ends


def _above_low(operator: BandPass, attribute: Any, value: float) -> None:
    if not value > operator.max_low_hz:  # nor is NaN
        raise ValueError(f"'{attribute.name}' must be above max_low_hz, {operator.max_low_hz}: {value}")


def _steep(_: object, attribute: Any, value: int) -> None:
    if value % _STEP_DB or not _STEP_DB <= value <= 8 * _STEP_DB:
        raise ValueError(f"'{attribute.name}' must be a multiple of {_STEP_DB} up to {8 * _STEP_DB}: {value}")


def _holds_the_band(operator: BandPass, _: object, rate_hz: int) -> None:
    if operator.max_high_hz >= rate_hz / 2:
        raise ValueError(
            f"'max_high_hz' must be below half of the clips' rate, {rate_hz / 2:g} Hz: {operator.max_high_hz}"
        )


@frozen
class BandPass:
    """What lies between two drawn frequencies, each uniform on a logarithmic scale; outside, the sound fades away.

    A Butterworth filter, there and back, so that nothing is delayed: 6 dB down at either frequency. The strength blends
    the sample with what the filter lets through.
    """

    min_low_hz: float = field(default=100.0, validator=within(10, 96_000))
    max_low_hz: float = field(default=500.0, validator=not_below("min_low_hz"))
    min_high_hz: float = field(default=2000.0, validator=_above_low)
    max_high_hz: float = field(default=3600.0, validator=not_below("min_high_hz"))
    rolloff_db: int = field(default=24, validator=_steep)  # per octave
    rate_hz: int = field(default=DEFAULT_HZ, validator=[known_rate, _holds_the_band])

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        uniform = uniform_rows(streams, 2)
        return {
            "low_hz": between_octaves(uniform[:, 0], self.min_low_hz, self.max_low_hz),
            "high_hz": between_octaves(uniform[:, 1], self.min_high_hz, self.max_high_hz),
        }

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        low_hz, high_hz = draws["low_hz"].tolist(), draws["high_hz"].tolist()

        def narrow(row: int, clip: Reals, strength: float) -> Reals:
            return clip + np.float32(strength) * (self._between(clip, low_hz[row], high_hz[row]) - clip)

        return change_each(samples, strengths, narrow)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return how much of the spectrum is taken away."""
        kept = (draws["high_hz"] - draws["low_hz"]) / (self.rate_hz / 2)
        return (1 - kept) * strengths * 100, "%"

    def _between(self, clip: Reals, low_hz: float, high_hz: float) -> Reals:
        band = {"center_freq": (low_hz + high_hz) / 2, "bandwidth": high_hz - low_hz, "rolloff": self.rolloff_db}
        settings = {"min_rolloff": self.rolloff_db, "max_rolloff": self.rolloff_db, "zero_phase": True}
        made = transform("band_pass_filter", "BandPassFilter", band, **settings)
        through: Reals = made.apply(padded(clip, _SHORTEST), self.rate_hz)
        return through[: len(clip)]
