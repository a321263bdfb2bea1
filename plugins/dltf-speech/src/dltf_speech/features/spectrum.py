"""Frames, spectra, mel bands, cepstra: in float64, each clip by itself, so that no batch changes a bit.

Products of matrices are made clip by clip (NumPy's `matmul` on a stack is that), as BLAS rounds by the shape.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from dltf.plugin import MisfitError
from dltf_speech.features.settings import MelNorm, MelScale, MelTriangles

if TYPE_CHECKING:
    from dltf.plugin import FloatArray
    from dltf_speech.features.plan import Plan

_AT_ONCE = 2**16  # values of frames: larger arrays are slower, for the memory they touch
_LINEAR_TO_HZ, _MELS_A_HZ, _LOG_STEP = 1000.0, 3 / 200, np.log(6.4) / 27  # Slaney's scale: linear, then logarithmic


def features(sound: FloatArray, plan: Plan) -> FloatArray:
    """Return float64 [n, frames, features] of clips [n, samples]; raise `MisfitError` for a clip without a frame."""
    padded = _padded(sound, plan)
    frames = 1 + (padded.shape[1] - plan.frame) // plan.hop
    some = max(1, _AT_ONCE // (frames * plan.frame))
    parts = [_features(padded[first : first + some], plan) for first in range(0, len(padded), some)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _features(padded: FloatArray, plan: Plan) -> FloatArray:
    values = _log(_spectra(padded, plan) @ _bands_of(plan), plan)
    if plan.kind == "mfcc":
        values = values @ _cosines(plan.wants.n_mels, plan.wants.first_mfcc, plan.wants.n_mfcc, plan.wants.dct_norm)
    return _normalised(values, plan)


def _padded(sound: FloatArray, plan: Plan) -> FloatArray:
    given, half = sound.shape[1], plan.frame // 2
    least = {"none": plan.frame, "zeros": 1, "reflect": half + 1}[plan.wants.centring]
    if given < least:
        raise MisfitError(
            f"a clip of {given} samples at {plan.rate_hz} Hz is too short for a frame: {least} would do",
            hint=f'add samples = {least} (or more) and short = "pad_end" to the model\'s input table',
        )
    if plan.wants.centring == "none":
        return sound
    return np.pad(sound, ((0, 0), (half, half)), mode="constant" if plan.wants.centring == "zeros" else "reflect")


def _spectra(padded: FloatArray, plan: Plan) -> FloatArray:
    """Return [n, frames, 1 + n_fft // 2]."""
    framed = np.lib.stride_tricks.sliding_window_view(padded, plan.frame, axis=1)[:, :: plan.hop]
    window = _window(plan.wants.window, plan.window, plan.wants.periodic)
    if plan.frame > plan.window:
        before = (plan.frame - plan.window) // 2
        window = np.pad(window, (before, plan.frame - plan.window - before))
    spectra = np.fft.rfft(framed * window, plan.n_fft)
    power = spectra.real**2 + spectra.imag**2
    return power if plan.wants.spectrum == "power" else np.sqrt(power)


def _window(name: str, length: int, periodic: bool) -> FloatArray:
    turns = np.arange(length) / max(length if periodic else length - 1, 1)
    least = {"hann": 0.5, "hamming": 0.54, "rectangular": 1.0}[name]
    return np.asarray(least - (1 - least) * np.cos(2 * np.pi * turns))


def _log(bands: FloatArray, plan: Plan) -> FloatArray:
    wants = plan.wants
    if wants.log == "none":
        return bands
    logs = np.log(np.maximum(bands + wants.log_offset, wants.log_floor))
    if wants.log == "ln":
        return np.asarray(logs)
    logs = logs / np.log(10)
    if wants.log == "log10":
        return np.asarray(logs)
    logs *= 10 if wants.spectrum == "power" else 20
    if wants.top_db is not None:
        logs = np.maximum(logs, logs.max(axis=(1, 2), keepdims=True) - wants.top_db)
    return np.asarray(logs)


def _normalised(values: FloatArray, plan: Plan) -> FloatArray:
    how, axes = plan.wants.normalise, (1, 2) if plan.wants.normalise == "all" else (1,)
    if how != "none":
        values = values - values.mean(axis=axes, keepdims=True)
    if how in ("per_feature", "all"):
        count = int(np.prod([values.shape[axis] for axis in axes]))
        deviation = np.sqrt((values**2).sum(axis=axes, keepdims=True) / max(count - 1, 1))
        values = values / (deviation + 1e-5)
    return np.asarray((values - np.array(plan.wants.mean)) / np.array(plan.wants.std))


# --- tables ------------------------------------------------------------------------------------------------------


def _bands_of(plan: Plan) -> FloatArray:
    wants = plan.wants
    limits = (wants.fmin_hz, plan.fmax_hz)
    return mel_bands(
        plan.rate_hz, plan.n_fft, wants.n_mels, limits, wants.mel_scale, wants.mel_norm, wants.mel_triangles
    )


@lru_cache(maxsize=8)
def mel_bands(
    rate_hz: int,
    n_fft: int,
    count: int,
    limits_hz: tuple[float, float],
    scale: MelScale,
    norm: MelNorm,
    triangles: MelTriangles,
) -> FloatArray:
    """Return the weights of each bin in each band, float64 [1 + n_fft // 2, count].

    As librosa makes them, whose first call takes seconds to import and compile; with triangles over mels, TensorFlow's.
    """
    bins = np.arange(1.0 + n_fft // 2) * (rate_hz / n_fft)
    low, high = to_mels(np.array(limits_hz), scale)
    edges = np.linspace(low, high, count + 2)
    hertz = from_mels(edges, scale)
    at = bins if triangles == "hz" else to_mels(bins, scale)
    corners = hertz if triangles == "hz" else edges
    rising = (at[:, None] - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - at[:, None]) / (corners[2:] - corners[1:-1])
    weights: FloatArray = np.maximum(0.0, np.minimum(rising, falling))
    if norm == "slaney":
        weights *= 2.0 / (hertz[2:] - hertz[:-2])
    return weights


def to_mels(hertz: FloatArray, scale: MelScale) -> FloatArray:
    """Return mels by O'Shaughnessy's formula ("htk") or Slaney's."""
    if scale == "htk":
        return np.asarray(2595.0 * np.log10(1.0 + hertz / 700.0))
    above = np.log(np.maximum(hertz, _LINEAR_TO_HZ) / _LINEAR_TO_HZ) / _LOG_STEP
    return np.asarray(np.minimum(hertz, _LINEAR_TO_HZ) * _MELS_A_HZ + above)


def from_mels(mels: FloatArray, scale: MelScale) -> FloatArray:
    """Return the frequencies of these mels, in Hz."""
    if scale == "htk":
        return np.asarray(700.0 * (10.0 ** (mels / 2595.0) - 1.0))
    linear = _LINEAR_TO_HZ * _MELS_A_HZ
    above = np.exp(_LOG_STEP * np.maximum(mels - linear, 0.0))
    return np.asarray(np.minimum(mels, linear) / _MELS_A_HZ * above)


@lru_cache(maxsize=8)
def _cosines(count: int, first: int, kept: int, norm: str) -> FloatArray:
    """Return the DCT-II as a matrix, float64 [count, kept]."""
    orders = np.arange(first, first + kept)
    table = np.cos(np.pi / count * (np.arange(count)[:, None] + 0.5) * orders)
    if norm == "none":
        return np.asarray(2.0 * table)
    table = table * np.sqrt(2.0 / count)
    if norm == "ortho":
        table = np.where(orders == 0, table / np.sqrt(2.0), table)
    return np.asarray(table)
