"""Whom a seed can be bridged to: reference codes of its label whose ball meets its own."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltf.feature.norms import lengths
from dltf.feature.ring import by_label

if TYPE_CHECKING:
    from dltf.feature.norms import Norm
    from dltf.values import BoolArray, FloatArray, IntArray


class Partners:
    """Finds the partners of seeds among reference codes [m, k], each with the radius of its ball."""

    def __init__(
        self, codes: FloatArray, labels: Sequence[Hashable], radii: FloatArray, active: BoolArray, norm: Norm
    ) -> None:
        self._codes, self._active, self._norm, self._radii = codes, active, norm, radii
        self._rows = by_label(labels)
        self._near = {label: np.ascontiguousarray(codes[rows][:, active]) for label, rows in self._rows.items()}

    def of(self, code: FloatArray, radius: float, label: Hashable) -> tuple[IntArray, FloatArray]:
        """Return the rows of a seed's partners and their codes [p, k]: ‖a − b‖ < ρa + ρb, and not the seed itself."""
        if label not in self._rows:
            return np.zeros(0, dtype=np.int64), np.zeros((0, len(code)))
        rows = self._rows[label]
        distances = lengths(self._near[label] - code[self._active], self._norm)
        meets = (distances < radius + self._radii[rows]) & (distances > 0.0)
        return rows[meets], self._codes[rows[meets]]
