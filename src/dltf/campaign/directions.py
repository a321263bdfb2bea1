"""The directions in which screened seeds differ most: where a boundary's slope is looked for first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.search.paths import Paths
    from dltf.values import Sample

MOST = 90  # directions: three rounds of shrinking
_LEAST = 30  # of them, or as many as a sample has values: fewer say too little
_SEEDS = 512  # the first of the campaign
_VALUES = 2**25  # of all of them together
_FLAT = 1e-5  # of the largest spread: from here on it is rounding


def directions_of(paths: Paths, like: Sample) -> NDArray[np.float32] | None:
    """Return orthonormal directions [k, values] of samples of this shape, the one that seeds differ most in first.

    They are the principal components of the screened seeds that both variants answered alike, thus the same for every
    finding, batch and resumed run. None where there are too few seeds.
    """
    samples: list[NDArray[np.float32]] = []
    for row in range(len(paths.screened.cases)):
        sample = paths.sample_of(row)
        if sample.shape == like.shape and sample.dtype == like.dtype:
            samples.append(sample.reshape(-1).astype(np.float32))
        if len(samples) == min(_SEEDS, max(_VALUES // max(like.size, 1), 2 * _LEAST)):
            break
    found = principal(np.stack(samples)) if len(samples) > 1 else np.zeros((0, like.size), np.float32)
    enough = len(found) >= max(1, min(_LEAST, like.size))
    return found if enough else None


def principal(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the principal components [k, values] of these samples [n, values], float32."""
    apart = samples - samples.mean(axis=0, dtype=np.float64).astype(np.float32)
    squares, mixes = np.linalg.eigh((apart @ apart.T).astype(np.float64))
    squares, mixes = squares[::-1][:MOST], mixes[:, ::-1][:, :MOST]
    kept = squares > _FLAT * max(squares[0], 1e-12)
    spreads = np.sqrt(squares[kept])[:, None]
    return np.asarray(mixes[:, kept].T.astype(np.float32) @ apart / spreads, dtype=np.float32)
