"""Faster or slower, at the same pitch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from attrs import field, frozen

from dltf_speech.operators.pcm import to_clip, to_reals
from dltf_speech.operators.randomness import between, uniform_rows
from dltf_speech.operators.ranges import not_below, within
from dltf_speech.operators.stretching import TRANSFORM_METHODS, Method, known_method, whole_frame
from dltf_speech.operators.transforms import transform
from dltf_speech.rate import DEFAULT_HZ, known_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Sample, Stream
    from dltf_speech.operators.pcm import Reals

# Below 0.5 Signalsmith's stretch scatters phases at random, from a generator of its own that no one can seed.
_IN_RANGE = within(0.5, 4)


@frozen
class TimeStretch:
    """Speech at a drawn rate, uniform: above 1 faster (DFlare, section 6.1; the range is audiomentations' own).

    A clip of n values comes to n / rate; with `keep_length` it is cut, or followed by silence, to n. The strength
    scales the rate's distance from 1. What is heard follows it; the waveform does not, as phases change at any rate
    but 1.
    """

    keeps_shape: ClassVar[bool] = False

    min_rate: float = field(default=0.8, validator=_IN_RANGE)
    max_rate: float = field(default=1.25, validator=[_IN_RANGE, not_below("min_rate")])
    keep_length: bool = False
    method: Method = field(default="signalsmith", validator=known_method)
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return {"rate": between(uniform_rows(streams, 1)[:, 0], self.min_rate, self.max_rate)}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> list[Sample]:
        rates = (1 + strengths * (draws["rate"] - 1)).tolist()
        return [self._at(clip, rate) for clip, rate in zip(samples, rates, strict=True)]

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return how much faster or slower the speech is."""
        return abs(draws["rate"] - 1) * strengths * 100, "%"

    def _at(self, clip: Sample, rate: float) -> Sample:
        length = max(1, round(len(clip) / rate))
        if rate == 1 or not len(clip):
            return clip.copy()
        stretched = to_clip(self._stretched(to_reals(clip), rate))[:length]
        wanted = len(clip) if self.keep_length else length
        return np.pad(stretched, (0, max(0, wanted - len(stretched))))[:wanted]

    def _stretched(self, clip: Reals, rate: float) -> Reals:
        settings = {"leave_length_unchanged": False, "method": TRANSFORM_METHODS[self.method]}
        made = transform("time_stretch", "TimeStretch", {"rate": rate}, **settings)
        stretched: Reals = made.apply(whole_frame(clip, self.method), self.rate_hz)
        return stretched
