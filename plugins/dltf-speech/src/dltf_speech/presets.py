"""Sets of operators: DFlare's four, and what happens to speech by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen, validators

from dltf_speech.operators.background_noise import BackgroundNoise
from dltf_speech.operators.band_pass import BandPass
from dltf_speech.operators.clipping import Clipping
from dltf_speech.operators.gain import Gain
from dltf_speech.operators.gaussian_noise import GaussianNoise
from dltf_speech.operators.mp3_compression import BIT_RATES_KBPS, Mp3Compression
from dltf_speech.operators.pitch_shift import PitchShift
from dltf_speech.operators.recordings import recordings_in
from dltf_speech.operators.reverberation import Reverberation
from dltf_speech.operators.time_shift import TimeShift
from dltf_speech.operators.time_stretch import TimeStretch
from dltf_speech.rate import DEFAULT_HZ, known_rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dltf.plugin import MutationOperator


def _can_be_a_file(_: object, attribute: Any, rate_hz: int) -> None:
    if rate_hz not in BIT_RATES_KBPS:
        known = ", ".join(map(str, BIT_RATES_KBPS))
        raise ValueError(
            f"'{attribute.name}' must be a rate that an MP3 file can have, one of {known} (with another one, use "
            f"speech.dflare, or list operators without speech.mp3_compression): {rate_hz}"
        )


@frozen
class DflareSpeech:
    """The four operators of DFlare's section 6.1 (Tian et al., TOSEM 2023): TimeStretch, PitchShift, Shift and Gain.

    The ranges are those that audiomentations has by itself, taken as the paper's.
    """

    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)

    def operators(self) -> Mapping[str, MutationOperator]:
        """Return the operators by name, in a fixed order."""
        return {
            "speech.time_stretch": TimeStretch(rate_hz=self.rate_hz),
            "speech.pitch_shift": PitchShift(rate_hz=self.rate_hz),
            "speech.time_shift": TimeShift(rate_hz=self.rate_hz),
            "speech.gain": Gain(),
        }


@frozen
class Natural:
    """Voice, room, microphone and channel, in ranges in which speech stays intelligible.

    A folder of recordings as `background` adds them as background noise.
    """

    background: Path | None = field(default=None, validator=validators.optional(recordings_in))
    rate_hz: int = field(default=DEFAULT_HZ, validator=[known_rate, _can_be_a_file])

    def operators(self) -> Mapping[str, MutationOperator]:
        """Return the operators by name, in a fixed order."""
        rate_hz = self.rate_hz
        named: dict[str, MutationOperator] = {
            "speech.time_stretch": TimeStretch(min_rate=0.85, max_rate=1.15, rate_hz=rate_hz),
            "speech.pitch_shift": PitchShift(min_semitones=-2.0, max_semitones=2.0, rate_hz=rate_hz),
            "speech.gain": Gain(min_gain_db=-10.0, max_gain_db=6.0),
            "speech.gaussian_noise": GaussianNoise(min_snr_db=15.0, max_snr_db=40.0),
            "speech.reverberation": Reverberation(max_rt60_s=0.6, min_direct_db=3.0, rate_hz=rate_hz),
            "speech.band_pass": BandPass(max_low_hz=350.0, min_high_hz=2800.0, rate_hz=rate_hz),
            "speech.mp3_compression": Mp3Compression(min_bitrate_kbps=16, rate_hz=rate_hz),
            "speech.clipping": Clipping(max_percent=5.0),
        }
        if self.background is not None:
            named["speech.background_noise"] = BackgroundNoise(self.background, min_snr_db=10.0, rate_hz=rate_hz)
        return named
