"""Logistic regression."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen, validators

from dltf_drepair import fitted
from dltf_drepair.answering import dense, head, probabilities, spread, two_sided
from dltf_drepair.export import export
from dltf_drepair.features import Feature
from dltf_drepair.lesson import Lesson, Target, Wish, lesson, parted, temperature
from dltf_drepair.runtime import versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.plugin import FittedHead, FloatArray, IntArray, Shipped, Shipping, Stream


@frozen
class Linear:
    """Multinomial logistic regression; how sure it is, is set on groups kept back (a temperature)."""

    features: tuple[Feature, ...] | None = None  # None: logs, margins and ranks; top where answers are by rank
    target: Target = "auto"  # the class that is right, or its place among the candidate's best
    strength: float = field(default=1.0, validator=validators.gt(0))  # the greater, the less weights are held back
    steps: int = field(default=300, validator=validators.ge(1))
    agreeing: float = field(default=1.0, validator=validators.gt(0))  # weight of rows where the candidate is right
    floor: float = field(default=1e-4, validator=[validators.gt(0), validators.lt(1)])  # of a probability
    places: int = field(default=5, validator=validators.ge(2))
    validation: float = field(default=0.25, validator=[validators.ge(0), validators.le(0.5)])  # share of groups

    def fit(
        self, states: NDArray[np.float32], answers: IntArray, groups: IntArray, classes: int, stream: Stream
    ) -> FittedHead:
        wish = Wish(self.features, self.target, self.floor, self.places, self.agreeing)
        rows = lesson(states, answers, groups, classes, wish)
        parts = parted(rows, self.validation, stream)
        heat = 1.0
        if parts is not None:
            weights, bias = self._learn(parts[0])
            heat = temperature(parts[1].features @ weights + bias, parts[1], np.unique(parts[0].right))
        weights, bias = self._learn(rows)
        return head(
            rows,
            {"head": "linear", "temperature": heat, "kept_back": 0 if parts is None else len(parts[1].right)},
            lambda source, inputs: probabilities(source, rows, dense(source, inputs, weights / heat, bias / heat)),
        )

    def load(self, file: Path) -> FittedHead:
        return fitted.load(file)

    def export(self, shipping: Shipping, folder: Path) -> Shipped:
        return export(shipping, folder)

    def versions(self) -> Mapping[str, str]:
        return versions()

    def _learn(self, rows: Lesson) -> tuple[FloatArray, FloatArray]:
        """Return weights [m, width] and bias [width] on the features as they are."""
        seen = np.unique(rows.right)
        if len(seen) == 1:  # nothing to tell apart
            return np.zeros((rows.features.shape[1], rows.width)), spread(np.zeros((1, 1)), seen, rows.width)[0]
        mean, scale = scaling(rows.features)
        weights, bias = self._logistic((rows.features - mean) / scale, rows)
        weights = weights / scale[:, None]
        bias = bias - mean @ weights
        full = np.zeros((len(weights), rows.width))
        full[:, seen] = weights
        return full, spread(bias[None], seen, rows.width)[0]

    def _logistic(self, inputs: FloatArray, rows: Lesson) -> tuple[FloatArray, FloatArray]:
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it did not converge: the steps are a setting
            model = LogisticRegression(C=self.strength, max_iter=self.steps).fit(inputs, rows.right, rows.weights)
        weights, bias = model.coef_.T, model.intercept_
        return (two_sided(weights), two_sided(bias)) if weights.shape[1] == 1 else (weights, bias)


def scaling(features: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Return mean and deviation of each feature; 1 where it hardly varies."""
    values = features.astype(np.float64)
    deviation = values.std(axis=0)
    return values.mean(axis=0), np.where(deviation < 1e-3, 1.0, deviation)
