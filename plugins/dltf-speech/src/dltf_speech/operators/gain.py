"""Louder or softer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from dltf_speech.operators.decibels import ratio_of
from dltf_speech.operators.pcm import change_each
from dltf_speech.operators.randomness import between, uniform_rows
from dltf_speech.operators.ranges import not_below, within
from dltf_speech.operators.transforms import transform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream
    from dltf_speech.operators.pcm import Reals

_IN_RANGE = within(-96, 96)  # all of 16 bits, either way


@frozen
class Gain:
    """A drawn gain, uniform in decibels (DFlare, section 6.1; the range is audiomentations' own).

    What is driven beyond full scale saturates: it is clipped, as by a converter. The strength scales the decibels.
    """

    min_gain_db: float = field(default=-12.0, validator=_IN_RANGE)
    max_gain_db: float = field(default=12.0, validator=[_IN_RANGE, not_below("min_gain_db")])

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return {"gain_db": between(uniform_rows(streams, 1)[:, 0], self.min_gain_db, self.max_gain_db)}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        gains_db = draws["gain_db"].tolist()
        return change_each(samples, strengths, lambda row, clip, strength: _louder(clip, strength * gains_db[row]))

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the gain, either way."""
        return abs(draws["gain_db"]) * strengths, "dB"


def _louder(clip: Reals, gain_db: float) -> Reals:
    made = transform("gain", "Gain", {"amplitude_ratio": ratio_of(gain_db)})
    louder: Reals = made.apply(clip, 0)  # whatever the rate
    return louder
