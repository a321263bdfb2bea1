"""Changes of pictures as real numbers: what shrinking and amplifying are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dltf.plugin import Batch, FloatArray, IntArray, Stream

_ACROSS = 4  # blocks along the longer side
_SIDES = (0.07, 0.1, 0.125)  # of a patch, as shares of the shorter side of the picture
_SIGMA = 30.0  # grey levels, of a patch's noise


def rounded(values: FloatArray, rounding: FloatArray | float) -> Batch:
    """Return grey levels: the fraction is cut off after `rounding` was added."""
    levels: Batch = np.clip(np.floor(values + rounding), 0, 255).astype(np.uint8)
    return levels


def rms(changes: FloatArray) -> FloatArray:
    """Return the root mean square over all channel values."""
    squares = (changes * changes).reshape(len(changes), -1)
    return np.asarray(np.sqrt(squares.mean(axis=1)), dtype=np.float64)


def blocks(shape: tuple[int, ...], shifted: bool) -> IntArray:
    """Return the number of the square block that each value is in: 4 along the longer side, or 5 where shifted."""
    side = max(1, -(-max(shape[:2]) // _ACROSS))
    offset = side // 2 if shifted else 0
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    named = ((rows + offset) // side) * (_ACROSS + 2) + (columns + offset) // side
    _, numbers = np.unique(named, return_inverse=True)
    numbers = numbers.reshape(shape[0], shape[1], 1).astype(np.int64)
    return np.ascontiguousarray(np.broadcast_to(numbers, shape))


def patch(shape: tuple[int, ...], stream: Stream) -> FloatArray:
    """Draw one square of normal noise."""
    side = max(2, round(_SIDES[int(stream.integers(len(_SIDES)))] * min(shape[:2])))
    side = min(side, *shape[:2])
    top, left = (int(stream.integers(length - side + 1)) for length in shape[:2])
    drawn = np.zeros(shape)
    drawn[top : top + side, left : left + side] = _SIGMA * stream.standard_normal((side, side, shape[2]))
    return drawn
