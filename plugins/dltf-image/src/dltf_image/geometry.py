"""How far apart two pictures are, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from dltf_image import refine
from dltf_image.regions import region

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dltf.plugin import Batch, FloatArray, IntArray, Sample, Stream

_MOST = 4096  # values of a vector that neighbours are found by
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

    def interpolate(self, seeds: Batch, partners: Batch, t: FloatArray) -> Batch:
        """Return `seed + t (partner − seed)`, rounded to grey levels."""
        share = t.astype(np.float32).reshape(-1, 1, 1, 1)
        between = seeds + share * (partners.astype(np.float32) - seeds)
        levels: Batch = np.rint(between, out=between).astype(np.uint8)
        return levels

    def embed(self, samples: Batch) -> NDArray[np.uint8]:
        """Return the grey levels themselves, of a picture made smaller where there are more than 4096."""
        count, height, width, channels = samples.shape
        if height * width * channels > _MOST:
            import cv2

            side = 32 if channels == 3 else 64
            size, how = (side, side), cv2.INTER_AREA
            samples = np.stack([cv2.resize(np.ascontiguousarray(one), size, interpolation=how) for one in samples])
        return samples.reshape(count, -1)

    def rounded(self, values: FloatArray, rounding: FloatArray | float) -> Batch:
        return refine.rounded(values, rounding)

    def size(self, changes: FloatArray) -> FloatArray:
        return refine.rms(changes)

    def parts(self, shape: tuple[int, ...], shifted: bool) -> IntArray:
        return refine.blocks(shape, shifted)

    def patch(self, shape: tuple[int, ...], stream: Stream) -> FloatArray:
        return refine.patch(shape, stream)


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
