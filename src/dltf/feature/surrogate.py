"""A linear model of what queries have shown in one ball, and where it says that a failure is to be expected.

Of each seed by itself, for all seeds at once: n seeds, q queries, k dimensions, c classes. Moves are shares of the
radius, so that the ball is the unit ball.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

if TYPE_CHECKING:
    from dltf.values import FloatArray

_RIDGE = 0.1
_SURE = 8.0  # nats: a judge that is surer than this is sure
_LEANINGS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)  # how much a move heeds the judges beside the models
_PENALTY = 20.0  # nats of margin for each nat that judges are expected to be too unsure


@frozen(eq=False)
class Slopes:
    """Expected changes for each unit of a move: of margins [n, c, k], and of how sure judges are of labels [n, k]."""

    margins: FloatArray
    sure: FloatArray


def fit(
    asked: FloatArray, margins: FloatArray, sure: FloatArray, centre: FloatArray, centre_sure: FloatArray
) -> Slopes:
    """Fit slopes by ridge regression through the centre: moves [n, q, k], margins [n, q, c], certainty [n, q]."""
    gains = margins - centre[:, None]
    surer = (capped(sure) - capped(centre_sure)[:, None])[:, :, None]
    kernel = asked @ asked.transpose(0, 2, 1) + _RIDGE * np.eye(asked.shape[1])
    weights = np.linalg.solve(kernel, np.concatenate([gains, surer], axis=2))
    slopes = np.einsum("nqk,nqc->nck", asked, weights)
    return Slopes(slopes[:, :-1], slopes[:, -1])


def best(
    slopes: Slopes, centre: FloatArray, centre_sure: FloatArray, barred: FloatArray, least: float
) -> tuple[FloatArray, FloatArray]:
    """Return the expected margin of each class [n, c], and the direction [n, c, k] in which it is that.

    Directions lean towards where judges stay sure by as much as it takes for them to be surer than `least`. `barred`
    [n, c] is −∞ for classes that are no error, else 0.
    """
    expected = np.full(centre.shape, -np.inf)
    towards = np.zeros_like(slopes.margins)
    surer = _unit(slopes.sure)[:, None]
    for leaning in _LEANINGS:
        moves = _unit(_unit(slopes.margins) + leaning * surer)
        gains = centre + (moves * slopes.margins).sum(axis=2)
        certain = capped(centre_sure)[:, None] + (moves * slopes.sure[:, None]).sum(axis=2)
        worth = gains - _PENALTY * np.maximum(least - certain, 0.0)
        better = worth > expected
        expected[better], towards[better] = worth[better], moves[better]
    return expected + barred, towards


def capped(sure: FloatArray) -> FloatArray:
    """Return log-odds of the label between −8 and 8 nats; 8 where no judge is asked."""
    return np.clip(np.nan_to_num(sure, nan=-_SURE), -_SURE, _SURE)


def _unit(moves: FloatArray) -> FloatArray:
    sizes = np.sqrt((moves * moves).sum(axis=-1, keepdims=True))
    return np.asarray(moves / np.where(sizes > 0.0, sizes, 1.0))
