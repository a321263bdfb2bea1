"""How far apart two pictures are, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from dltf_image.regions import region

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dltf.plugin import FloatArray, Sample

_UNITS = {"rms": "grey levels", "max": "grey levels", "ssim": ""}


@frozen
class ImageGeometry:
    """Root mean square and largest difference over all channel values, and structural similarity (1 is the same)."""

    units: Mapping[str, str] = field(factory=_UNITS.copy, init=False)

    def distances(self, seeds: Sequence[Sample], mutants: Sequence[Sample]) -> Mapping[str, FloatArray]:
        pairs = list(zip(seeds, mutants, strict=True))
        columns = {"rms": _rms, "max": _largest, "ssim": _similarity}
        return {name: np.array([of(*pair) for pair in pairs], np.float64) for name, of in columns.items()}

    def regions(self, seeds: Sequence[Sample], mutants: Sequence[Sample]) -> list[str]:
        """Return where each pair differs: a ninth of the picture, a half, "everywhere", or "" where it is equal."""
        return [region(seed, mutant) for seed, mutant in zip(seeds, mutants, strict=True)]


def _rms(seed: Sample, mutant: Sample) -> float:
    difference = np.subtract(seed, mutant, dtype=np.float64)
    return float(np.sqrt(np.mean(difference * difference)))


def _largest(seed: Sample, mutant: Sample) -> float:
    return float(np.abs(np.subtract(seed, mutant, dtype=np.int16)).max())


def _similarity(seed: Sample, mutant: Sample) -> float:
    """SSIM (Wang et al., 2004), channels averaged, in a window of 7 pixels or the largest odd one that fits.

    Below 3 pixels there is no structure to compare: the window is one pixel, and SSIM compares brightness alone.
    """
    from skimage.metrics import structural_similarity

    side = min(7, *seed.shape[:2])
    window = side - 1 + side % 2
    similarity: Any = structural_similarity  # it ships no types
    sample = window > 1  # one value has no covariance
    return float(
        similarity(seed, mutant, win_size=window, data_range=255, channel_axis=2, use_sample_covariance=sample)
    )
