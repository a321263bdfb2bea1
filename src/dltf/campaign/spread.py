"""Mean, median and the like of a few numbers, or of none."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return mean, median and maximum; None for each where there are no values."""
    if not values:
        return {"mean": None, "median": None, "max": None}
    return {"mean": statistics.fmean(values), "median": statistics.median(values), "max": max(values)}


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return the value that so many percent stay at or below, between two values by a straight line."""
    return float(np.percentile(values, percent)) if len(values) else None
