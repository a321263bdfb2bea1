"""How far apart two clips are, and where; what lies between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from attrs import field, frozen

from dltf_speech import refine
from dltf_speech.contour import contour
from dltf_speech.rate import DEFAULT_HZ, known_rate
from dltf_speech.regions import region
from dltf_speech.spectrum import log_spectral_distance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dltf.plugin import Batch, FloatArray, IntArray, Sample, Stream

CEILING_DB = 120.0  # more than 16 bits can hold (98 dB): what equal clips get, and what is as good as equal

_UNITS = {"noise_rms": "16-bit steps", "snr_db": "dB", "lsd_db": "dB"}


@frozen
class SpeechGeometry:
    """Noise, signal-to-noise ratio and log-spectral distance; what one of two clips lacks counts as silence in it.

    `noise_rms` is the root mean square of the difference, over the longer clip. `snr_db` is the energy of the seed over
    that of the difference: a similarity, within ±120 dB, 120 for equal clips. `lsd_db` is the mean over frames of the
    root mean square difference between log spectra.
    """

    across_shapes: ClassVar[bool] = True

    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)
    units: Mapping[str, str] = field(factory=_UNITS.copy, init=False)

    def distances(self, seeds: Sequence[Sample], mutants: Sequence[Sample]) -> Mapping[str, FloatArray]:
        rows = [self._of(seed, mutant) for seed, mutant in zip(seeds, mutants, strict=True)]
        columns = np.array(rows, np.float64).reshape(-1, len(_UNITS)).T
        return dict(zip(_UNITS, columns.copy(), strict=True))

    def regions(self, seeds: Sequence[Sample], mutants: Sequence[Sample]) -> list[str]:
        """Return when each pair differs: a third of the longer clip, a half, "everywhere", or "" where it is equal."""
        return [region(*padded(seed, mutant)) for seed, mutant in zip(seeds, mutants, strict=True)]

    def interpolate(self, seeds: Batch, partners: Batch, t: FloatArray) -> Batch | list[Sample]:
        """Return `(1 − t) seed + t partner`, rounded: both are heard, the shorter one followed by silence.

        The length goes along from one clip's to the other's. A step at t = 0 would be a change of its own: silence
        after a clip is enough for some networks to answer otherwise.
        """
        first, last = seeds.shape[1], partners.shape[1]
        ours, theirs = (_to_length(clips.astype(np.float64), max(first, last)) for clips in (seeds, partners))
        between: Batch = np.rint(ours + t[:, np.newaxis] * (theirs - ours)).astype(np.int16)
        if first == last:
            return between
        lengths = np.rint(first + t * (last - first)).astype(np.int64)
        return [clip[:length] for clip, length in zip(between, lengths.tolist(), strict=True)]

    def embed(self, samples: Batch) -> NDArray[np.float32]:
        """Return 9 numbers: how long a clip is, and how loud as it goes along, on scales of logarithms."""
        return contour(samples)

    def rounded(self, values: FloatArray, rounding: FloatArray | float) -> Batch:
        return refine.rounded(values, rounding)

    def fitted(self, seed: Sample, shape: tuple[int, ...]) -> Sample:
        """Return the clip cut to another length, or followed by silence."""
        return np.pad(seed[: shape[0]], (0, max(0, shape[0] - len(seed))))

    def size(self, changes: FloatArray) -> FloatArray:
        return refine.rms(changes)

    def parts(self, shape: tuple[int, ...], shifted: bool) -> IntArray:
        return refine.stretches(shape[0], shifted)

    def patch(self, shape: tuple[int, ...], stream: Stream) -> FloatArray:
        return refine.burst(shape[0], self.rate_hz, stream)

    def _of(self, seed: Sample, mutant: Sample) -> tuple[float, float, float]:
        ours, theirs = padded(seed, mutant)
        noise = float(((ours - theirs) ** 2).sum())
        apart_db = log_spectral_distance(ours, theirs, self.rate_hz) if noise > 0 else 0.0
        return float(np.sqrt(noise / len(ours))), _ratio_db(float((ours**2).sum()), noise), apart_db


def padded(seed: Sample, mutant: Sample) -> tuple[FloatArray, FloatArray]:
    """Return both clips as real numbers, the shorter one followed by silence."""
    length = max(len(seed), len(mutant))
    ours, theirs = (_to_length(clip[np.newaxis].astype(np.float64), length)[0] for clip in (seed, mutant))
    return ours, theirs


def _to_length(clips: FloatArray, length: int) -> FloatArray:
    return np.pad(clips, ((0, 0), (0, length - clips.shape[1])))


def _ratio_db(signal: float, noise: float) -> float:
    if noise == 0:
        return CEILING_DB
    return float(np.clip(10 * np.log10(signal / noise), -CEILING_DB, CEILING_DB)) if signal > 0 else -CEILING_DB
