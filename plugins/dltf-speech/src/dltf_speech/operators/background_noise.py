"""Something else is heard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen

from dltf_speech.operators import noise
from dltf_speech.operators.randomness import below, between, uniform_rows
from dltf_speech.operators.ranges import not_below, within
from dltf_speech.operators.recordings import known_files, read, recordings_in
from dltf_speech.rate import DEFAULT_HZ, known_rate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from dltf.plugin import Batch, Draws, FloatArray, Stream

_IN_RANGE = within(-40, 96)


@frozen
class BackgroundNoise:
    """A part of a recording at a drawn signal-to-noise ratio, uniform in decibels; audiomentations' range.

    The recordings are the sound files of the folder `path`, all equally likely, their channels averaged, resampled to
    `rate_hz`. One that is longer than the clip is cut at a drawn place, a shorter one starts at a drawn place and is
    repeated. A silent clip stays as it is, and so does any clip where the part drawn is silent. The strength scales the
    recording's amplitude. Each process looks into the folder once.
    """

    # audiomentations reads the file again for every clip, and draws its place in it from the global generator.
    path: Path = field(validator=recordings_in)
    min_snr_db: float = field(default=3.0, validator=_IN_RANGE)
    max_snr_db: float = field(default=30.0, validator=[_IN_RANGE, not_below("min_snr_db")])
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        uniform = uniform_rows(streams, 3)
        return {
            "snr_db": between(uniform[:, 0], self.min_snr_db, self.max_snr_db),
            "file": below(uniform[:, 1], len(known_files(self.path))),
            "begin": uniform[:, 2].copy(),
        }

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        return noise.with_noise(samples, self._parts(samples.shape[1], draws), draws["snr_db"], strengths)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the recording's level against the clip's: 10 % is a ratio of 20 dB."""
        return noise.amounts(draws["snr_db"], strengths)

    def _parts(self, length: int, draws: Draws) -> Iterator[NDArray[np.float32]]:
        files = known_files(self.path)
        for file, begin in zip(draws["file"].tolist(), draws["begin"].tolist(), strict=True):
            recording = read(files[file], self.rate_hz)
            places = len(recording) - length + 1 if len(recording) > length else len(recording)
            first = int(begin * places)
            yield noise.at_level_1(np.take(recording, np.arange(first, first + length), mode="wrap"))
