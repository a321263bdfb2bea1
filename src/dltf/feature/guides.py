"""Where other labels lie, seen from a seed: directions that a search begins with."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltf.feature.norms import lengths

if TYPE_CHECKING:
    from dltf.feature.validity import Reference
    from dltf.values import BoolArray, FloatArray

_NEAREST = 10  # codes of a class whose mean a guide points to
_MOST = 2000  # codes of a class that are looked at


class Guides:
    """The mean of the nearest reference codes of each class, seen from a code."""

    def __init__(self, reference: Reference, classes: Sequence[Hashable], active: BoolArray) -> None:
        self._active, self._norm = active, reference.norm
        labels = np.array([classes.index(label) for label in reference.labels])
        self._codes = [_some(reference.codes[labels == place]) for place in range(len(classes))]
        self._classes = list(classes)

    def of(self, codes: FloatArray, labels: Sequence[Hashable]) -> tuple[FloatArray, FloatArray]:
        """Return the moves to each class, float64 [n, classes, active], and how far each is [n, classes].

        Those to the own class, and to one without reference codes, are infinitely far, and 0.
        """
        points = codes[:, self._active]
        moves = np.zeros((len(points), len(self._classes), points.shape[1]))
        far = np.full((len(points), len(self._classes)), np.inf)
        for place, known in enumerate(self._codes):
            for row, point in enumerate(points):
                if not len(known) or labels[row] == self._classes[place]:
                    continue
                apart = known - point
                sizes = lengths(apart, self._norm)
                near = np.argsort(sizes, kind="stable")[:_NEAREST]
                moves[row, place] = apart[near].mean(axis=0)
                far[row, place] = sizes[near].mean()
        return moves, far


def _some(codes: FloatArray) -> FloatArray:
    step = max(1, -(-len(codes) // _MOST))
    return np.ascontiguousarray(codes[::step])
