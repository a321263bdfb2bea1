"""When a head's answer takes the place of the candidate's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import BoolArray


def intervenes(own: NDArray[Any], scores: NDArray[Any], threshold: float) -> BoolArray:
    """Tell for n rows whether the head prefers another class than the candidate, by the threshold or more.

    `own` [n, classes] is what the candidate says (probabilities or logits), `scores` [n, classes] what the head says.
    The head's advantage is its score of its own answer less that of the candidate's answer, in float32, as in an
    exported file.
    """
    heads = np.asarray(scores, dtype=np.float32)
    rows, ours, theirs = np.arange(len(heads)), heads.argmax(axis=1), np.argmax(own, axis=1)
    advantage = heads[rows, ours] - heads[rows, theirs]
    told: BoolArray = (ours != theirs) & (advantage >= np.float32(threshold))
    return told


def intervened(own: NDArray[Any], scores: NDArray[Any], threshold: float) -> NDArray[np.float32]:
    """Return the head's scores where it intervenes, else the candidate's own [n, classes]."""
    chosen = intervenes(own, scores, threshold)[:, None]
    return np.where(chosen, np.asarray(scores, dtype=np.float32), np.asarray(own, dtype=np.float32))
