"""Higher or lower, at the same speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from dltf_speech.operators.pcm import change_each
from dltf_speech.operators.randomness import between, uniform_rows
from dltf_speech.operators.ranges import not_below, within
from dltf_speech.operators.stretching import TRANSFORM_METHODS, Method, known_method, whole_frame
from dltf_speech.operators.transforms import transform
from dltf_speech.rate import DEFAULT_HZ, known_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream
    from dltf_speech.operators.pcm import Reals

_IN_RANGE = within(-24, 24)


@frozen
class PitchShift:
    """A move by a drawn number of semitones, uniform, up where it is positive (DFlare, section 6.1).

    The range is audiomentations' own. The length stays. The strength scales the semitones. What is heard follows it;
    the waveform does not, as phases change with any move.
    """

    min_semitones: float = field(default=-4.0, validator=_IN_RANGE)
    max_semitones: float = field(default=4.0, validator=[_IN_RANGE, not_below("min_semitones")])
    method: Method = field(default="signalsmith", validator=known_method)
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return {"semitones": between(uniform_rows(streams, 1)[:, 0], self.min_semitones, self.max_semitones)}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        semitones = draws["semitones"].tolist()

        def move(row: int, clip: Reals, strength: float) -> Reals:
            return self._moved(clip, strength * semitones[row]) if semitones[row] else clip

        return change_each(samples, strengths, move)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return how far the pitch moves, either way."""
        return abs(draws["semitones"]) * strengths, "semitones"

    def _moved(self, clip: Reals, semitones: float) -> Reals:
        settings = {"method": TRANSFORM_METHODS[self.method]}
        made = transform("pitch_shift", "PitchShift", {"num_semitones": semitones}, **settings)
        moved: Reals = made.apply(whole_frame(clip, self.method), self.rate_hz)
        return moved[: len(clip)]
