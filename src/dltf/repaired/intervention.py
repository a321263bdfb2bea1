"""Where a repair head takes the word: what is measured, deployed and exported decides by this rule alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import BoolArray

ALWAYS = 0.0
NEVER = 2.0
"""A threshold that no head reaches: the differences of two probabilities are at most 1."""


def advantages(own: NDArray[Any], head: NDArray[Any]) -> NDArray[np.float32]:
    """Return by how much the head prefers its own class to the candidate's, float32 [n]; −1 where they are one."""
    scores = np.asarray(head, dtype=np.float32)
    rows, ours, theirs = np.arange(len(scores)), scores.argmax(axis=1), np.asarray(own).argmax(axis=1)
    found = scores[rows, ours] - scores[rows, theirs]
    return np.where(ours == theirs, np.float32(-1), found).astype(np.float32)


def intervened(own: NDArray[Any], head: NDArray[Any], threshold: float) -> tuple[NDArray[np.float32], BoolArray]:
    """Return the scores that are deployed, float32 [n, classes], and where they are the head's, bool [n].

    `own` are the candidate's probabilities, `head` the scores of the head, both [n, classes]. The head's replace the
    candidate's where its class is another one and it prefers that to the candidate's by `threshold` at least.
    """
    changed = advantages(own, head) >= np.float32(threshold)
    return np.where(changed[:, None], head, own).astype(np.float32), changed
