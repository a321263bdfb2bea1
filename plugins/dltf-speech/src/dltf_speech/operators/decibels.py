"""Levels in decibels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dltf.plugin import FloatArray


def ratio_of(level_db: float) -> float:
    """Return the ratio of amplitudes that is this many decibels."""
    return float(10 ** (level_db / 20))


def ratios_of(levels_db: FloatArray) -> FloatArray:
    """Return ratios of amplitudes, one by one: a vectorised power may differ with the place in the batch."""
    return np.array([ratio_of(level) for level in levels_db.tolist()])
