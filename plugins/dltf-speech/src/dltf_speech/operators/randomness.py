"""Random rows: row i comes from stream i alone, so that no batch size, order or neighbour matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dltf.plugin import FloatArray, IntArray, Stream


def uniform_rows(streams: Sequence[Stream], count: int) -> FloatArray:
    """Return float64 [n, count], uniform in [0, 1)."""
    rows = np.empty((len(streams), count))
    for row, stream in zip(rows, streams, strict=True):
        stream.random(out=row)
    return rows


def normal_rows(streams: Sequence[Stream], length: int) -> NDArray[np.float32]:
    """Return float32 [n, length], standard normal."""
    rows = np.empty((len(streams), length), np.float32)
    for row, stream in zip(rows, streams, strict=True):
        stream.standard_normal(dtype=np.float32, out=row)
    return rows


def between(uniform: FloatArray, low: float, high: float) -> FloatArray:
    """Turn uniform numbers into others, uniform in [low, high)."""
    return low + uniform * (high - low)


def between_octaves(uniform: FloatArray, low: float, high: float) -> FloatArray:
    """Turn uniform numbers [n] into others, uniform on a logarithmic scale in [low, high).

    One by one: what a vector unit does with a power may depend on where in the batch it stands.
    """
    return np.array([low * (high / low) ** value for value in uniform.tolist()])


def below(uniform: FloatArray, limit: int) -> IntArray:
    """Turn uniform numbers into integers 0 … limit - 1."""
    return (uniform * limit).astype(np.int64)
