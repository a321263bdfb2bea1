"""Saved as an MP3 file."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from dltf_speech.operators.pcm import change_each, padded
from dltf_speech.operators.randomness import below, uniform_rows
from dltf_speech.operators.ranges import not_below, within
from dltf_speech.operators.transforms import transform
from dltf_speech.rate import DEFAULT_HZ, known_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream
    from dltf_speech.operators.pcm import Reals

# What a file of each rate can have (ISO 11172-3, 13818-3 and MPEG 2.5); the encoder takes other ones for the nearest.
_SLOW = (8, 16, 24, 32, 40, 48, 56, 64)
_MIDDLE = (*_SLOW, 80, 96, 112, 128, 144, 160)
_FAST = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
BIT_RATES_KBPS = {
    **dict.fromkeys((8000, 11025, 12000), _SLOW),
    **dict.fromkeys((16000, 22050, 24000), _MIDDLE),
    **dict.fromkeys((32000, 44100, 48000), _FAST),
}

_SHORTEST_S = 0.1  # below, the encoder refuses
_IN_RANGE = within(8, 320)


def _can_be_a_file(operator: Mp3Compression, attribute: Any, rate_hz: int) -> None:
    if rate_hz not in BIT_RATES_KBPS:
        known = ", ".join(map(str, BIT_RATES_KBPS))
        raise ValueError(f"'{attribute.name}' must be a rate that an MP3 file can have, one of {known}: {rate_hz}")
    if not operator.bit_rates():
        known = ", ".join(map(str, BIT_RATES_KBPS[rate_hz]))
        raise ValueError(
            f"'max_bitrate_kbps' must leave a bit rate from min_bitrate_kbps, {operator.min_bitrate_kbps}, on "
            f"that an MP3 file of {rate_hz} Hz can have, one of {known}: {operator.max_bitrate_kbps}"
        )


@frozen
class Mp3Compression:
    """What is left after an MP3 file of a drawn bit rate, all that there are in the range equally likely (LAME).

    The range is audiomentations' own. Length and timing stay. Bit rates come in steps, and the highest is no copy
    either; so the strength blends the sample with what its file gives.
    """

    min_bitrate_kbps: int = field(default=8, validator=_IN_RANGE)
    max_bitrate_kbps: int = field(default=64, validator=[_IN_RANGE, not_below("min_bitrate_kbps")])
    rate_hz: int = field(default=DEFAULT_HZ, validator=[known_rate, _can_be_a_file])

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        choices = np.array(self.bit_rates(), dtype=np.int64)
        return {"bitrate_kbps": choices[below(uniform_rows(streams, 1)[:, 0], len(choices))]}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        bit_rates = draws["bitrate_kbps"].tolist()

        def compress(row: int, clip: Reals, strength: float) -> Reals:
            return clip + np.float32(strength) * (self._through_a_file(clip, bit_rates[row]) - clip)

        return change_each(samples, strengths, compress)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return how much less there is a second than in 16-bit PCM; a blend counts by its strength."""
        return (self.rate_hz * 16 / 1000 - draws["bitrate_kbps"]) * strengths, "kbit/s"

    def bit_rates(self) -> tuple[int, ...]:
        """Return the bit rates to draw from."""
        known = BIT_RATES_KBPS[self.rate_hz]
        return tuple(rate for rate in known if self.min_bitrate_kbps <= rate <= self.max_bitrate_kbps)

    def _through_a_file(self, clip: Reals, bit_rate: int) -> Reals:
        settings = {"backend": "fast-mp3-augment", "preserve_delay": False}
        made = transform("mp3_compression", "Mp3Compression", {"bitrate": bit_rate}, **settings)
        decoded: Reals = made.apply(padded(clip, ceil(_SHORTEST_S * self.rate_hz)), self.rate_hz)
        return decoded[: len(clip)]
