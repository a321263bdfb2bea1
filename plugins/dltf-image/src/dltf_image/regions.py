"""Where two pictures differ, in words.

The picture is divided into 3×3 cells, and into halves, of exactly the same size: a pixel on a line between two counts
for each in proportion. The squared difference, over all channels, is added up in each. A cell with 60 % of it or more
gives its name; else the half that has most of it, where that is 80 % or more; else it is "everywhere".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import FloatArray, Sample

CELLS = ("top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom", "bottom right")
HALVES = ("upper half", "lower half", "left half", "right half")
EVERYWHERE = "everywhere"

_CELL_SHARE = 0.6
_HALF_SHARE = 0.8


def region(seed: Sample, mutant: Sample) -> str:
    """Return the name of the cell or half where the pictures differ, "everywhere", or "" where they are equal."""
    difference = np.subtract(seed, mutant, dtype=np.int64)
    energy = (difference * difference).sum(axis=2)
    total = int(energy.sum())
    if total == 0:
        return ""
    rows, columns = energy.sum(axis=1), energy.sum(axis=0)
    cells = _parts(len(rows), 3) @ energy @ _parts(len(columns), 3).T
    if cells.max() >= _CELL_SHARE * total:
        return CELLS[int(cells.argmax())]
    halves = np.concatenate([_parts(len(rows), 2) @ rows, _parts(len(columns), 2) @ columns])
    return HALVES[int(halves.argmax())] if halves.max() >= _HALF_SHARE * total else EVERYWHERE


def _parts(size: int, count: int) -> FloatArray:
    """Return how much of each pixel lies in each of these equal parts of a side: [count, size], a pixel's sum is 1."""
    borders = np.arange(count + 1) * (size / count)
    pixels = np.arange(size)
    covered: NDArray[np.float64] = np.minimum(borders[1:, np.newaxis], pixels + 1)
    covered -= np.maximum(borders[:-1, np.newaxis], pixels)
    return np.maximum(covered, 0, out=covered)
