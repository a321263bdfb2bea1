"""Whisper's front end: what its encoder hears of a clip."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf_speech.backends.clips import Floats

WINDOW, HOP, RATE_HZ = 400, 160, 16000


def log_mel(clip: Floats, frames: int, bands: int) -> Floats:
    """Return float32 [bands, frames] of a clip in [−1, 1), which is filled up with silence to `frames` × 160 samples.

    As in whisper/audio.py: power of frames of 400 under a periodic Hann window, 160 apart, centred and mirrored at the
    ends, without the last; mel triangles of Slaney's scale and area up to 8 kHz; log10, at least 1e-10, at most 8 below
    the clip's largest; then (x + 4) ÷ 4.
    """
    padded = np.zeros(frames * HOP, dtype=np.float64)
    padded[: len(clip)] = clip
    mirrored = np.pad(padded, WINDOW // 2, mode="reflect")
    framed = np.lib.stride_tricks.sliding_window_view(mirrored, WINDOW)[::HOP][:frames]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    power = np.abs(np.fft.rfft(framed * hann, axis=1)) ** 2
    levels = np.log10(np.maximum(_mel(bands) @ power.T, 1e-10))
    scaled: Floats = ((np.maximum(levels, levels.max() - 8) + 4) / 4).astype(np.float32)
    return scaled


@cache
def _mel(bands: int) -> NDArray[np.float64]:
    from librosa.filters import mel

    weights: NDArray[np.float64] = mel(sr=RATE_HZ, n_fft=WINDOW, n_mels=bands, dtype=np.float64)
    return weights
