"""Directions and moves in the ball of a norm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dltf.feature.separation import Norm
    from dltf.values import FloatArray, Stream

_HAIR = 1.0 - 1e-12  # rounding never leads a move out of its ball


def lengths(moves: FloatArray, norm: Norm) -> FloatArray:
    """Return the length of each move [..., k]."""
    if norm == "l1":
        return np.asarray(np.abs(moves).sum(axis=-1))
    if norm == "linf":
        return np.asarray(np.abs(moves).max(axis=-1))
    return np.asarray(np.sqrt((moves * moves).sum(axis=-1)))


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
