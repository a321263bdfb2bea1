"""Clips as real numbers, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dltf.plugin import Batch, FloatArray, Sample

    Reals = NDArray[np.float32]

_FULL_SCALE = 32768


def to_reals(clip: Sample) -> Reals:
    """Return a clip as numbers of ±1, exactly."""
    return clip.astype(np.float32) / np.float32(_FULL_SCALE)


def to_clip(reals: NDArray[Any]) -> Sample:
    """Return numbers of ±1 as a clip, saturated."""
    return saturated(reals * np.float32(_FULL_SCALE))


def saturated(values: NDArray[Any]) -> Sample:
    """Return the nearest int16 values; what is beyond full scale is held there, as by a converter: nothing wraps."""
    held: Sample = np.clip(np.rint(values), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
    return held


def change_each(samples: Batch, strengths: FloatArray, change: Callable[[int, Reals, float], NDArray[Any]]) -> Batch:
    """Return every clip as `change(row, clip, strength)` makes it, of its length.

    At strength 0 a clip stays as it is, and so does one without values.
    """
    mutants = samples.copy()
    if samples.shape[1]:
        for row, strength in enumerate(strengths.tolist()):
            if strength:
                mutants[row] = to_clip(change(row, to_reals(samples[row]), strength))
    return mutants


def rms_of(clip: NDArray[Any]) -> float:
    """Return the root of the mean square; 0 for a silent clip, or one without values."""
    return float(np.sqrt(np.square(clip, dtype=np.float64).mean())) if clip.size else 0.0


def padded(clip: Reals, length: int) -> Reals:
    """Return the clip with silence after it, where it is shorter than this."""
    return clip if len(clip) >= length else np.pad(clip, (0, length - len(clip)))
