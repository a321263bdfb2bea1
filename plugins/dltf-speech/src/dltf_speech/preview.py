"""A seed and a finding, to be seen and to be heard."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen

from dltf_speech.codec import WavCodec
from dltf_speech.geometry import padded
from dltf_speech.plot import Panel, Plot
from dltf_speech.rate import DEFAULT_HZ, known_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import FloatArray, Sample

_COLOURS = 64  # a third of the bytes, and no difference that is seen
_MOST_GAIN = 100  # of the waveform of a difference
_MOST_GAIN_DB = 60  # of its sound
_AUDIBLE = 3277.0  # 16-bit steps, a tenth of full scale: a difference is made as loud as the clips, or so
_SEED, _FINDING, _DIFFERENCE = (96, 110, 128), (37, 99, 235), (220, 80, 30)


@frozen
class SpeechPreview:
    """A PNG, 900 pixels wide: waveform and log spectrogram of seed, finding and their difference, on one time axis.

    All spectrograms share one scale of colours. The waveform of the difference is multiplied by the largest whole
    number, 100 at most, that keeps it within the scale of the clips; its title says by how much.
    """

    suffix: str = field(default=".png", init=False)
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)

    def render(self, seed: Sample, mutant: Sample) -> bytes:
        ours, theirs = padded(seed, mutant)
        change = theirs - ours
        peak = max(_peak(ours), _peak(theirs), _peak(change), 1.0)
        gain = min(_MOST_GAIN, int(peak / max(_peak(change), 1.0)))
        equal = "" if change.any() else " (none)"
        loud = f", waveform x {gain}" if gain > 1 and not equal else ""
        panels = (
            Panel(f"seed, {_facts(seed, self.rate_hz)}", seed.astype(np.float64), _SEED),
            Panel(f"finding, {_facts(mutant, self.rate_hz)}", mutant.astype(np.float64), _FINDING),
            Panel(f"difference{equal}{loud}", change, _DIFFERENCE, gain),
        )
        file = io.BytesIO()
        drawn = Plot(self.rate_hz, len(ours), peak).draw(panels)
        drawn.quantize(_COLOURS, dither=0).save(file, "PNG", optimize=True)
        return file.getvalue()

    def beside(self, seed: Sample, mutant: Sample) -> Sequence[tuple[str, str, bytes]]:
        """Return the seed, the finding, and their difference made as loud as they are, as WAV files."""
        ours, theirs = padded(seed, mutant)
        change = theirs - ours
        most = _peak(change)
        level_db = 20 * math.log10(max(_peak(ours), _peak(theirs), _AUDIBLE) / most) if most else 0.0
        gain_db = math.floor(min(level_db, _MOST_GAIN_DB))
        heard = np.clip(np.rint(change * 10 ** (gain_db / 20)), -32768, 32767).astype(np.int16)
        how = f"{abs(gain_db)} dB {'louder' if gain_db > 0 else 'softer'}" if gain_db else "as it is"
        wav = WavCodec(self.rate_hz)
        named = (("seed", seed), ("finding", mutant), (f"difference, {how if most else 'none'}", heard))
        return [(title, wav.suffix, wav.encode(clip)) for title, clip in named]


def _facts(clip: Sample, rate_hz: int) -> str:
    """Return the length and the peak of a clip, for its title."""
    peak = _peak(clip.astype(np.float64))
    level = f"peak {20 * math.log10(peak / 32768):.1f} dB of full scale" if peak else "silent"
    return f"{len(clip) / rate_hz:.3f} s, {level}"


def _peak(values: FloatArray) -> float:
    return float(np.abs(values).max(initial=0.0))
