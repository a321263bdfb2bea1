"""The samples that a VAE is trained on, all of them in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from dltf.plugin import MisfitError, digest_of_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import Sample, Training

LEAST = 100


@frozen(eq=False)
class Samples:
    """uint8 [n, h, w, c], and the sha256 of them with their labels, in whatever order."""

    pixels: NDArray[np.uint8]
    digest: str

    def __len__(self) -> int:
        return len(self.pixels)


def read_samples(training: Training) -> Samples:
    """Read every case, in the order of its source, so that shuffled cases are the same training.

    Raise `MisfitError` where they are too few, of several shapes, or no pictures of bytes.
    """
    if len(training.cases) < LEAST:
        raise MisfitError(
            f"{training.source} gives {len(training.cases)} samples, and a VAE learns from {LEAST} or more",
            hint="choose more of them in [reference], or in [seeds] where the profile has no [reference]",
        )
    cases = sorted(training.cases)
    begins = training.seeds[cases[0]]
    first = begins.sample
    check_sample(first)
    pixels = np.empty((len(cases), *first.shape), np.uint8)
    labels = []
    for row, case in enumerate(cases):
        seed = training.seeds[case]
        if seed.sample.shape != first.shape or seed.sample.dtype != first.dtype:
            raise MisfitError(
                f"samples differ in shape: {begins.name} is {shown(first)}, {seed.name} is {shown(seed.sample)}",
                hint="a VAE takes samples of one shape: crop or scale them to one first",
            )
        pixels[row] = seed.sample
        labels.append(seed.label)
    return Samples(pixels, digest_of_set(pixels, labels))


def check_sample(sample: Sample) -> None:
    """Raise `MisfitError` unless it is uint8 [h, w, 1 or 3]."""
    if sample.dtype != np.uint8 or sample.ndim != 3 or sample.shape[2] not in (1, 3) or min(sample.shape[:2]) < 4:
        raise MisfitError(
            f"a VAE takes pictures, uint8 [height, width, 1 or 3], of 4 pixels or more; these are {shown(sample)}",
            hint="use seeds of the domain image",
        )


def shown(array: NDArray[np.generic]) -> str:
    """Return dtype and shape, for people."""
    return f"{array.dtype}[{'×'.join(map(str, array.shape))}]"
