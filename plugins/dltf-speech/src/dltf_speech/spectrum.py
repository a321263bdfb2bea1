"""Short-time spectra of clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dltf.plugin import FloatArray

_WINDOW_S = 0.025
_HOP_S = 0.010
_BLOCK = 4096  # frames at once: what a long clip takes stays small


def log_spectral_distance(ours: FloatArray, theirs: FloatArray, rate_hz: int) -> float:
    """Return the mean over frames of 25 ms, every 10 ms, of the root mean square difference of their levels, in dB."""
    total, frames = 0.0, 0
    pairs = zip(level_blocks(ours, rate_hz), level_blocks(theirs, rate_hz), strict=True)
    for mine, other in pairs:
        total += float(np.sqrt(np.mean((mine - other) ** 2, axis=1)).sum())
        frames += len(mine)
    return total / frames


def levels(clip: FloatArray, rate_hz: int) -> FloatArray:
    """Return the level of every frame and frequency, [frames, bins], in dB above one 16-bit step."""
    return np.concatenate(list(level_blocks(clip, rate_hz)))


def level_blocks(clip: FloatArray, rate_hz: int) -> Iterator[FloatArray]:
    """Yield `levels` in blocks of frames; what is softer than one 16-bit step is at 0 dB, as silence is.

    White noise of a root mean square of one step is at 0 dB in every bin. The last frame is filled up with silence.
    """
    window, hop = round(_WINDOW_S * rate_hz), round(_HOP_S * rate_hz)
    shape = np.hanning(window + 1)[:-1]
    count = 1 + max(0, -(-(len(clip) - window) // hop))
    filled = np.pad(clip, (0, max(0, window + (count - 1) * hop - len(clip))))
    frames = np.lib.stride_tricks.sliding_window_view(filled, window)[::hop]
    for first in range(0, count, _BLOCK):
        power = np.abs(np.fft.rfft(frames[first : first + _BLOCK] * shape, axis=1)) ** 2 / np.sum(shape**2)
        yield 10 * np.log10(np.maximum(power, 1.0))
