"""Noise at a signal-to-noise ratio: of a clip's level over all of its length, to the noise's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dltf_speech.operators.decibels import ratios_of
from dltf_speech.operators.pcm import rms_of, saturated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from dltf.plugin import Batch, FloatArray


def at_level_1(noise: NDArray[Any]) -> NDArray[np.float32]:
    """Return noise whose root of the mean square is 1; silence stays silence."""
    level = rms_of(noise)
    return np.asarray(noise / level if level else noise, dtype=np.float32)


def with_noise(samples: Batch, noises: Iterable[NDArray[Any]], snr_db: FloatArray, strengths: FloatArray) -> Batch:
    """Return every clip with its own noise, of level 1, at its own ratio; the strength scales the amplitude.

    A silent clip has no ratio to anything, and stays as it is.
    """
    mutants = np.empty_like(samples)
    levels = (strengths * ratios_of(-snr_db)).tolist()
    for row, (noise, level) in enumerate(zip(noises, levels, strict=True)):
        mutants[row] = saturated(samples[row] + noise * (level * rms_of(samples[row])))
    return mutants


def amounts(snr_db: FloatArray, strengths: FloatArray) -> tuple[FloatArray, str]:
    """Return the level of the noise in hundredths of the clip's: 10 % is a ratio of 20 dB."""
    return ratios_of(-snr_db) * strengths * 100, "%"
