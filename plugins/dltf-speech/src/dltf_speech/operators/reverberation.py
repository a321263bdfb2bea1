"""In a room."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen

from dltf_speech.operators.decibels import ratio_of, ratios_of
from dltf_speech.operators.pcm import change_each, rms_of
from dltf_speech.operators.randomness import between, normal_rows, uniform_rows
from dltf_speech.operators.ranges import not_below, within
from dltf_speech.rate import DEFAULT_HZ, known_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dltf.plugin import Batch, Draws, FloatArray, Stream
    from dltf_speech.operators.pcm import Reals

_RT60_RANGE = within(0.05, 10)
_RATIO_RANGE = within(-40, 60)

_FIRST_S = 0.0025  # what is reflected first comes this much after the direct sound: a detour of 86 cm

# Air and walls swallow high frequencies first. Up to each frequency, the part of the drawn time that sound lasts.
_BANDS = ((1414.0, 1.0), (2828.0, 0.85), (5657.0, 0.65), (float("inf"), 0.45))


@frozen
class Reverberation:
    """The sound with that of a room of drawn reverberation time (to −60 dB, up to 1.4 kHz; less above), both uniform.

    The room's response is exponentially decaying noise behind the direct sound; the ratio of their energies, in
    decibels, is drawn as well. The length and the level of the clip stay, and what would sound on after its end is cut.
    The strength scales the amplitude of what the room adds. A silent clip stays as it is.
    """

    # audiomentations' RoomSimulator gives another room each time, and a longer clip.
    min_rt60_s: float = field(default=0.2, validator=_RT60_RANGE)
    max_rt60_s: float = field(default=0.8, validator=[_RT60_RANGE, not_below("min_rt60_s")])
    min_direct_db: float = field(default=0.0, validator=_RATIO_RANGE)
    max_direct_db: float = field(default=12.0, validator=[_RATIO_RANGE, not_below("min_direct_db")])
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        uniform = uniform_rows(streams, 2)
        return {
            "rt60_s": between(uniform[:, 0], self.min_rt60_s, self.max_rt60_s),
            "direct_db": between(uniform[:, 1], self.min_direct_db, self.max_direct_db),
            "reflections": normal_rows(streams, ceil(self.max_rt60_s * self.rate_hz)),
        }

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        rt60_s, direct_db = draws["rt60_s"].tolist(), draws["direct_db"].tolist()

        def reverberate(row: int, clip: Reals, strength: float) -> Reals:
            tail = reflected(draws["reflections"][row], rt60_s[row], self.rate_hz)
            return _with_room(clip, tail * np.float32(strength * ratio_of(-direct_db[row])))

        return change_each(samples, strengths, reverberate)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the level of what the room adds against that of the direct sound."""
        return ratios_of(-draws["direct_db"]) * strengths * 100, "%"


def reflected(noise: NDArray[np.float32], rt60_s: float, rate_hz: int) -> Reals:
    """Return a room's response without the direct sound, of energy 1: noise that fades band by band."""
    from scipy.fft import irfft, rfft

    time_s = np.arange(len(noise)) / rate_hz
    spectrum = rfft(noise.astype(np.float64))
    frequencies_hz = np.arange(len(spectrum)) * rate_hz / len(noise)
    fading = np.zeros(len(noise))
    low_hz = 0.0
    for high_hz, part in _BANDS:
        inside = (frequencies_hz >= low_hz) & (frequencies_hz < high_hz)
        fading += irfft(spectrum * inside, len(noise)) * 10 ** (-3 * time_s / (rt60_s * part))
        low_hz = high_hz
    fading /= np.sqrt(np.square(fading).sum())
    return np.concatenate([np.zeros(max(1, round(_FIRST_S * rate_hz))), fading]).astype(np.float32)


def _with_room(clip: Reals, tail: Reals) -> Reals:
    from scipy.signal import fftconvolve

    heard: Reals = clip + fftconvolve(clip, tail)[: len(clip)]
    level = rms_of(heard)
    return heard * np.float32(rms_of(clip) / level) if level else clip
