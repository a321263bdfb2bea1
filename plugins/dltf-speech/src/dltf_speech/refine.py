"""Changes of clips as real numbers: what shrinking and amplifying are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dltf.plugin import Batch, FloatArray, IntArray, Stream

_STRETCHES = 16  # of a clip
_LENGTHS_S = (0.02, 0.05, 0.1)  # of a burst
_LOUDNESS = 300.0  # 16-bit steps, of a burst: about −40 dB of full scale, soft beside speech
_LOWEST_HZ, _HIGHEST = 80.0, 0.45  # of a tone; a share of the rate


def rounded(values: FloatArray, rounding: FloatArray | float) -> Batch:
    """Return 16-bit steps: the fraction is cut off after `rounding` was added."""
    steps: Batch = np.clip(np.floor(values + rounding), -32768, 32767).astype(np.int16)
    return steps


def rms(changes: FloatArray) -> FloatArray:
    """Return the root mean square over a clip."""
    return np.asarray(np.sqrt(np.mean(changes * changes, axis=1)), dtype=np.float64)


def stretches(length: int, shifted: bool) -> IntArray:
    """Return the number of the stretch of time that each value is in: 16 of equal length, or 17 where shifted."""
    each = max(1, -(-length // _STRETCHES))
    offset = each // 2 if shifted else 0
    return (np.arange(length, dtype=np.int64) + offset) // each


def burst(length: int, rate_hz: int, stream: Stream) -> FloatArray:
    """Draw a short noise or tone anywhere in a clip, swelling and fading (a Hann window)."""
    wanted = round(_LENGTHS_S[int(stream.integers(len(_LENGTHS_S)))] * rate_hz)
    size = max(1, min(wanted, length))
    start = int(stream.integers(length - size + 1))
    drawn = np.zeros(length)
    shape = np.hanning(size + 2)[1:-1]
    drawn[start : start + size] = (
        _LOUDNESS * shape * (_tone(size, rate_hz, stream) if stream.random() < 0.5 else stream.standard_normal(size))
    )
    return drawn


def _tone(size: int, rate_hz: int, stream: Stream) -> FloatArray:
    """Draw a tone of any pitch and phase, with the root mean square of the noise."""
    low, high = np.log(_LOWEST_HZ), np.log(_HIGHEST * rate_hz)
    pitch_hz, phase = np.exp(stream.uniform(low, high)), stream.uniform(0, 2 * np.pi)
    return np.asarray(np.sqrt(2) * np.cos(2 * np.pi * pitch_hz * np.arange(size) / rate_hz + phase))
