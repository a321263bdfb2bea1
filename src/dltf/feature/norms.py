"""Norms: lengths, and directions and moves in their balls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import FloatArray, Stream

Norm = Literal["l1", "l2", "linf"]
NORMS: tuple[Norm, ...] = ("l1", "l2", "linf")

_HAIR = 1.0 - 1e-12  # rounding never leads a move out of its ball


def lengths(moves: NDArray[Any], norm: Norm) -> FloatArray:
    """Return float64 [...], the length of each of [..., k]; equal rows give equal bits, wherever they stand."""
    rows = np.ascontiguousarray(moves, dtype=np.float64)
    if norm == "l1":
        found = np.abs(rows).sum(axis=-1)
    elif norm == "l2":
        found = np.sqrt(np.square(rows).sum(axis=-1))
    else:
        found = np.abs(rows).max(axis=-1, initial=0.0)
    return np.asarray(found, dtype=np.float64)


def directions(stream: Stream, count: int, dimensions: int, norm: Norm) -> FloatArray:
    """Draw points [count, k] of length 1 that, times U^(1/k), are uniform in the ball of the norm (Barthe, 2005)."""
    if norm == "l1":
        drawn = stream.exponential(size=(count, dimensions)) * stream.choice([-1.0, 1.0], size=(count, dimensions))
    elif norm == "linf":
        drawn = stream.uniform(-1.0, 1.0, size=(count, dimensions))
    else:
        drawn = stream.standard_normal((count, dimensions))
    sizes = lengths(drawn, norm)[:, None]
    return np.asarray(drawn / np.where(sizes > 0.0, sizes, 1.0))


def within(moves: FloatArray, radii: FloatArray, norm: Norm) -> FloatArray:
    """Return moves [..., k], those that are longer than their radius cut to it."""
    sizes = lengths(moves, norm)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(sizes > radii * _HAIR, radii * _HAIR / sizes, 1.0)
    return np.asarray(moves * np.nan_to_num(shares)[..., None])
